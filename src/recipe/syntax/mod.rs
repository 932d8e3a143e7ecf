//! The syntax of recipes: the single source of their structure, JSON Schema and reference.
//!
//! These types define the fields and their types; the meaning of texts (templates, durations, operations) is defined
//! by the model and the checker.

mod action;
mod recipe;
mod scalar;
mod sync;
mod trigger;
mod write_policy;

pub use action::{Action, OnError, OnMissing, Pages, Retry};
pub use recipe::{EchoPolicy, LaneOnFailure, Recipe, RetryFrom, RunRetry};
pub use scalar::{
    Anything, Condition, DurationText, IntervalText, Mapping, OneOrMany, RemovedLimitText, TemplateText,
};
pub use sync::{Sync, SyncField, SyncFieldSide, SyncRecipe, SyncSide};
pub use trigger::{
    Algorithm, DeliveryIdText, Ed25519, Emit, Encoding, Header, Hmac, IdBody, IdHeader, Manual, Nothing,
    Over, OverText, Poll, PollWindow, Schedule, ScheduleTable, ScheduleText, Trigger, Verify, Webhook,
};
pub use write_policy::{KeptPolicy, UnchangedPolicy};
