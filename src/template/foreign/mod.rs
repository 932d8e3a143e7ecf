//! Expressions as other tools write them: what the habit is called, and the same in recipes' language.
//! Only messages are made of this: nothing is translated in silence.

mod alias;
mod explain;
mod rewrite;

pub(super) use alias::method;
pub use alias::{filter_alias, function_alias};
pub(super) use explain::explain;
pub(super) use rewrite::{Rewritten, rewrite};
