//! The store: opening it, and the methods of [`Journal`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::journal::encoding::{stamp, until};
use crate::journal::last_failure::LastFailure;
use crate::journal::paused::put_paused_to_sleep;
use crate::journal::queries::{claims, totals};
use crate::journal::shared_queries::QueriedStore;
use crate::journal::unreadable_runs::park_unreadable;
use crate::journal::{
    Access, Appended, Batch, Claim, Error, Journal, Lease, LeasedRun, LimitState, LimitWrite, Pruned, Record,
    Retention, RunUpdate, Slots, Snapshot, StoreInfo,
};
use crate::run::{RunId, StampedEntry};

use super::address::Target;
use super::append::Rows;
use super::batcher::Batcher;
use super::clock::{ClockQuery, QUERY, ServerClock};
use super::failure::Failure;
use super::lease::LeaseState;
use super::listener::Listener;
use super::pool::Pool;
use super::retry::RetryBackoff;
use super::row::texts;
use super::run_update::{Outcome, UnconfirmedWrites};
use super::server::Server;
use super::session::Session;
use super::snapshot::ReadSnapshot;
use super::{amend, append, hold, import, lease, limits, maintenance, run_update, runner_lock, schema};

/// Append groups in progress at a time: one, to keep the order of arrival.
const APPENDERS: usize = 1;
/// Other groups in progress at a time: one is built while another is synced.
const RECORDERS: usize = 2;

/// A journal in a PostgreSQL database.
pub struct Postgres {
    server: Arc<Server>,
    appends: Batcher<Rows>,
    records: Batcher<Outcome>,
    unconfirmed: UnconfirmedWrites,
    lease_state: LeaseState,
    /// The notification count when runs were last leased.
    leased: AtomicU64,
    last_failure: LastFailure,
}

impl Postgres {
    /// Opens the store at an address such as `postgres://user:password@host/database`, and creates its tables if they
    /// are missing. Errors: [`Error::Newer`], [`Error::Corrupt`] and [`Error::Unavailable`]; none contains the
    /// password.
    pub async fn open(url: &str, access: Access) -> Result<Self, Error> {
        let opened = connect(url, access, true).await?;
        opened.ok_or_else(|| Failure::Closed.into_error("postgres://…"))
    }

    /// Opens the store if its tables exist; never creates them.
    pub async fn open_existing(url: &str, access: Access) -> Result<Option<Self>, Error> {
        connect(url, access, false).await
    }

    /// An error of this store.
    fn of_store<T>(&self, result: Result<T, Failure>) -> Result<T, Error> {
        result.map_err(|failure| failure.into_error(&self.server.name))
    }
}

async fn connect(url: &str, access: Access, create: bool) -> Result<Option<Postgres>, Error> {
    let target = Arc::new(Target::read(url)?);
    let into_error = |failure: Failure| failure.into_error(&target.name);
    let tls = target.trust.connector().map_err(into_error)?;
    let mut backoff = RetryBackoff::new();
    let session = loop {
        match Session::open(&target, &tls).await {
            Ok(session) => break session,
            // If hob and the server start at the same time, hob waits for the server.
            Err(failure) if failure.is_starting() => {
                backoff.pause_before_retry(failure).await.map_err(into_error)?
            }
            Err(failure) => return Err(into_error(failure)),
        }
    };
    if !schema::prepare(&session, &target, access, create).await? {
        return Ok(None);
    }
    let clock = Arc::new(ServerClock::default());
    let asked = ClockQuery::now();
    let time = session.query(QUERY, &[]).await.map_err(into_error)?;
    clock.set_from(&asked, &time).map_err(into_error)?;
    let server = Arc::new(Server {
        name: Arc::clone(&target.name),
        schema: target.schema.clone(),
        listener: Listener::start(Arc::clone(&target), tls.clone(), access, Arc::clone(&clock))
            .await
            .map_err(into_error)?,
        clock,
        pool: Pool::new(target, tls, session),
    });
    Ok(Some(Postgres {
        appends: Batcher::start(Arc::clone(&server), APPENDERS, append::MAX_GROUP),
        records: Batcher::start(Arc::clone(&server), RECORDERS, run_update::MAX_GROUP),
        server,
        unconfirmed: UnconfirmedWrites::default(),
        lease_state: LeaseState::default(),
        leased: AtomicU64::new(0),
        last_failure: LastFailure::default(),
    }))
}

impl QueriedStore for Postgres {
    type Database = Pool;

    fn database(&self) -> &Pool {
        &self.server.pool
    }
}

