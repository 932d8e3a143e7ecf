//! A stateful stand-in for the APIs of the catalog, for trying recipes and for tests.
//!
//! It knows no API: methods, paths and shapes come from the catalog; effects, refusals and initial data from the
//! connector's `sandbox.yaml`. State is in memory and the same at every start. It makes no requests itself.

mod answer;
mod budget;
mod condition;
mod config;
mod control;
mod convert;
mod damage;
mod example;
mod execute;
mod fault;
mod generate;
mod handler;
mod http;
mod identity;
mod inputs;
mod instance;
mod log;
mod options;
mod order;
mod page;
mod read;
mod refusal;
mod route;
mod sample;
mod select;
mod server;
mod service;
mod state;
mod step;
mod table;
mod template;
mod template_filters;
mod time;
mod token;
mod write;

pub use budget::Budget;
pub use config::schema;
pub use damage::Damage;
pub use execute::{Change, ChangeKind};
pub use fault::{Fault, FaultKind};
pub use inputs::request_inputs;
pub use instance::{Error, Sandbox};
pub use log::Entry;
pub use options::Options;
pub use server::RunningSandbox;
pub use template::template_mistakes;
