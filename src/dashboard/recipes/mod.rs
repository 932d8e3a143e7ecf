//! `/recipes`: the recipes, how they do, which follows from which, and each with its versions.

mod act;
mod detail;
mod flow;
mod graph;
mod list;
mod stats;
mod versions;

pub(super) use act::{pause, pause_on, resume, resume_on};
pub(super) use detail::show as one;
pub(super) use list::show as list;
pub(super) use stats::{Stats, StatsCache};
pub(super) use versions::show as versions;
