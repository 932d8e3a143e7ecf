//! Fills the index of identifying values in the background.

use std::time::Duration;

use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::journal::{Error, Journal};
use crate::overview::Identifiers;

/// Events and writes at a time, few enough not to delay other writes.
const BATCH: usize = 500;
/// Batches before it looks whether it is still the one that does it.
const BATCHES: usize = 1000;
/// Batches at the end of `--once`; the rest is left to the next run.
const BATCHES_ONCE: usize = 20;
/// Pause between two batches.
const BREATH: Duration = Duration::from_millis(50);
/// How often it looks for more.
const EVERY: Duration = Duration::from_secs(5);
/// The name of the claim: one process fills the index.
const CLAIM: &str = "identifiers";
/// How long the claim holds.
const TTL: Duration = Duration::from_secs(60);

/// Fills the index.
pub(super) struct Indexing<'a> {
    identifiers: Identifiers,
    /// This process.
    owner: &'a str,
}

impl<'a> Indexing<'a> {
    /// Indexing of what identifies records of `catalog`, by the process `owner`.
    pub(super) fn of(catalog: &Catalog, owner: &'a str) -> Self {
        Self { identifiers: Identifiers::of(catalog), owner }
    }

    /// Indexes whatever comes. Never returns.
    pub(super) async fn regularly(&self, journal: &dyn Journal, clock: &Clock) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.up_to(BATCHES, journal, clock).await;
        }
    }

    /// Indexes a limited amount.
    pub(super) async fn some(&self, journal: &dyn Journal, clock: &Clock) {
        self.up_to(BATCHES_ONCE, journal, clock).await;
    }

    async fn up_to(&self, batches: usize, journal: &dyn Journal, clock: &Clock) {
        for _ in 0..batches {
            match self.batch(journal, clock).await {
                Ok(true) => tokio::time::sleep(BREATH).await,
                Ok(false) => return,
                Err(error) => {
                    tracing::debug!(%error, "the index for `hob find` could not be filled; it will be tried again");
                    return;
                }
            }
        }
    }

    /// Whether there was something to index, for this process.
    async fn batch(&self, journal: &dyn Journal, clock: &Clock) -> Result<bool, Error> {
        if journal.is_shared() && journal.claim(CLAIM, self.owner, clock.now(), TTL).await?.is_none() {
            return Ok(false);
        }
        self.identifiers.index_some(journal, BATCH).await
    }
}
