//! A journal in which one write fails, stalls or crashes hob.

use std::collections::HashMap;
use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use hob::event::{Cursor, CursorKey, DedupKey, Event, EventId, Source};
use hob::journal::{
    ActFilter, Activity, Appended, BaseWrite, Batch, Claim, EndedAlike, EndedIn, Error, HeldConnection,
    IdentifierKey, IndexEntries, Journal, Lease, LeasedRun, LimitState, LimitWrite, Link, LinkBase,
    LinkWrite, OperatorAct, OperatorSession, Pruned, Queries, Queue, RecipeText, Record, Retention,
    RunDetail, RunFilter, RunNeighbours, RunPlace, RunRow, RunUpdate, SeenCount, Slots, StoreInfo,
    StoredAlert, Totals, Unfinished, Unindexed, Written,
};
use hob::run::{Accounts, RunId, StampedEntry, Unsettled};
use serde_json::Value;
use tokio::sync::watch;

/// What happens at a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteFault {
    /// hob crashes before the write is stored.
    CrashBefore,
    /// The write is stored, and hob crashes before it knows.
    CrashAfter,
    /// The write fails, and so do the next few.
    FailBefore,
    /// The write is stored, and hob is told that it failed: the connection was lost in between.
    FailAfter,
    /// hob stalls before the write is stored, until it is resumed.
    StallBefore,
    /// The write is stored, and hob stalls before it knows.
    StallAfter,
}

/// Number of consecutive writes that fail.
const FAILURES: usize = 2;

/// A journal with a fault at its `nth` write, counted from 1. After a crash no call returns.
pub struct FaultyJournal {
    inner: Arc<dyn Journal>,
    fault: Option<(usize, WriteFault)>,
    writes: AtomicUsize,
    /// How many of them were those of background tasks.
    background_writes: AtomicUsize,
    crashed: watch::Sender<bool>,
    stalled: watch::Sender<bool>,
    resumed: watch::Sender<bool>,
}

impl FaultyJournal {
    pub fn new(inner: Arc<dyn Journal>, fault: Option<(usize, WriteFault)>) -> Self {
        Self {
            inner,
            fault,
            writes: AtomicUsize::new(0),
            background_writes: AtomicUsize::new(0),
            crashed: watch::Sender::new(false),
            stalled: watch::Sender::new(false),
            resumed: watch::Sender::new(false),
        }
    }

    /// Number of writes so far.
    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    /// Number of writes so far that can stall.
    pub fn writes_that_stall(&self) -> usize {
        self.writes() - self.background_writes.load(Ordering::SeqCst)
    }

    /// hob crashes now: no call returns any more.
    pub fn crash(&self) {
        self.crashed.send_replace(true);
    }

    /// Resolves when hob has crashed.
    pub async fn crashed(&self) {
        is_true(&self.crashed).await;
    }

    /// Resolves when hob stalls.
    pub async fn stalled(&self) {
        is_true(&self.stalled).await;
    }

    /// Ends the stall.
    pub fn resume(&self) {
        self.resumed.send_replace(true);
    }

    async fn stall(&self) {
        self.stalled.send_replace(true);
        is_true(&self.resumed).await;
    }

    async fn alive(&self) {
        if *self.crashed.borrow() {
            pending::<()>().await;
        }
    }

    async fn ended<T>(&self) -> T {
        self.crash();
        pending().await
    }

    /// A write that never stalls, because hob would go on: one of the background tasks, or one that hob waits for only so
    /// long. The workers' requests would then arrive after another instance's. A process that stands still does so as a
    /// whole.
    async fn background_write<T>(&self, act: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match self.fault {
            Some((_, WriteFault::StallBefore | WriteFault::StallAfter)) => act.await,
            _ => {
                self.background_writes.fetch_add(1, Ordering::SeqCst);
                self.write(act).await
            }
        }
    }

    async fn write<T>(&self, act: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.alive().await;
        let number = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        let unavailable =
            || Error::Unavailable { store: "faulty".to_owned(), reason: "is unavailable".to_owned() };
        match self.fault {
            Some((nth, WriteFault::CrashBefore)) if number == nth => self.ended().await,
            Some((nth, WriteFault::CrashAfter)) if number == nth => {
                act.await?;
                self.ended().await
            }
            Some((nth, WriteFault::FailBefore)) if (nth..nth + FAILURES).contains(&number) => {
                Err(unavailable())
            }
            Some((nth, WriteFault::FailAfter)) if number == nth => {
                act.await?;
                Err(unavailable())
            }
            Some((nth, WriteFault::StallBefore)) if number == nth => {
                self.stall().await;
                act.await
            }
            Some((nth, WriteFault::StallAfter)) if number == nth => {
                let done = act.await;
                self.stall().await;
                done
            }
            _ => act.await,
        }
    }
}