#[async_trait]
impl Journal for Postgres {
    async fn append(&self, batch: Batch) -> Result<Appended, Error> {
        let rows = self.of_store(Rows::new(batch))?;
        let appended = self.appends.perform(rows).await;
        self.last_failure.record(&appended);
        appended
    }

    async fn lease(
        &self,
        owner: &str,
        slots: Slots,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Vec<LeasedRun>, Error> {
        self.leased.store(self.server.listener.count(), Ordering::Release);
        let ends = self.server.clock.stamp(until(now, ttl));
        let loaded = self.of_store(
            lease::grant(&self.server.pool, &self.lease_state, owner, slots, stamp(now), ends).await,
        )?;
        park_unreadable(self, loaded.unreadable, now).await?;
        put_paused_to_sleep(self, loaded.runs, now).await
    }

    async fn record(
        &self,
        lease: &Lease,
        entries: Vec<StampedEntry>,
        update: RunUpdate,
    ) -> Result<(), Error> {
        let texts = self.of_store(texts(&entries))?;
        let recorded = self.unconfirmed.record(&self.records, lease.clone(), texts, update).await;
        self.last_failure.record(&recorded);
        recorded
    }

    async fn wake(&self, recipe: &str) -> Result<u64, Error> {
        let count = self.of_store(lease::wake(&self.server.pool, recipe).await)?;
        if count > 0 {
            self.server.listener.notify();
        }
        Ok(count)
    }

    async fn amend(
        &self,
        run: &RunId,
        seen: usize,
        entries: Vec<StampedEntry>,
        update: RunUpdate,
    ) -> Result<bool, Error> {
        let texts = self.of_store(texts(&entries))?;
        self.of_store(amend::amend(&self.server, run, seen, texts, &update).await)
    }

    async fn renew(&self, leases: &[Lease], now: DateTime<Utc>, ttl: Duration) -> Result<Vec<Lease>, Error> {
        self.of_store(lease::renew(&self.server.pool, leases, self.server.clock.stamp(until(now, ttl))).await)
    }

    async fn reclaim(&self, _owner: &str, now: DateTime<Utc>) -> Result<u64, Error> {
        let count =
            self.of_store(lease::reclaim(&self.server.pool, self.server.clock.stamp(stamp(now))).await)?;
        if count > 0 {
            self.server.listener.notify();
        }
        Ok(count)
    }

    async fn last_wait(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
        self.of_store(lease::last_wait(&self.server.pool, stamp(now)).await)
    }

    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.of_store(lease::next_due(&self.server.pool).await)
    }

    async fn changed(&self, at_most: Duration) {
        let leased = self.leased.load(Ordering::Acquire);
        tokio::select! {
            () = self.server.listener.notifications(leased) => {}
            () = tokio::time::sleep(at_most) => {}
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn claim(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Option<Claim>, Error> {
        let clock = &self.server.clock;
        let (at, ends) = (clock.stamp(stamp(now)), clock.stamp(until(now, ttl)));
        claims::take(&self.server.pool, name, owner, false, at, ends).await
    }

    async fn limits(&self, account: &str) -> Result<LimitState, Error> {
        self.of_store(limits::read(&self.server.pool, account).await)
    }

    async fn put_limits(&self, account: &str, seen: i64, text: &str) -> Result<LimitWrite, Error> {
        self.of_store(limits::write(&self.server.pool, account, seen, text).await)
    }

    async fn release_hold(&self, connection: &str) -> Result<bool, Error> {
        self.of_store(hold::release(&self.server, connection).await)
    }

    async fn prune(&self, retention: &Retention, limit: usize) -> Result<Pruned, Error> {
        self.of_store(maintenance::prune(&self.server, retention, limit).await)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        Ok(Box::new(self.of_store(ReadSnapshot::begin(&self.server).await)?))
    }

    async fn import(&self, records: Vec<Record>) -> Result<(), Error> {
        import::import(&self.server, &records).await
    }

    async fn other_runners(&self) -> Result<u64, Error> {
        self.of_store(runner_lock::count_others(&self.server.pool, &self.server.schema).await)
    }

    async fn info(&self) -> Result<StoreInfo, Error> {
        totals::info(&self.server.pool, schema::newest()).await
    }

    async fn healthy(&self) -> Result<(), Error> {
        self.of_store(maintenance::probe(&self.server).await)
    }

    fn last_failure(&self) -> Option<Error> {
        self.last_failure.get()
    }

    async fn close(&self) {
        self.appends.close().await;
        self.records.close().await;
        self.server.listener.close();
        self.server.pool.close();
    }
}
