//! Syntax → model: reads the texts inside a recipe, all of them, whatever is wrong with some.

mod action;
mod recipe;
mod text;
mod trigger;

pub(super) use recipe::lower;
