//! `hob runs`: the history of runs, and decisions about those that failed or are parked.

mod command;
mod history;
mod intervention;
mod list;
mod resolve;
mod retry;
mod run_selector;
mod show;
mod since;
mod skip;
mod writes;

pub use command::RunsCommand;
