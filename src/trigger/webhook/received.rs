//! The outcome of a request to a webhook: what to store, or why it is refused.

use std::time::Duration;

use super::unreadable::Unreadable;
use super::verify;
use crate::event::Event;
use crate::journal::NewRun;

/// Why a request is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing is received at this address.
    #[error("nothing is received at this address")]
    Unknown,
    /// Nothing proves where it comes from.
    #[error(transparent)]
    Unproven(#[from] verify::Error),
    /// The recipe that listens is away for a moment.
    #[error("the recipe that listens here is not there now; send it again later")]
    Absent,
    /// No event can be made of the body.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// A request that is taken, and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// What to store.
    pub event: Event,
    /// The runs it causes.
    pub runs: Vec<NewRun>,
    /// What may surprise: why it causes none, or that it has no id.
    pub remark: Option<String>,
    /// After this time the event's dedup key stands for another event. `None`: never.
    pub window: Option<Duration>,
}
