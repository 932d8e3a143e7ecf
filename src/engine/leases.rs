//! The leases that this engine holds, and their renewal.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::journal::{Error, Journal, Lease};
use crate::request::SendGuard;
use crate::run::RunId;

/// How long before its end a lease counts as expired.
const MARGIN: Duration = Duration::from_secs(2);

/// Leases that this engine holds.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<HashMap<RunId, HeldLease>>);

#[derive(Debug)]
struct HeldLease {
    lease: Lease,
    term: LeaseTerm,
    lost: Arc<AtomicBool>,
}

/// When a lease was requested, by two clocks: the monotonic one may stop while the machine sleeps, the wall clock may
/// be set.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeaseTerm {
    begun: Instant,
    at: DateTime<Utc>,
}

/// Decides when expired leases of others may be reclaimed.
#[derive(Debug)]
pub(super) struct LeaseRecovery {
    ttl: Duration,
    not_before: Instant,
}

/// A worker's lease, given up on drop.
pub(super) struct LeaseGuard {
    held: Arc<Leases>,
    lease: Lease,
    lost: Arc<AtomicBool>,
}

impl LeaseTerm {
    /// The term of a lease requested now.
    pub(super) fn begin(now: DateTime<Utc>) -> Self {
        Self { begun: Instant::now(), at: now }
    }

    /// A little early, because the clocks of other processes may differ.
    fn is_over(&self, now: DateTime<Utc>, ttl: Duration) -> bool {
        let passed = (now - self.at).to_std().unwrap_or_default();
        passed.max(self.begun.elapsed()) >= ttl - MARGIN.min(ttl / 10)
    }
}

impl LeaseRecovery {
    pub(super) fn new(ttl: Duration, now: Instant) -> Self {
        Self { ttl, not_before: now }
    }

    /// The store was unreachable at `now`. Others could not renew their leases either, and get time to do so once it
    /// is back.
    pub(super) fn failed(&mut self, now: Instant) {
        self.not_before = now + self.ttl;
    }

    pub(super) fn may(&self, now: Instant) -> bool {
        now >= self.not_before
    }
}

impl Leases {
    pub(super) fn take(self: &Arc<Self>, lease: Lease, term: LeaseTerm) -> LeaseGuard {
        let lost = Arc::new(AtomicBool::new(false));
        let holding = HeldLease { lease: lease.clone(), term, lost: Arc::clone(&lost) };
        self.map().insert(lease.run.clone(), holding);
        LeaseGuard { held: Arc::clone(self), lease, lost }
    }

    /// Renews all leases. Lost ones are marked, so that their workers stop before their next action. False if the
    /// store is unreachable.
    pub(super) async fn renew(&self, journal: &dyn Journal, now: DateTime<Utc>, ttl: Duration) -> bool {
        let leases: Vec<Lease> = self.map().values().map(|holding| holding.lease.clone()).collect();
        if leases.is_empty() {
            return true;
        }
        let renewed = self.extend(&leases, journal, now, ttl).await;
        renewed.inspect_err(|error| tracing::error!(%error, "leases cannot be renewed")).is_ok()
    }

    async fn extend(
        &self,
        leases: &[Lease],
        journal: &dyn Journal,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Vec<Lease>, Error> {
        let term = LeaseTerm::begin(now);
        let kept = journal.renew(leases, now, ttl).await?;
        let mut map = self.map();
        for lease in leases {
            let Some(holding) = map.get_mut(&lease.run).filter(|holding| holding.lease == *lease) else {
                continue;
            };
            if kept.contains(lease) {
                holding.term = term;
            } else {
                // A run that ends at this moment is marked, too, which is harmless.
                holding.lost.store(true, Ordering::Release);
            }
        }
        drop(map);
        Ok(kept)
    }

    fn is_over(&self, lease: &Lease, now: DateTime<Utc>, ttl: Duration) -> bool {
        let map = self.map();
        let holding = map.get(&lease.run).filter(|holding| holding.lease == *lease);
        holding.is_none_or(|holding| holding.term.is_over(now, ttl))
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, HeldLease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LeaseGuard {
    /// Whether another worker has leased the run.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// A guard that allows requests while the lease is certainly valid.
    pub(super) fn send_guard(&self, clock: &Clock, ttl: Duration) -> SendGuard {
        let (held, lease, lost) = (Arc::clone(&self.held), self.lease.clone(), Arc::clone(&self.lost));
        let clock = clock.clone();
        SendGuard::new(move || !lost.load(Ordering::Acquire) && !held.is_over(&lease, clock.now(), ttl))
    }

    /// Whether the lease is still valid; asks the store if it may have expired. After a stall, a worker must not
    /// continue with a run that another one has advanced.
    pub(super) async fn holds(
        &self,
        journal: &dyn Journal,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<bool, Error> {
        if !self.held.is_over(&self.lease, now, ttl) {
            return Ok(!self.is_lost());
        }
        let kept = self.held.extend(std::slice::from_ref(&self.lease), journal, now, ttl).await?;
        Ok(kept.contains(&self.lease))
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        let mut map = self.held.map();
        // Another worker of this engine may have the run by now.
        if map.get(&self.lease.run).is_some_and(|holding| holding.lease == self.lease) {
            map.remove(&self.lease.run);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_have_time_to_renew_after_the_store_was_away() {
        let (ttl, start) = (Duration::from_secs(60), Instant::now());
        let mut reclaiming = LeaseRecovery::new(ttl, start);
        assert!(reclaiming.may(start));
        reclaiming.failed(start + ttl);
        assert!(!reclaiming.may(start + ttl * 2 - Duration::from_millis(1)));
        assert!(reclaiming.may(start + ttl * 2));
    }

    #[test]
    fn a_lease_is_over_before_others_may_think_so() {
        let now = DateTime::from_timestamp(1000, 0).unwrap();
        let (term, ttl) = (LeaseTerm::begin(now), Duration::from_secs(60));
        assert!(!term.is_over(now + chrono::TimeDelta::seconds(57), ttl));
        assert!(term.is_over(now + chrono::TimeDelta::seconds(58), ttl));
    }
}
