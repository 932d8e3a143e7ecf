//! How a stand-in is set up.

use indexmap::IndexMap;

use super::budget::Budget;
use crate::clock::Clock;

/// How a stand-in is set up. The default is what `--sandbox` uses.
#[derive(Debug, Clone)]
pub struct Options {
    /// Seed of ids and generated records.
    pub seed: u64,
    /// The clock. Seeded records do not depend on it.
    pub clock: Clock,
    /// Number of records of a scaling collection; absent: as in its script. They are generated when read, so a very
    /// large number costs little.
    pub records: Option<usize>,
    /// Request limits of every connector.
    pub budget: Budget,
    /// Scripts by connector that override the built-in ones.
    pub scripts: IndexMap<String, String>,
    /// Number of requests kept in the log.
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
