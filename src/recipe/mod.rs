//! Recipe text → model. This module knows how a recipe is written and what it says; whether its
//! operations, connections and variables exist is for the checker.

mod action;
pub mod conceal;
mod cron;
mod expected;
mod form;
mod habit;
mod lost;
mod lower;
mod model;
mod parse;
mod schema;
pub mod structure;
pub mod syntax;
mod trigger;

pub use crate::value::{DurationError, parse_duration};
pub use action::{Action, Backoff, DEFAULT_ITEM, Retry};
pub use conceal::conceal;
pub use cron::Cron;
pub use lost::Lost;
pub use model::Recipe;
pub use parse::{Parsed, parse};
pub use schema::schema;
pub use syntax::{Algorithm, EchoPolicy, Emit, Encoding, LaneOnFailure, OnError, Pages, UnchangedPolicy};
pub use trigger::{
    CronText, DeliveryId, Every, Manual, Poll, Schedule, Start, Trigger, Verify, Webhook, plain_path,
};
