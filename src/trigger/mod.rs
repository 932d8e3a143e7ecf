//! What makes events: lists read every so often, webhooks received, set times, and people.
//!
//! A trigger appends events, and the runs they cause, to the journal. It never runs a step.

pub mod detect;
mod moment;
pub mod paging;
pub mod webhook;
