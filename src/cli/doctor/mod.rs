//! `hob doctor`: whether everything that hob needs is there and works.

mod command;
mod finding;
mod online;

pub use command::Doctor;
