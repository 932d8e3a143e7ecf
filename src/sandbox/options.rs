//! How a stand-in is set up.

use indexmap::IndexMap;

use super::budget::Budget;
use crate::clock::Clock;

/// How a stand-in is set up. The default is what `--sandbox` uses.
#[derive(Debug, Clone)]
pub struct Options {
    /// Seed of ids and generated records; another number gives other data.
    pub seed: u64,
    /// Where the time comes from. Seeded records do not depend on it.
    pub clock: Clock,
    /// How many records a collection that scales has; absent: as its script says. They are made when
    /// they are read, so a very large number costs little.
    pub records: Option<usize>,
    /// Request limits of every connector.
    pub budget: Budget,
    /// `sandbox.yaml` by connector, before the ones that are part of the program.
    pub scripts: IndexMap<String, String>,
    /// How many requests the log keeps.
    pub log: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            clock: Clock::system(),
            records: None,
            budget: Budget::Usual,
            scripts: IndexMap::new(),
            log: 50_000,
        }
    }
}
