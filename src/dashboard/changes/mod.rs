//! Tells open pages that what they show has changed, by server-sent events. An event says only that there is something new; the
//! page asks for it as it asked before, with its own login. Nothing is looked at while nobody watches, and all watchers of the same
//! thing share one look.

mod fingerprints;
mod stream;
mod topic;
mod watchers;

pub(super) use stream::{Stopped, show};
pub(super) use topic::{Topic, fingerprint};
pub(super) use watchers::Watchers;
