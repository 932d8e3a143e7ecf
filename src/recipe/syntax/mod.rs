//! How a recipe is written: the one source of its structure, its JSON Schema and its reference.
//!
//! These types say which fields there are and what may stand in them; what the texts inside mean
//! (templates, durations, operations) is for the model and the checker.

mod action;
mod recipe;
mod scalar;
mod trigger;

pub use action::{Action, OnError, Pages, Retry};
pub use recipe::{EchoPolicy, LaneOnFailure, Recipe, UnchangedPolicy};
pub use scalar::{Anything, Condition, DurationText, Mapping, OneOrMany, TemplateText};
pub use trigger::{
    Algorithm, DeliveryIdText, Ed25519, Emit, Encoding, Header, Hmac, IdBody, IdHeader, Manual, Nothing,
    Poll, Schedule, ScheduleTable, ScheduleText, Trigger, Verify, Webhook,
};
