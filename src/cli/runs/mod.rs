//! `hob runs`: the history of runs, and decisions about those that failed or are parked.

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

pub use list::List;
pub use resolve::Resolve;
pub use retry::Retry;
pub use show::Show;
pub use skip::Skip;
pub use writes::Writes;

use clap::Subcommand;

/// Query the history, and decide about runs that failed or are parked
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List runs, newest first
    List(List),
    /// Show a run: its event, each step with inputs, attempts and outcomes
    Show(Show),
    /// List what hob wrote to a record, newest first
    Writes(Writes),
    /// Continue runs that failed, with the recipe as it is now
    Retry(Retry),
    /// Give up on runs that failed, wait or are parked, so that the runs behind them continue
    Skip(Skip),
    /// Tell hob whether the unclear step of a parked run happened
    Resolve(Resolve),
}