async fn is_true(flag: &watch::Sender<bool>) {
    // Cannot fail: the sender is alive.
    let _ = flag.subscribe().wait_for(|flag| *flag).await;
}

#[async_trait]
impl Journal for FaultyJournal {
    fn last_failure(&self) -> Option<Error> {
        self.inner.last_failure()
    }

    async fn append(&self, batch: Batch) -> Result<Appended, Error> {
        self.write(self.inner.append(batch)).await
    }

    async fn lease(
        &self,
        owner: &str,
        slots: Slots,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Vec<LeasedRun>, Error> {
        self.write(self.inner.lease(owner, slots, now, ttl)).await
    }

    async fn record(
        &self,
        lease: &Lease,
        entries: Vec<StampedEntry>,
        update: RunUpdate,
    ) -> Result<(), Error> {
        self.write(self.inner.record(lease, entries, update)).await
    }

    async fn wake(&self, recipe: &str) -> Result<u64, Error> {
        self.write(self.inner.wake(recipe)).await
    }

    async fn amend(
        &self,
        run: &RunId,
        seen: usize,
        entries: Vec<StampedEntry>,
        update: RunUpdate,
    ) -> Result<bool, Error> {
        self.write(self.inner.amend(run, seen, entries, update)).await
    }

    async fn renew(&self, leases: &[Lease], now: DateTime<Utc>, ttl: Duration) -> Result<Vec<Lease>, Error> {
        self.background_write(self.inner.renew(leases, now, ttl)).await
    }

    async fn reclaim(&self, owner: &str, now: DateTime<Utc>) -> Result<u64, Error> {
        self.background_write(self.inner.reclaim(owner, now)).await
    }

    async fn last_wait(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
        self.alive().await;
        self.inner.last_wait(now).await
    }

    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.alive().await;
        self.inner.next_due().await
    }

