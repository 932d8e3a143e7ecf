//! `hob plan`: the requests that recipes will send, against the limits of the APIs. Sends nothing.

mod command;
mod history;
mod limits;
mod number;
mod plot;
mod text;

pub use command::PlanCommand;
