//! The leases this engine holds, and keeping them alive.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::journal::{Journal, Lease};
use crate::run::RunId;

/// Leases in hand.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<HashMap<RunId, Holding>>);

#[derive(Debug)]
struct Holding {
    lease: Lease,
    lost: Arc<AtomicBool>,
}

/// A lease in a worker's hand, given up when dropped.
pub(super) struct Grip {
    held: Arc<Held>,
    run: RunId,
    lost: Arc<AtomicBool>,
}

impl Held {
    pub(super) fn take(self: &Arc<Self>, lease: Lease) -> Grip {
        let lost = Arc::new(AtomicBool::new(false));
        let run = lease.run.clone();
        self.map().insert(run.clone(), Holding { lease, lost: Arc::clone(&lost) });
        Grip { held: Arc::clone(self), run, lost }
    }

    /// Extends all leases. Those that passed to somebody else are marked, so that their workers stop
    /// before they do anything more.
    pub(super) async fn renew(&self, journal: &dyn Journal, now: DateTime<Utc>, ttl: Duration) {
        let leases: Vec<Lease> = self.map().values().map(|holding| holding.lease.clone()).collect();
        if leases.is_empty() {
            return;
        }
        match journal.renew(&leases, now, ttl).await {
            Ok(kept) => {
                let map = self.map();
                for lease in leases.iter().filter(|lease| !kept.contains(lease)) {
                    if let Some(holding) = map.get(&lease.run).filter(|holding| holding.lease == *lease) {
                        // A run that ends at this very moment is marked too, and nobody minds. The
                        // worker that does mind says so.
                        holding.lost.store(true, Ordering::Release);
                    }
                }
            }
            Err(error) => tracing::error!(%error, "leases cannot be renewed"),
        }
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, Holding>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Grip {
    /// The run has passed to another worker.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }
}

impl Drop for Grip {
    fn drop(&mut self) {
        self.held.map().remove(&self.run);
    }
}
