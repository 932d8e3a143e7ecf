//! Expressions in the syntax of other tools: names of their constructs, and equivalents for messages. Nothing is
//! translated silently.

mod alias;
mod explain;
mod names;
mod pattern;
mod rewrite;
mod words;

pub use alias::{filter_alias, instead_of};
pub(super) use alias::{is_exact_alias, method};
pub(super) use explain::explain;
pub(super) use rewrite::{Rewritten, rewrite};
