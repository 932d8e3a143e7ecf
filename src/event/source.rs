//! Sources of events, and their priorities.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cursor::CursorKey;

/// A source of events.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A connector's signed webhooks: the connector's name.
    Connector(String),
    /// A recipe's webhook path.
    Path(String),
    /// A poller: the key of its cursor.
    Poll(CursorKey),
    /// A poller that reads records from before: the key of its cursor.
    Backfill(CursorKey),
    /// A recipe's schedule: the recipe.
    Schedule(String),
    /// A person, by `hob trigger`: the recipe.
    Manual(String),
}

/// Priority of runs and, while a budget is short, of their requests; most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Runs of events that were just sent.
    Webhook,
    /// Pollers and the runs of their events, of which there may be many.
    Poll,
    /// Reading of existing records and the runs for them.
    Backfill,
}

impl Priority {
    /// All, most urgent first.
    pub const ALL: [Priority; 3] = [Priority::Webhook, Priority::Poll, Priority::Backfill];
}

impl Source {
    /// Whether its events are records of a list.
    pub fn is_list(&self) -> bool {
        matches!(self, Source::Poll(_) | Source::Backfill(_))
    }

    /// The priority of runs of its events.
    pub fn priority(&self) -> Priority {
        match self {
            Source::Poll(_) => Priority::Poll,
            Source::Backfill(_) => Priority::Backfill,
            Source::Connector(_) | Source::Path(_) | Source::Schedule(_) | Source::Manual(_) => {
                Priority::Webhook
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Connector(name) => write!(f, "webhook:{name}"),
            Source::Path(path) => write!(f, "webhook:{path}"),
            Source::Poll(key) => write!(f, "poll:{key}"),
            Source::Backfill(key) => write!(f, "backfill:{key}"),
            Source::Schedule(recipe) => write!(f, "schedule:{recipe}"),
            Source::Manual(recipe) => write!(f, "manual:{recipe}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhook_runs_go_before_polled_runs_and_these_before_backfills() {
        let poll = Source::Poll(CursorKey::new("clients", &["studio-1".into()]));
        assert_eq!(poll.to_string(), "poll:clients@studio-1");
        for sent in [
            Source::Connector("x".into()),
            Source::Path("/x".into()),
            Source::Schedule("r".into()),
            Source::Manual("r".into()),
        ] {
            assert!(sent.priority() < poll.priority(), "{sent}");
        }
        let backfill = Source::Backfill(CursorKey::new("clients", &["studio-1".into()]));
        assert!(poll.priority() < backfill.priority() && poll.is_list() && backfill.is_list());
    }
}
