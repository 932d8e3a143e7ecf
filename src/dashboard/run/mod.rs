//! `/runs/ID`: what a run did, step by step, and what can be done about it.

mod act;
mod page;
mod recipe_path;
mod version_text;
mod waterfall;

pub(super) use act::act;
pub(super) use page::show;
