//! Whether the kills covered enough: when they happened, and what was needed to recover from them.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use hob::clock::Clock;
use hob::sandbox::{Entry, FaultKind};

use crate::effect::Effect;
use crate::observations::Observations;

/// The times of the kills.
#[derive(Default)]
pub struct Kills(Vec<DateTime<Utc>>);

/// What the kills led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    pub kills: usize,
    /// Kills during a request that had taken effect and was not answered yet.
    pub in_requests: usize,
    pub events: usize,
    pub requests: usize,
    /// Idempotent effects that were sent again.
    pub repeats: usize,
    /// Probes of whether a create happened.
    pub probes: usize,
    /// Runs parked because no probe can tell.
    pub parked: usize,
}

impl Kills {
    /// Records a kill at this moment.
    pub fn note(&mut self) {
        self.0.push(Clock::system().now());
    }
}

impl Coverage {
    pub fn of(observations: &Observations, kills: &Kills) -> Self {
        let spans: Vec<_> = observations.log.iter().filter_map(under_way).collect();
        let hits = |kill: &&DateTime<Utc>| spans.iter().any(|(from, to)| (from..to).contains(kill));
        let mut effects = observations.effects();
        effects.retain(|(effect, _), _| Effect::IDEMPOTENT.contains(effect));
        let is_probe = |entry: &&Entry| {
            matches!(entry.operation.as_deref(), Some("contacts.notes.list" | "fitr.notes.list"))
        };
        Self {
            kills: kills.0.len(),
            in_requests: kills.0.iter().filter(hits).count(),
            events: observations.accepted.iter().map(Vec::len).sum(),
            requests: observations.log.len(),
            repeats: effects.values().map(|times| times - 1).sum(),
            probes: observations.log.iter().filter(is_probe).count(),
            parked: observations.parked.len(),
        }
    }

    /// Asserts that the kills hit requests and made recovery necessary.
    pub fn assert_sufficient(&self) {
        if self.kills < 50 {
            return;
        }
        let all = [self.in_requests, self.repeats, self.probes, self.parked];
        assert!(all.iter().all(|count| *count > 0), "the kills tried too little: {self}");
    }
}

/// The time during which a request was under way.
fn under_way(entry: &Entry) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let Some(FaultKind::Delay(milliseconds)) = entry.fault else { return None };
    let from = DateTime::parse_from_rfc3339(&entry.at).unwrap().with_timezone(&Utc);
    Some((from, from + TimeDelta::milliseconds(i64::try_from(milliseconds).unwrap())))
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills, {} of them within requests; {} events, {} requests; {} effects repeated, {} looked into, \
             {} runs parked",
            self.kills, self.in_requests, self.events, self.requests, self.repeats, self.probes, self.parked
        )
    }
}
