//! What starts a recipe.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::cron::Cron;
use super::syntax::{Algorithm, Emit, Encoding};
use crate::source::Spanned;
use crate::template::{LocatedTemplate, TemplateTree};

/// What starts a recipe.
#[derive(Debug, Clone)]
pub enum Trigger {
    /// Reads a list every so often.
    Poll(Poll),
    /// Waits for requests.
    Webhook(Webhook),
    /// Starts at set times.
    Schedule(Schedule),
    /// Starts by hand.
    Manual(Manual),
}

/// Reads a list every so often and makes events of the differences.
#[derive(Debug, Clone)]
pub struct Poll {
    /// The poller.
    pub operation: Spanned<String>,
    /// Its inputs, a mapping.
    pub with: TemplateTree,
    /// How often.
    pub every: Every,
    /// Which differences become events.
    pub emit: Vec<Emit>,
    /// What the first poll does with what is there already.
    pub start: Start,
}

/// How often to poll.
#[derive(Debug, Clone)]
pub enum Every {
    /// With this pause.
    Interval(Duration),
    /// At set times.
    Cron(CronText),
}

/// Set times, as written and as read.
#[derive(Debug, Clone)]
pub struct CronText {
    /// The expression as the recipe has it.
    pub expression: Spanned<String>,
    /// The time zone as the recipe has it; none: UTC.
    pub timezone: Option<Spanned<String>>,
    /// The times.
    pub cron: Cron,
}

/// What the first poll does with what is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Nothing: only what comes from now on.
    Now,
    /// Everything.
    All,
    /// What came to be since.
    At(DateTime<Utc>),
}

/// Waits for requests.
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
        /// Sweep by polling this often.
        reconcile: Option<Duration>,
    },
    /// Anyone's requests at a path of our own.
    Path {
        /// Begins with `/`; received below `/webhooks`.
        path: Spanned<String>,
        /// How requests prove where they come from.
        verify: Verify,
        /// The recipe says how, even if it says `none`.
        verify_given: bool,
        /// By what repeats are recognised.
        id: DeliveryId,
        /// Origins of pages that may send requests from a browser.
        origins: Vec<String>,
    },
}

/// A path without the slashes around it, and no two of them together: they make no difference.
pub fn plain_path(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

/// By what a repeat of a delivery is recognised.
#[derive(Debug, Clone)]
pub enum DeliveryId {
    /// The id that the sender gives in a header; without one, no delivery is a repeat.
    Sender,
    /// The id at this JSONPath of the body.
    Path(Spanned<String>),
    /// The id in this header.
    Header(Spanned<String>),
    /// The body, for so long after an event.
    Body(Duration),
}

/// How requests prove where they come from. Templates are over `env` alone.
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
        /// Header that carries it.
        header: String,
        /// The key.
        secret: LocatedTemplate,
        /// The hash.
        algorithm: Algorithm,
        /// How it is written.
        encoding: Encoding,
        /// Text before it.
        prefix: String,
    },
    /// By an Ed25519 signature of the body.
    Ed25519 {
        /// Header that carries it.
        header: String,
        /// The public key.
        key: LocatedTemplate,
    },
}

impl Verify {
    /// Where the key comes from, if there is one.
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

/// Starts by hand.
#[derive(Debug, Clone, Copy)]
pub struct Manual {}
