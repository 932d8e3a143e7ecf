//! `hob runs`: the history of what happened, and a person's word on what is to happen.

mod history;
mod list;
mod rule;
mod show;
mod since;
mod which;
mod writes;

pub use list::List;
pub use rule::{Resolve, Retry, Skip};
pub use show::Show;
pub use writes::Writes;

use clap::Subcommand;

/// Ask the history, and decide about what failed
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List runs, newest first
    List(List),
    /// Show a run: its event, each step with inputs, attempts and outcomes
    Show(Show),
    /// List what was written to a record, newest first
    Writes(Writes),
    /// Go on with runs that failed, with the recipe as it is now
    Retry(Retry),
    /// Leave runs that failed, wait or are parked, and let their lanes go on
    Skip(Skip),
    /// Tell whether the step that a run is parked over happened
    Resolve(Resolve),
}
