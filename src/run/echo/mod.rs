//! Echoes: events caused only by hob's own writes. Pure: writes and earlier events are passed in.

mod evidence;
mod known_write;
mod pair_base;
mod state;
mod subject;
mod verdict;
mod within_parent;

pub use evidence::{Evidence, Verdict, may_wait};
pub use known_write::{Pending, SourceWrite};
pub use pair_base::{PairBase, Reading};
pub use state::{Effect as WriteEffect, FieldPath};
pub use subject::Subject;
pub use verdict::{Earlier, OwnWrite, Relation, Report, relate};
