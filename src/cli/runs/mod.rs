//! `hob runs`: the history of runs, and interventions.

mod command;
mod fixture;
mod intervention;
mod list;
mod resolve;
mod retry;
mod run_selector;
mod show;
mod since;
mod skip;
mod trace;
mod writes;

pub use command::RunsCommand;
pub(super) use run_selector::find;
pub(super) use since::Since;
