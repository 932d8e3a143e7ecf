//! The store: opening it, and the methods of [`Journal`].

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::event::{Cursor, CursorKey, DedupKey, Event, EventId, Source};
use crate::journal::encoding::{stamp, until};
use crate::journal::last_failure::LastFailure;
use crate::journal::paused::put_paused_to_sleep;
use crate::journal::queries::{
    claims, cursors, holds, links, receipts, recipes, runs, totals, values, writes,
};
use crate::journal::unreadable_runs::park_unreadable;
use crate::journal::{
    Access, Appended, Batch, Claim, Error, HeldConnection, Journal, Lease, LeasedRun, LimitState, LimitWrite,
    Link, Pruned, RecipeText, Record, Retention, RunDetail, RunFilter, RunRow, RunUpdate, Snapshot,
    StoreInfo, Totals, Unfinished, Written,
};
use crate::run::{RunId, StampedEntry, Unsettled};

use super::address::Target;
use super::append::Rows;
use super::batcher::Batcher;
use super::clock::{ClockQuery, QUERY, ServerClock};
use super::failure::Failure;
use super::lease::Tickets;
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
    tickets: Tickets,
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

    fn failed(&self, failure: Failure) -> Error {
        failure.into_error(&self.server.name)
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
        tickets: Tickets::default(),
        leased: AtomicU64::new(0),
        last_failure: LastFailure::default(),
    }))
}

#[async_trait]
impl Journal for Postgres {
    async fn append(&self, batch: Batch) -> Result<Appended, Error> {
        let rows = Rows::new(batch).map_err(|failure| self.failed(failure))?;
        let appended = self.appends.perform(rows).await;
        self.last_failure.record(&appended);
        appended
    }

