//! `hob catalog`: what operations there are, and all about one of them.

mod command;
mod list;
mod show;

pub use command::CatalogCommand;
pub use show::unknown;
