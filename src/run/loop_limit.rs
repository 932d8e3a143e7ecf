//! When a chain of runs, of which each follows from a write of the one before, is a loop.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::entry::ChainLink;
use crate::value::before;

/// How often a recipe may come up in a chain of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopLimit {
    /// Runs of a recipe in the chain, the one that is about to begin included.
    pub runs: usize,
    /// Within so long.
    pub within: Duration,
}

impl Default for LoopLimit {
    fn default() -> Self {
        Self { runs: 4, within: Duration::from_secs(60) }
    }
}

impl LoopLimit {
    /// Why a run of `recipe` that follows from `chain` must not begin, if so.
    pub(super) fn exceeded(self, recipe: &str, chain: &[ChainLink], now: DateTime<Utc>) -> Option<String> {
        let since = before(now, self.within);
        let recent: Vec<&ChainLink> = chain.iter().filter(|link| link.at >= since).collect();
        let own = recent.iter().filter(|link| link.recipe == recipe).count();
        if own < self.runs {
            return None;
        }
        let chain: Vec<String> = recent
            .iter()
            .map(|link| format!("{} ({}, record {})", link.run, link.recipe, link.record))
            .collect();
        Some(format!(
            "a loop: each of these runs wrote what started the next one, and `{recipe}` is among them {own} times in \
             {}: {}. `hob runs retry` runs it all the same, `hob runs skip` leaves it",
            spoken(self.within),
            chain.join(" → ")
        ))
    }
}

fn spoken(span: Duration) -> String {
    match span.as_secs() {
        60 => "a minute".to_owned(),
        seconds => format!("{seconds} s"),
    }
}
