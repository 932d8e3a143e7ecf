//! `hob alerts`: what is open, and whether those who are told can be reached.

mod command;
mod list;
mod test;
mod unknown_recipes;

pub use command::AlertsCommand;
pub(super) use unknown_recipes::unknown_recipes;
