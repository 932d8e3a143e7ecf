//! hob: recipes for HighLevel and the apps beside it, run durably.

pub mod catalog;
pub mod diagnostic;
pub mod source;
pub mod value;
