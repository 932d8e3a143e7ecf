//! The result of a request to a webhook: what to store, or why it is refused.

use std::time::Duration;

use super::unreadable::Unreadable;
use super::verify;
use crate::event::Event;
use crate::journal::NewRun;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No recipe listens at this address.
    #[error("nothing is received at this address")]
    Unknown,
    /// The request could not be verified.
    #[error(transparent)]
    Unverified(#[from] verify::Error),
    /// The recipe that listens is temporarily absent.
    #[error("the recipe that listens here is not there now; send it again later")]
    Absent,
    /// The body cannot be read as an event.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// An accepted request, and what to store.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The event to store.
    pub event: Event,
    /// The runs that it starts.
    pub runs: Vec<NewRun>,
    /// A remark for the log: why it starts no run, or that it has no id.
    pub remark: Option<String>,
    /// Time after which the event's dedup key may stand for another event. `None`: never.
    pub window: Option<Duration>,
}
