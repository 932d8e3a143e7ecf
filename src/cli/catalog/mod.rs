//! `hob catalog`: what operations there are, and all about one of them.

mod list;
mod show;

pub use list::List;
pub use show::{Show, unknown};

use clap::Subcommand;

/// Look up operations and their inputs
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// List operations, or those that match a few words
    List(List),
    /// Show an operation: inputs, scopes, paging, result, notes, a recipe to start from
    Show(Show),
}
