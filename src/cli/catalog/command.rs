//! The subcommands of `hob catalog`.

use clap::Subcommand;

use super::list::List;
use super::show::Show;

/// Look up operations and their inputs
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// List operations, or those that match a few words
    List(List),
    /// Show an operation: inputs, scopes, paging, result, notes, a recipe to start from
    Show(Show),
}
