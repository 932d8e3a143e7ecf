//! What processes that work on the same account share of its limits. Each keeps its own budget and
//! breaker as well: those order who goes first, and refuse without asking.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Exhausted, Rate};

/// The limits of one account, as this process knows them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests per time.
    pub burst: Option<Rate>,
    /// Requests a day.
    pub daily: Option<u64>,
}

/// Whether a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may, in this place.
    Go(i64),
    /// The processes together have used up the budget for so long.
    Wait(Duration),
    /// The account keeps failing and is left alone for so long.
    LeftAlone(Duration),
}

/// What became of a request that was let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the account answered, and not with a 5xx; `None`: nobody waited for an answer, or nothing was
    /// sent.
    pub alive: Option<bool>,
    /// The server refused for the rate: nothing goes for so long.
    pub pause: Option<Duration>,
}

/// Where processes keep what they share.
#[async_trait]
pub trait SharedBudget: Debug + Send + Sync {
    /// Asks for leave to send a request on `connection`.
    async fn admit(&self, connection: &str, limits: Limits) -> Admission;

    /// Tells what became of a request that had leave.
    async fn settle(&self, connection: &str, slot: i64, verdict: Verdict);
}

/// A connection's part in it.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) connection: String,
    pub(super) common: Arc<dyn SharedBudget>,
}

/// A place that a request has, until it is settled.
#[derive(Debug)]
pub(super) struct Slot {
    part: Part,
    number: i64,
    pub(super) verdict: Verdict,
}

impl Part {
    /// Asks for leave.
    pub(super) async fn admit(&self, limits: Limits) -> Result<Slot, Exhausted> {
        match self.common.admit(&self.connection, limits).await {
            Admission::Go(number) => Ok(Slot { part: self.clone(), number, verdict: Verdict::default() }),
            Admission::Wait(wait) => Err(Exhausted { wait, left_alone: false }),
            Admission::LeftAlone(wait) => Err(Exhausted { wait, left_alone: true }),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Without a runtime the process is about to end; the place becomes free by itself then.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (part, number, verdict) = (self.part.clone(), self.number, self.verdict);
            runtime.spawn(async move { part.common.settle(&part.connection, number, verdict).await });
        }
    }
}
