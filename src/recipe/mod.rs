//! From a recipe's text to its model. This module knows the syntax of recipes; the checker knows whether operations,
//! connections and variables exist.

mod action;
mod credentials;
mod cron;
mod dropped_fields;
mod foreign_fields;
mod lower;
mod model;
mod parse;
pub mod redact;
mod removed_limit;
mod schema;
pub mod schema_node;
pub mod schema_validation;
mod schema_words;
pub mod syntax;
mod trigger;

pub use crate::value::{DurationError, parse_duration};
pub use action::{Action, DEFAULT_ITEM, Retry};
pub use credentials::Credential;
pub use cron::Cron;
pub use dropped_fields::DroppedFields;
pub use model::Recipe;
pub use parse::{Parsed, Tree, parse, parse_generated, parse_sync, parse_tree, read_tree};
pub use redact::redact;
pub use removed_limit::RemovedLimit;
pub use schema::{schema, sync_schema};
pub use syntax::{
    Algorithm, EchoPolicy, Emit, Encoding, KeptPolicy, LaneOnFailure, OnError, OnMissing, Pages, RetryFrom,
    UnchangedPolicy,
};
pub use trigger::{
    CronText, DeliveryId, Every, Manual, Over, Poll, PollWindow, Schedule, Start, Trigger, Verify, Webhook,
    plain_path,
};
