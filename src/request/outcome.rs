//! The outcome of a request, as far as callers need it to decide what to do next.

use std::time::Duration;

use super::Answer;

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The request succeeded.
    Ok(Answer),
    /// The server refused it because of a rate limit; nothing was done.
    RateLimited {
        /// Time to wait before the next attempt.
        retry_after: Duration,
    },
    /// It was not sent: the budget is used up, or the connection's circuit breaker is open.
    Held {
        /// Time to wait before the next attempt.
        wait: Duration,
        /// Reason, for people.
        reason: String,
        /// What holds it.
        by: HeldBy,
    },
    /// Nothing was done, or doing it twice does no harm: the request may be sent again.
    TryAgain {
        /// Reason, for people.
        reason: String,
        /// HTTP status, if there was an answer.
        status: Option<u16>,
        /// Wait that the server asked for.
        retry_after: Option<Duration>,
        /// It may have been done: only the answer is missing.
        lost: bool,
    },
    /// It was refused, and a retry would be refused as well.
    Refused(Refusal),
    /// The credential was refused, nothing was done, and the connection is on hold until its credential works.
    Unauthorized {
        /// The server's refusal, or hob's own when nothing was sent.
        refusal: Refusal,
        /// Time to wait before the next attempt.
        wait: Duration,
        /// Reason, for people; it stays the same while the connection is on hold.
        reason: String,
    },
    /// It was sent, and whether it was done is unknown: it must not be sent again without a check.
    InDoubt {
        /// Reason, for people.
        reason: String,
        /// HTTP status, if there was an answer.
        status: Option<u16>,
    },
}

/// What holds a request that was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBy {
    /// The budget is used up.
    Budget,
    /// The circuit breaker is open.
    Breaker,
    /// hob was suspended meanwhile.
    Suspension,
}

/// A refusal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Refusal {
    /// HTTP status; `None` when hob itself refused to send the request.
    pub status: Option<u16>,
    /// Message of the server.
    pub message: String,
    /// Advice on what to do.
    pub help: Option<String>,
    /// The record does not exist, or no longer exists.
    pub gone: bool,
    /// Id of the existing record that the request would have duplicated, where the answer names it.
    pub existing: Option<String>,
}

impl Refusal {
    /// A refusal by hob itself, before anything was sent.
    pub fn unsent(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }
}

impl Outcome {
    /// Label of the outcome in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Ok(_) => "ok",
            Outcome::RateLimited { .. } => "rate_limited",
            Outcome::Held { .. } => "held",
            Outcome::TryAgain { .. } => "failed",
            Outcome::Refused(_) => "refused",
            Outcome::Unauthorized { .. } => "unauthorized",
            Outcome::InDoubt { .. } => "in_doubt",
        }
    }

    /// A short description for logs and people.
    pub fn describe(&self) -> String {
        match self {
            Outcome::Ok(answer) => format!("answered {}", answer.status),
            Outcome::RateLimited { retry_after } => {
                format!("rate limited; try again in {} s", retry_after.as_secs_f64())
            }
            Outcome::Held { reason, .. } | Outcome::TryAgain { reason, .. } => reason.clone(),
            Outcome::InDoubt { reason, .. } | Outcome::Unauthorized { reason, .. } => reason.clone(),
            Outcome::Refused(refusal) => refusal.message.clone(),
        }
    }
}
