//! Echoes: events that only tell what hob itself wrote. Pure: what was written and told before comes in.

mod evidence;
mod same;
mod state;
mod subject;
mod verdict;

pub use evidence::{Evidence, Pending, Verdict};
pub use state::{Effect as WriteEffect, FieldPath};
pub use subject::Subject;
pub use verdict::{Earlier, OwnWrite, Relation, Report, relate};
