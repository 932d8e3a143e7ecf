//! `hob operators`: credentials of the dashboard's operators, and what they did.

mod command;
mod list_acts;
mod password;
mod token;

pub use command::OperatorsCommand;
