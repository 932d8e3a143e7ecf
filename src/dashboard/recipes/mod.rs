//! `/recipes`: the recipes, how they do, which follows from which, and each with its versions.

mod act;
mod detail;
mod flow;
mod list;
mod stats;
mod versions;

pub(super) use act::{pause, resume};
pub(super) use detail::show as one;
pub(super) use list::show as list;
pub(super) use stats::{Stats, StatsCache};
pub(super) use versions::show as versions;
