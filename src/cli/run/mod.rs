//! `hob run`: triggers, engine and server in one process.

mod arguments;
mod command;
mod dashboard;
mod dashboard_notice;
mod hold_recorder;
mod indexing;
mod listening;
mod observers;
mod once;
mod progress;
mod recipe_selection;
mod reload;
mod retention;
mod service;
mod summary;
mod wait_notices;

pub use arguments::Run;
