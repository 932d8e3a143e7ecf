//! hob: recipes for HighLevel and the apps beside it, run durably.

pub mod catalog;
pub mod value;
