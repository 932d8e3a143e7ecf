//! The subcommands of `hob alerts`.

use clap::Subcommand;

use super::list::List;
use super::test::Test;

/// List open alerts, and test whom they go to
#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// List open alerts, who was told of them, and what is still to be told
    List(List),
    /// Send a test to everybody who is told of alerts, and say how it went
    Test(Test),
}