    async fn changed(&self, at_most: Duration) {
        self.alive().await;
        self.inner.changed(at_most).await;
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    async fn claim(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Option<Claim>, Error> {
        self.write(self.inner.claim(name, owner, now, ttl)).await
    }

    async fn release_hold(&self, connection: &str) -> Result<bool, Error> {
        self.write(self.inner.release_hold(connection)).await
    }

    async fn prune(&self, retention: &Retention, limit: usize) -> Result<Pruned, Error> {
        self.write(self.inner.prune(retention, limit)).await
    }

    async fn snapshot(&self) -> Result<Box<dyn hob::journal::Snapshot>, Error> {
        self.inner.snapshot().await
    }

    async fn fingerprint(&self) -> Result<String, Error> {
        self.alive().await;
        self.inner.fingerprint().await
    }

    async fn import(&self, records: Vec<Record>) -> Result<(), Error> {
        self.write(self.inner.import(records)).await
    }

    async fn info(&self) -> Result<StoreInfo, Error> {
        self.alive().await;
        self.inner.info().await
    }

    async fn healthy(&self) -> Result<(), Error> {
        self.write(self.inner.healthy()).await
    }

    async fn limits(&self, account: &str) -> Result<LimitState, Error> {
        self.alive().await;
        self.inner.limits(account).await
    }

    async fn put_limits(&self, account: &str, seen: i64, text: &str) -> Result<LimitWrite, Error> {
        self.alive().await;
        self.inner.put_limits(account, seen, text).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[async_trait]
impl Queries for FaultyJournal {
    async fn forget_receipt(
        &self,
        source: &Source,
        dedup: &DedupKey,
        before: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.write(self.inner.forget_receipt(source, dedup, before)).await
    }

    async fn release(&self, claim: &Claim) -> Result<(), Error> {
        self.background_write(self.inner.release(claim)).await
    }

    async fn cursor(&self, key: &CursorKey) -> Result<Option<Cursor>, Error> {
        self.alive().await;
        self.inner.cursor(key).await
    }

    async fn cursors(&self) -> Result<Vec<Cursor>, Error> {
        self.alive().await;
        self.inner.cursors().await
    }

    async fn runs_about(
        &self,
        recipe: &str,
        accounts: &Accounts,
        records: &[String],
    ) -> Result<Vec<RunRow>, Error> {
        self.alive().await;
        self.inner.runs_about(recipe, accounts, records).await
    }

    async fn histories(
        &self,
        filter: &RunFilter,
        after: Option<RunPlace>,
    ) -> Result<Vec<(RunPlace, RunDetail)>, Error> {
        self.alive().await;
        self.inner.histories(filter, after).await
    }

    async fn first_run(&self, recipe: &str) -> Result<Option<DateTime<Utc>>, Error> {
        self.alive().await;
        self.inner.first_run(recipe).await
    }

    async fn seen(&self, key: &CursorKey, records: &[String]) -> Result<HashMap<String, String>, Error> {
        self.alive().await;
        self.inner.seen(key, records).await
    }

    async fn vanished(
        &self,
        key: &CursorKey,
        scan: u64,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        self.alive().await;
        self.inner.vanished(key, scan, after, limit).await
    }

    async fn count_seen(&self, key: &CursorKey, before: u64) -> Result<SeenCount, Error> {
        self.alive().await;
        self.inner.count_seen(key, before).await
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, Error> {
        self.alive().await;
        self.inner.runs(filter).await
    }

    async fn runs_by_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<RunRow>, Error> {
        self.alive().await;
        self.inner.runs_by_prefix(prefix, limit).await
    }

    async fn lane_head(&self, recipe: &str, lane: &str) -> Result<Option<RunRow>, Error> {
        self.alive().await;
        self.inner.lane_head(recipe, lane).await
    }

    async fn run_neighbours(&self, ids: &[RunId]) -> Result<Vec<RunNeighbours>, Error> {
        self.alive().await;
        self.inner.run_neighbours(ids).await
    }

    async fn ended_alike(&self, which: &EndedIn) -> Result<Vec<EndedAlike>, Error> {
        self.alive().await;
        self.inner.ended_alike(which).await
    }

    async fn activity(&self, since: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Activity>, Error> {
        self.alive().await;
        self.inner.activity(since, until).await
    }

    async fn run(&self, id: &RunId) -> Result<Option<RunDetail>, Error> {
        self.alive().await;
        self.inner.run(id).await
    }

    async fn written_records(
        &self,
        recipe: &str,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Error> {
        self.alive().await;
        self.inner.written_records(recipe, since, limit).await
    }

    async fn unsettled(&self) -> Result<Vec<(RunId, Unsettled)>, Error> {
        self.alive().await;
        self.inner.unsettled().await
    }

    async fn event(&self, id: &EventId) -> Result<Option<Event>, Error> {
        self.alive().await;
        self.inner.event(id).await
    }

    async fn unindexed(&self, limit: usize) -> Result<Unindexed, Error> {
        self.alive().await;
        self.inner.unindexed(limit).await
    }

    async fn index(&self, entries: &IndexEntries) -> Result<(), Error> {
        self.write(self.inner.index(entries)).await
    }

    async fn identified(&self, key: &IdentifierKey, limit: usize) -> Result<Vec<Event>, Error> {
        self.alive().await;
        self.inner.identified(key, limit).await
    }

    async fn runs_of(&self, events: &[EventId]) -> Result<Vec<RunRow>, Error> {
        self.alive().await;
        self.inner.runs_of(events).await
    }

    async fn events_of(&self, runs: &[RunId]) -> Result<Vec<(RunRow, Event)>, Error> {
        self.alive().await;
        self.inner.events_of(runs).await
    }

    async fn writes_of(&self, runs: &[RunId]) -> Result<Vec<Written>, Error> {
        self.alive().await;
        self.inner.writes_of(runs).await
    }

    async fn totals(&self, since: Option<DateTime<Utc>>) -> Result<Totals, Error> {
        self.alive().await;
        self.inner.totals(since).await
    }

    async fn written(
        &self,
        record: &str,
        connection: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Written>, Error> {
        self.alive().await;
        self.inner.written(record, connection, limit).await
    }

    async fn unfinished(&self, most: Option<usize>) -> Result<Vec<Unfinished>, Error> {
        self.alive().await;
        self.inner.unfinished(most).await
    }

    async fn save_recipe(&self, recipe: &RecipeText) -> Result<(), Error> {
        self.write(self.inner.save_recipe(recipe)).await
    }

    async fn recipe(&self, name: &str, version: &str) -> Result<Option<RecipeText>, Error> {
        self.alive().await;
        self.inner.recipe(name, version).await
    }

    async fn recipe_versions(&self, name: &str, limit: usize) -> Result<Vec<RecipeText>, Error> {
        self.alive().await;
        self.inner.recipe_versions(name, limit).await
    }

    async fn save_link(&self, link: &Link) -> Result<LinkWrite, Error> {
        self.write(self.inner.save_link(link)).await
    }

    async fn replace_links(&self, link: &Link) -> Result<Vec<Link>, Error> {
        self.write(self.inner.replace_links(link)).await
    }

    async fn find_link(
        &self,
        name: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Option<Link>, Error> {
        self.alive().await;
        self.inner.find_link(name, from, to).await
    }

    async fn delete_link(&self, name: &str, from: Option<&str>, to: Option<&str>) -> Result<bool, Error> {
        self.write(self.inner.delete_link(name, from, to)).await
    }

    async fn link_base(
        &self,
        name: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Option<LinkBase>, Error> {
        self.alive().await;
        self.inner.link_base(name, from, to).await
    }

    async fn put_link_base(&self, link: &Link, base: &LinkBase) -> Result<BaseWrite, Error> {
        self.write(self.inner.put_link_base(link, base)).await
    }

    async fn links_by_record(&self, record: &str) -> Result<Vec<Link>, Error> {
        self.alive().await;
        self.inner.links_by_record(record).await
    }

    async fn state(&self, key: &str) -> Result<Option<Value>, Error> {
        self.alive().await;
        self.inner.state(key).await
    }

    async fn states(&self, prefix: &str) -> Result<Vec<(String, Value)>, Error> {
        self.inner.states(prefix).await
    }

    async fn put_state(&self, key: &str, value: &Value) -> Result<(), Error> {
        self.write(self.inner.put_state(key, value)).await
    }

    async fn marker(&self, name: &str) -> Result<Option<Value>, Error> {
        self.alive().await;
        self.inner.marker(name).await
    }

    async fn set_marker(&self, name: &str, value: Option<&Value>) -> Result<(), Error> {
        self.write(self.inner.set_marker(name, value)).await
    }

    async fn hold(&self, held: &HeldConnection) -> Result<(), Error> {
        self.write(self.inner.hold(held)).await
    }

    async fn held_connections(&self) -> Result<Vec<HeldConnection>, Error> {
        self.alive().await;
        self.inner.held_connections().await
    }

    async fn save_act(&self, act: &OperatorAct) -> Result<(), Error> {
        self.write(self.inner.save_act(act)).await
    }

    async fn acts(&self, filter: &ActFilter) -> Result<Vec<OperatorAct>, Error> {
        self.alive().await;
        self.inner.acts(filter).await
    }

    async fn forget_acts(&self, before: DateTime<Utc>) -> Result<(), Error> {
        self.write(self.inner.forget_acts(before)).await
    }

    async fn save_session(&self, session: &OperatorSession) -> Result<(), Error> {
        self.write(self.inner.save_session(session)).await
    }

    async fn session(&self, id: &[u8; 32]) -> Result<Option<OperatorSession>, Error> {
        self.alive().await;
        self.inner.session(id).await
    }

    async fn touch_session(&self, id: &[u8; 32], used: DateTime<Utc>) -> Result<(), Error> {
        self.write(self.inner.touch_session(id, used)).await
    }

    async fn end_session(&self, id: &[u8; 32]) -> Result<(), Error> {
        self.write(self.inner.end_session(id)).await
    }

    async fn forget_sessions(&self, before: DateTime<Utc>) -> Result<(), Error> {
        self.write(self.inner.forget_sessions(before)).await
    }

    async fn queue(&self) -> Result<Queue, Error> {
        self.alive().await;
        self.inner.queue().await
    }

    async fn bytes(&self) -> Result<u64, Error> {
        self.alive().await;
        self.inner.bytes().await
    }

    async fn alerts(&self) -> Result<Vec<StoredAlert>, Error> {
        self.alive().await;
        self.inner.alerts().await
    }

    async fn put_alerts(&self, alerts: &[StoredAlert]) -> Result<bool, Error> {
        self.write(self.inner.put_alerts(alerts)).await
    }

    async fn forget_alerts(&self, before: DateTime<Utc>) -> Result<(), Error> {
        self.write(self.inner.forget_alerts(before)).await
    }
}
