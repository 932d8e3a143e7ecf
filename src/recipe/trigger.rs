//! Triggers.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::cron::Cron;
use super::removed_limit::RemovedLimit;
use super::syntax::{Algorithm, Emit, Encoding};
use crate::source::Spanned;
use crate::template::{LocatedTemplate, TemplateTree};

/// A trigger.
#[derive(Debug, Clone)]
pub enum Trigger {
    /// Polls a list.
    Poll(Poll),
    /// Receives requests.
    Webhook(Webhook),
    /// Starts at set times.
    Schedule(Schedule),
    /// Started by `hob trigger`.
    Manual(Manual),
}

/// Polls a list and makes events of its changes.
#[derive(Debug, Clone)]
pub struct Poll {
    /// The poller.
    pub operation: Spanned<String>,
    /// Its inputs, a mapping.
    pub with: TemplateTree,
    /// The list of the parents for each of which it is polled.
    pub over: Option<Box<Over>>,
    /// The interval.
    pub every: Every,
    /// Which changes become events.
    pub emit: Vec<Emit>,
    /// How many records may be removed at once.
    pub removed_limit: RemovedLimit,
    /// How wide the window of time is that it reads, where the list has one.
    pub window: Option<Spanned<PollWindow>>,
    /// Fetch the whole record before the run; the span is that of the flag.
    pub hydrate: Spanned<bool>,
    /// What the first poll does with existing records.
    pub start: Start,
}

/// A list of parents.
#[derive(Debug, Clone)]
pub struct Over {
    /// The poller.
    pub operation: Spanned<String>,
    /// Its inputs, a mapping.
    pub with: TemplateTree,
}

/// How far the window of time of a poll reaches; what is absent is as the connector says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PollWindow {
    /// Before the poll.
    pub past: Option<Duration>,
    /// After it.
    pub ahead: Option<Duration>,
}

/// When to poll.
#[derive(Debug, Clone)]
pub enum Every {
    /// At this interval.
    Interval(Duration),
    /// At an interval that adapts to activity and budget.
    Adaptive {
        /// After a poll that found something.
        shortest: Duration,
        /// After many that found nothing, or while little is left of the budget. It is longer.
        longest: Duration,
    },
    /// At set times.
    Cron(CronText),
}

/// A cron schedule, as written and parsed.
#[derive(Debug, Clone)]
pub struct CronText {
    /// The expression as written.
    pub expression: Spanned<String>,
    /// The time zone as written; `None` for UTC.
    pub timezone: Option<Spanned<String>>,
    /// The parsed schedule.
    pub cron: Cron,
}

/// What the first poll does with existing records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Ignores them.
    Now,
    /// Reports all of them.
    All,
    /// Reports those created since this time.
    At(DateTime<Utc>),
}

/// Receives requests.
#[derive(Debug, Clone)]
pub enum Webhook {
    /// An app's own events.
    Events {
        /// The app.
        connector: String,
        /// The events, without the connector's name.
        types: Vec<Spanned<String>>,
        /// Fetch the whole record before the run.
        hydrate: bool,
        /// Poll at this interval for lost events.
        reconcile: Option<Duration>,
        /// How long events about one record are collected, of which only the last runs.
        coalesce: Option<Duration>,
    },
    /// Requests at a path.
    Path {
        /// Begins with `/`; received below `/webhooks`.
        path: Spanned<String>,
        /// How requests are verified.
        verify: Verify,
        /// Whether the recipe states it, even as `none`.
        verify_given: bool,
        /// How repeats are recognised.
        id: DeliveryId,
        /// Origins of pages that may send requests from a browser.
        origins: Vec<String>,
    },
}

/// A path without leading, trailing and repeated slashes, which are ignored.
pub fn plain_path(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

/// How repeated deliveries are recognised.
#[derive(Debug, Clone)]
pub enum DeliveryId {
    /// By the sender's id in a header; without one, there are no repeats.
    Sender,
    /// By the id at this JSONPath of the body.
    Path(Spanned<String>),
    /// By the id in this header.
    Header(Spanned<String>),
    /// By the body, for this long after an event.
    Body(Duration),
}

/// How requests are verified. Templates may use `env` only.
#[derive(Debug, Clone)]
pub enum Verify {
    /// Not at all.
    None,
    /// By a header with a fixed value.
    Header {
        /// Name of the header.
        name: String,
        /// Its value.
        value: LocatedTemplate,
    },
    /// By a keyed hash of the body.
    Hmac {
        /// Header with the hash.
        header: String,
        /// The key.
        secret: LocatedTemplate,
        /// The hash.
        algorithm: Algorithm,
        /// Its encoding.
        encoding: Encoding,
        /// Text before it.
        prefix: String,
    },
    /// By an Ed25519 signature of the body.
    Ed25519 {
        /// Header with the signature.
        header: String,
        /// The public key.
        key: LocatedTemplate,
    },
}

impl Verify {
    /// The template of the key, if there is one.
    pub fn key(&self) -> Option<&LocatedTemplate> {
        match self {
            Verify::None => None,
            Verify::Header { value, .. } => Some(value),
            Verify::Hmac { secret, .. } => Some(secret),
            Verify::Ed25519 { key, .. } => Some(key),
        }
    }
}

/// Starts at set times.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The times.
    pub cron: CronText,
}

/// Started by `hob trigger`.
#[derive(Debug, Clone, Copy)]
pub struct Manual {}
