//! `hob runs`: the history of what happened.

mod history;
mod list;
mod show;
mod since;

pub use list::List;
pub use show::Show;

use clap::Subcommand;

/// Ask the history
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List runs, newest first
    List(List),
    /// Show a run: its event, each step with inputs, attempts and outcomes
    Show(Show),
}
