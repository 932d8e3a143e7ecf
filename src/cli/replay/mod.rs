//! `hob replay`: recorded runs with recipes as they are now.

mod command;
mod history;
mod page;
mod text;

pub use command::Replay;