    async fn lease(
        &self,
        owner: &str,
        limit: usize,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Vec<LeasedRun>, Error> {
        self.leased.store(self.server.listener.count(), Ordering::Release);
        let ends = self.server.clock.stamp(until(now, ttl));
        let granted = lease::grant(&self.server.pool, &self.tickets, owner, limit, stamp(now), ends).await;
        let loaded = granted.map_err(|failure| self.failed(failure))?;
        park_unreadable(self, loaded.unreadable, now).await?;
        put_paused_to_sleep(self, loaded.runs, now).await
    }

    async fn record(
        &self,
        lease: &Lease,
        entries: Vec<StampedEntry>,
        update: RunUpdate,
    ) -> Result<(), Error> {
        let texts = texts(&entries).map_err(|failure| self.failed(failure))?;
        let recorded = self.unconfirmed.record(&self.records, lease.clone(), texts, update).await;
        self.last_failure.record(&recorded);
        recorded
    }

    async fn wake(&self, recipe: &str) -> Result<u64, Error> {
        let woken = lease::wake(&self.server.pool, recipe).await;
        let count = woken.map_err(|failure| self.failed(failure))?;
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
        let texts = texts(&entries).map_err(|failure| self.failed(failure))?;
        amend::amend(&self.server, run, seen, texts, &update).await.map_err(|failure| self.failed(failure))
    }

    async fn renew(&self, leases: &[Lease], now: DateTime<Utc>, ttl: Duration) -> Result<Vec<Lease>, Error> {
        let renewed = lease::renew(&self.server.pool, leases, self.server.clock.stamp(until(now, ttl))).await;
        renewed.map_err(|failure| self.failed(failure))
    }

    async fn reclaim(&self, _owner: &str, now: DateTime<Utc>) -> Result<u64, Error> {
        let reclaimed = lease::reclaim(&self.server.pool, self.server.clock.stamp(stamp(now))).await;
        let count = reclaimed.map_err(|failure| self.failed(failure))?;
        if count > 0 {
            self.server.listener.notify();
        }
        Ok(count)
    }

    async fn last_wait(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
        lease::last_wait(&self.server.pool, stamp(now)).await.map_err(|failure| self.failed(failure))
    }

    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        lease::next_due(&self.server.pool).await.map_err(|failure| self.failed(failure))
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

    async fn release(&self, claim: &Claim) -> Result<(), Error> {
        claims::release(&self.server.pool, claim).await
    }

    async fn limits(&self, account: &str) -> Result<LimitState, Error> {
        limits::read(&self.server.pool, account).await.map_err(|failure| self.failed(failure))
    }

    async fn put_limits(&self, account: &str, seen: i64, text: &str) -> Result<LimitWrite, Error> {
        let written = limits::write(&self.server.pool, account, seen, text).await;
        written.map_err(|failure| self.failed(failure))
    }

    async fn cursor(&self, key: &CursorKey) -> Result<Option<Cursor>, Error> {
        cursors::cursor(&self.server.pool, key).await
    }

    async fn cursors(&self) -> Result<Vec<Cursor>, Error> {
        cursors::cursors(&self.server.pool).await
    }

    async fn seen(&self, key: &CursorKey, records: &[String]) -> Result<HashMap<String, String>, Error> {
        cursors::seen(&self.server.pool, key, records).await
    }

    async fn vanished(
        &self,
        key: &CursorKey,
        scan: u64,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        cursors::vanished(&self.server.pool, key, scan, after, limit).await
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, Error> {
        runs::list(&self.server.pool, filter).await
    }

    async fn runs_by_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<RunRow>, Error> {
        runs::by_prefix(&self.server.pool, prefix, limit).await
    }

    async fn run(&self, id: &RunId) -> Result<Option<RunDetail>, Error> {
        runs::detail(&self.server.pool, id).await
    }

    async fn written(
        &self,
        record: &str,
        connection: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Written>, Error> {
        writes::by_record(&self.server.pool, record, connection, limit).await
    }

    async fn unsettled(&self) -> Result<Vec<(RunId, Unsettled)>, Error> {
        runs::unsettled(&self.server.pool).await
    }

    async fn event(&self, id: &EventId) -> Result<Option<Event>, Error> {
        runs::event(&self.server.pool, id).await
    }

    async fn totals(&self, since: Option<DateTime<Utc>>) -> Result<Totals, Error> {
        totals::totals(&self.server.pool, since).await
    }

    async fn unfinished(&self) -> Result<Vec<Unfinished>, Error> {
        runs::unfinished(&self.server.pool).await
    }

    async fn save_recipe(&self, recipe: &RecipeText) -> Result<(), Error> {
        recipes::save(&self.server.pool, recipe).await
    }

    async fn recipe(&self, name: &str, version: &str) -> Result<Option<RecipeText>, Error> {
        recipes::find(&self.server.pool, name, version).await
    }

    async fn save_link(&self, link: &Link) -> Result<(), Error> {
        links::save(&self.server.pool, link).await
    }

    async fn find_link(
        &self,
        name: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Option<Link>, Error> {
        links::find(&self.server.pool, name, from, to).await
    }

    async fn delete_link(&self, name: &str, from: &str) -> Result<bool, Error> {
        links::delete(&self.server.pool, name, from).await
    }

    async fn links_by_record(&self, record: &str) -> Result<Vec<Link>, Error> {
        links::by_record(&self.server.pool, record).await
    }

    async fn state(&self, key: &str) -> Result<Option<Value>, Error> {
        values::state(&self.server.pool, key).await
    }

    async fn states(&self, prefix: &str) -> Result<Vec<(String, Value)>, Error> {
        values::states(&self.server.pool, prefix).await
    }

    async fn forget_receipt(
        &self,
        source: &Source,
        dedup: &DedupKey,
        before: DateTime<Utc>,
    ) -> Result<(), Error> {
        receipts::forget(&self.server.pool, source, dedup, before).await
    }

    async fn put_state(&self, key: &str, value: &Value) -> Result<(), Error> {
        values::put_state(&self.server.pool, key, value).await
    }

    async fn marker(&self, name: &str) -> Result<Option<Value>, Error> {
        values::marker(&self.server.pool, name).await
    }

    async fn set_marker(&self, name: &str, value: Option<&Value>) -> Result<(), Error> {
        values::set_marker(&self.server.pool, name, value).await
    }

    async fn hold(&self, held: &HeldConnection) -> Result<(), Error> {
        holds::hold(&self.server.pool, held).await
    }

    async fn release_hold(&self, connection: &str) -> Result<bool, Error> {
        hold::release(&self.server, connection).await.map_err(|failure| self.failed(failure))
    }

    async fn held_connections(&self) -> Result<Vec<HeldConnection>, Error> {
        holds::all(&self.server.pool).await
    }

    async fn prune(&self, retention: &Retention, limit: usize) -> Result<Pruned, Error> {
        maintenance::prune(&self.server, retention, limit).await.map_err(|failure| self.failed(failure))
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        let snapshot = ReadSnapshot::begin(&self.server).await.map_err(|failure| self.failed(failure))?;
        Ok(Box::new(snapshot))
    }

    async fn import(&self, records: Vec<Record>) -> Result<(), Error> {
        import::import(&self.server, &records).await
    }

    async fn fingerprint(&self) -> Result<String, Error> {
        self.snapshot().await?.fingerprint().await
    }

    async fn other_runners(&self) -> Result<u64, Error> {
        let others = runner_lock::count_others(&self.server.pool, &self.server.schema).await;
        others.map_err(|failure| self.failed(failure))
    }

    async fn info(&self) -> Result<StoreInfo, Error> {
        totals::info(&self.server.pool, schema::newest()).await
    }

    async fn healthy(&self) -> Result<(), Error> {
        maintenance::probe(&self.server).await.map_err(|failure| self.failed(failure))
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
