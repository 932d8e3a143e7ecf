//! The subcommands of `hob runs`.

use clap::Subcommand;

use super::fixture::MakeFixture;
use super::list::List;
use super::resolve::Resolve;
use super::retry::Retry;
use super::show::Show;
use super::skip::Skip;
use super::writes::Writes;

/// Query the history, and decide about runs that failed or are parked
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List runs, newest first
    List(List),
    /// Show a run: its event, each step with inputs, attempts and outcomes
    Show(Show),
    /// Make a test of a run: its event, the answers that it got, and what it did
    Fixture(MakeFixture),
    /// List what hob wrote to a record, newest first
    Writes(Writes),
    /// Continue runs that failed, with the recipe as it is now
    Retry(Retry),
    /// Give up on runs that failed, wait or are parked, so that the runs behind them continue
    Skip(Skip),
    /// Tell hob whether the unclear step of a parked run happened
    Resolve(Resolve),
}
