//! `hob run`: triggers, engine and server, started together and stopped together.

mod command;
mod holds;
mod house;
mod once;
mod progress;
mod reload;
mod retention;
mod summary;
mod waits;

pub use command::Run;
