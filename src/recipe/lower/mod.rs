//! From syntax to model: parses the texts in a recipe, all of them, even if some are invalid.

mod action;
mod recipe;
mod text;
mod trigger;

pub(super) use recipe::lower;
