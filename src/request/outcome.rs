//! What became of a request, as far as anybody needs to know to go on.

use std::time::Duration;

use super::Answer;

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was done.
    Ok(Answer),
    /// The server refused it for its rate limit; it did not happen.
    RateLimited {
        /// When another try makes sense.
        retry_after: Duration,
    },
    /// It was not sent: the budget is empty or the connection is left alone for a while.
    Held {
        /// When another try makes sense.
        wait: Duration,
        /// Why.
        reason: String,
    },
    /// It did not happen, or happening twice does no harm: send it again.
    TryAgain {
        /// Why it was not answered well.
        reason: String,
        /// HTTP status, if there was an answer.
        status: Option<u16>,
        /// When the server asks to be tried again.
        retry_after: Option<Duration>,
        /// It may have happened: only the answer is missing.
        lost: bool,
    },
    /// It was refused and will be again.
    Refused(Refusal),
    /// The credential is refused, and the connection is held until it works; nothing happened.
    Unauthorized {
        /// What the server said; hob's own words where nothing was sent.
        refusal: Refusal,
        /// When another try makes sense.
        wait: Duration,
        /// Why, the same as long as the connection is held.
        reason: String,
    },
    /// It was sent, and whether it happened is unknown: never send it again blindly.
    InDoubt {
        /// What is known.
        reason: String,
        /// HTTP status, if there was an answer.
        status: Option<u16>,
    },
}

/// A refusal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Refusal {
    /// HTTP status; none when hob itself refused to send it.
    pub status: Option<u16>,
    /// Why, in the server's words.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// There is no such record, or none any more.
    pub gone: bool,
    /// Id of the record that the request would have doubled, where the answer names it.
    pub existing: Option<String>,
}

impl Refusal {
    /// A refusal of hob's own, before anything was sent.
    pub fn unsent(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }
}

impl Outcome {
    /// Its name in metrics.
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

    /// A few words for logs and people.
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
