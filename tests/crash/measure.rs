//! Whether the kills tried anything: where they fell, and what it took to make up for them.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use hob::clock::Clock;
use hob::sandbox::{Entry, What};

use crate::deed::Deed;
use crate::evidence::Evidence;

/// When programs were killed.
#[derive(Default)]
pub struct Kills(Vec<DateTime<Utc>>);

/// What the kills led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    pub kills: usize,
    /// Kills at which a request was under way: done, and not yet answered.
    pub in_requests: usize,
    pub events: usize,
    pub requests: usize,
    /// Idempotent effects that were sent again.
    pub repeats: usize,
    /// Looks into whether a create happened.
    pub probes: usize,
    /// Runs parked because nothing can tell.
    pub parked: usize,
}

impl Kills {
    /// One falls now.
    pub fn note(&mut self) {
        self.0.push(Clock::system().now());
    }
}

impl Measures {
    pub fn of(evidence: &Evidence, kills: &Kills) -> Self {
        let spans: Vec<_> = evidence.log.iter().filter_map(under_way).collect();
        let hits = |kill: &&DateTime<Utc>| spans.iter().any(|(from, to)| (from..to).contains(kill));
        let mut deeds = evidence.deeds();
        deeds.retain(|(deed, _), _| Deed::IDEMPOTENT.contains(deed));
        let is_probe = |entry: &&Entry| {
            matches!(entry.operation.as_deref(), Some("contacts.notes.list" | "fitr.notes.list"))
        };
        Self {
            kills: kills.0.len(),
            in_requests: kills.0.iter().filter(hits).count(),
            events: evidence.accepted.iter().map(Vec::len).sum(),
            requests: evidence.log.len(),
            repeats: deeds.values().map(|times| times - 1).sum(),
            probes: evidence.log.iter().filter(is_probe).count(),
            parked: evidence.parked.len(),
        }
    }

    /// Asserts that the kills tried something.
    pub fn assert_telling(&self) {
        if self.kills < 50 {
            return;
        }
        let all = [self.in_requests, self.repeats, self.probes, self.parked];
        assert!(all.iter().all(|count| *count > 0), "the kills tried too little: {self}");
    }
}

/// From when to when a request was under way.
fn under_way(entry: &Entry) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let Some(What::Delay(milliseconds)) = entry.fault else { return None };
    let from = DateTime::parse_from_rfc3339(&entry.at).unwrap().with_timezone(&Utc);
    Some((from, from + TimeDelta::milliseconds(i64::try_from(milliseconds).unwrap())))
}

impl fmt::Display for Measures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills, {} of them within requests; {} events, {} requests; {} effects repeated, {} looked into, \
             {} runs parked",
            self.kills, self.in_requests, self.events, self.requests, self.repeats, self.probes, self.parked
        )
    }
}
