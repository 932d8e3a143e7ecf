//! Acts on all runs of a cause: first a preview of what would become of them, then the act, which goes on in the
//! background and can be stopped.

mod act;
mod job;
mod jobs;
mod pages;

pub(super) use act::Act;
pub(super) use jobs::Jobs;
pub(super) use pages::{act, preview, progress, stop};
