//! A stateful stand-in for the APIs of the catalog, for trying recipes and for tests.
//!
//! It knows no API: methods, paths and shapes are the catalog's, and what an operation does, refuses
//! and starts with stands in the connector's `sandbox.yaml`. State is in memory and the same at every
//! start. It never calls anything itself.

mod answer;
mod budget;
mod condition;
mod control;
mod convert;
mod example;
mod fault;
mod fill;
mod fill_filters;
mod generate;
mod host;
mod http;
mod identity;
mod inputs;
mod log;
mod options;
mod order;
mod page;
mod perform;
mod read;
mod refusal;
mod respond;
mod route;
mod sample;
mod script;
mod select;
mod server;
mod service;
mod step;
mod table;
mod time;
mod token;
mod world;
mod write;

pub use budget::Budget;
pub use fault::{Fault, What};
pub use host::{Error, Sandbox};
pub use log::Entry;
pub use options::Options;
pub use perform::{Change, ChangeKind};
pub use script::schema;
pub use server::RunningSandbox;
