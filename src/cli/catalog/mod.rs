//! `hob catalog`: a reference of operations.

mod command;
mod list;
mod show;

pub use command::CatalogCommand;
pub use show::unknown;
