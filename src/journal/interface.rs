//! The interface of every store.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    ActFilter, Activity, Appended, BaseWrite, Batch, Claim, EndedAlike, EndedIn, Error, HeldConnection,
    IdentifierKey, IndexEntries, Lease, LeasedRun, LimitState, LimitWrite, Link, LinkBase, LinkWrite,
    OperatorAct, OperatorSession, Pruned, Queue, RecipeText, Record, Retention, RunDetail, RunFilter,
    RunNeighbours, RunPlace, RunRow, RunUpdate, SeenCount, Slots, Snapshot, StoreInfo, StoredAlert, Totals,
    Unfinished, Unindexed, Written,
};
use crate::event::{Cursor, CursorKey, DedupKey, Event, EventId, Source};
use crate::run::{Accounts, RunId, StampedEntry, Unsettled};

/// A durable store. A write is on disk when its method returns `Ok`.
#[async_trait]
pub trait Journal: Queries {
    /// Stores events, their runs and a poller's progress, all or nothing. An event with a known source and dedup key
    /// is skipped together with its runs.
    async fn append(&self, batch: Batch) -> Result<Appended, Error>;

    /// Leases for `ttl` as many due runs as there are slots, each the head of its lane. Of one priority, the recipes
    /// that have due runs take turns, the accounts of a recipe as well, and of both the runs that have waited for a
    /// time and the others.
    async fn lease(
        &self,
        owner: &str,
        slots: Slots,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Vec<LeasedRun>, Error>;

    /// Appends entries to a leased run and updates its state. A state other than `running` releases the lease.
    /// `Error::Fenced` if the run was leased again meanwhile.
    async fn record(&self, lease: &Lease, entries: Vec<StampedEntry>, update: RunUpdate)
    -> Result<(), Error>;

    /// Makes runs of a recipe due that sleep without a time limit; returns their number.
    async fn wake(&self, recipe: &str) -> Result<u64, Error>;

    /// Appends an intervention to a run that is not leased and has exactly `seen` entries, and updates its state;
    /// `false` if the run has changed meanwhile. A finished run that is reopened goes to the end of its lane.
    async fn amend(
        &self,
        run: &RunId,
        seen: usize,
        entries: Vec<StampedEntry>,
        update: RunUpdate,
    ) -> Result<bool, Error>;

    /// Renews leases; returns those that are still held.
    async fn renew(&self, leases: &[Lease], now: DateTime<Utc>, ttl: Duration) -> Result<Vec<Lease>, Error>;

    /// Makes runs with expired leases due; returns their number. Where only one process can work on the store and
    /// this is that process, all leases of owners other than `owner` count as expired.
    async fn reclaim(&self, owner: &str, now: DateTime<Utc>) -> Result<u64, Error>;

    /// The latest time of an entry of the runs that wait beyond `now`. Later than `now` if the clock was set back.
    async fn last_wait(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error>;

    /// When the next waiting run is due; `None` if none waits for a time.
    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, Error>;

    /// Resolves when there may be new work, at the latest after `at_most`.
    async fn changed(&self, at_most: Duration);

    /// Whether other processes may work on this store, so that claims are needed.
    fn is_shared(&self) -> bool;

    /// Takes or extends for `ttl` a claim on work that only one process may do at a time, such as reading for a
    /// cursor; `None` while another owner has it. Where only one process can work on the store and this is that
    /// process, claims of other owners count as expired.
    async fn claim(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Option<Claim>, Error>;

    /// The stored limits of `account`.
    async fn limits(&self, account: &str) -> Result<LimitState, Error>;

    /// Replaces version `seen` of the limits of `account` with `text`, unless another version was stored meanwhile. A
    /// shared store need not sync this to disk: losing it in a crash allows at most one request more.
    async fn put_limits(&self, account: &str, seen: i64, text: &str) -> Result<LimitWrite, Error>;

    /// Removes the hold of a connection and makes the runs due that wait for it; returns whether it was held.
    async fn release_hold(&self, connection: &str) -> Result<bool, Error>;

    /// Deletes up to `limit` each of the runs, events and dedup keys beyond `retention`, oldest first. Unfinished
    /// runs and events of remaining runs stay.
    async fn prune(&self, retention: &Retention, limit: usize) -> Result<Pruned, Error>;

    /// A consistent snapshot of the store, readable while others write.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error>;

    /// Stores records exported by another store; existing ones stay as they are.
    async fn import(&self, records: Vec<Record>) -> Result<(), Error>;

    /// A short text that changes whenever exported content changes.
    async fn fingerprint(&self) -> Result<String, Error> {
        self.snapshot().await?.fingerprint().await
    }

    /// The number of other processes that run recipes on this store now, as far as it can be known. Called by a
    /// runner; 0 where only one is possible.
    async fn other_runners(&self) -> Result<u64, Error> {
        Ok(0)
    }

    /// What is stored, and its size.
    async fn info(&self) -> Result<StoreInfo, Error>;

    /// Whether the store accepts writes; if not, why.
    async fn healthy(&self) -> Result<(), Error>;

    /// Why the last write failed, unless one has succeeded since. [`Journal::healthy`] does not count as a write.
    fn last_failure(&self) -> Option<Error>;

    /// Stops all work and closes the store; writes that returned `Ok` are kept.
    async fn close(&self);
}

/// What every store answers by the same statements: all but what has to be fast, such as taking in events, handing out
/// runs and taking back what became of them.
#[async_trait]
pub trait Queries: Send + Sync {
    /// Deletes the dedup key of `source` if it was stored before `before`, so that the event may be stored again.
    async fn forget_receipt(
        &self,
        source: &Source,
        dedup: &DedupKey,
        before: DateTime<Utc>,
    ) -> Result<(), Error>;

    /// Releases a claim if it is still held.
    async fn release(&self, claim: &Claim) -> Result<(), Error>;

    /// A poller's progress.
    async fn cursor(&self, key: &CursorKey) -> Result<Option<Cursor>, Error>;

    /// All pollers' progress.
    async fn cursors(&self) -> Result<Vec<Cursor>, Error>;

    /// Fingerprints of those of `records` that this cursor has seen, by record.
    async fn seen(&self, key: &CursorKey, records: &[String]) -> Result<HashMap<String, String>, Error>;

    /// Up to `limit` records last seen before scan `scan`, after the record `after`, by id.
    async fn vanished(
        &self,
        key: &CursorKey,
        scan: u64,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error>;

    /// Counts the records that this cursor has seen, and those of them last seen before scan `before`.
    async fn count_seen(&self, key: &CursorKey, before: u64) -> Result<SeenCount, Error>;

    /// Runs, newest first.
    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, Error>;

    /// Runs with their events and histories, oldest first, after the one at `after`: a page at a time, each with its place.
    async fn histories(
        &self,
        filter: &RunFilter,
        after: Option<RunPlace>,
    ) -> Result<Vec<(RunPlace, RunDetail)>, Error>;
    /// The runs of `recipe` on `accounts` about any of `records`, oldest first for each record.
    async fn runs_about(
        &self,
        recipe: &str,
        accounts: &Accounts,
        records: &[String],
    ) -> Result<Vec<RunRow>, Error>;

    /// The first unfinished run of a lane, for which the others wait.
    async fn lane_head(&self, recipe: &str, lane: &str) -> Result<Option<RunRow>, Error>;

    /// When the first of the stored runs of `recipe` was created.
    async fn first_run(&self, recipe: &str) -> Result<Option<DateTime<Utc>>, Error>;

    /// Up to `limit` runs whose ids begin with `prefix`, by id.
    async fn runs_by_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<RunRow>, Error>;

    /// For each of `ids` that is there, in any order: the id with those just before and after it among all runs, by id.
    async fn run_neighbours(&self, ids: &[RunId]) -> Result<Vec<RunNeighbours>, Error>;

    /// Runs in a state, grouped by recipe, version, connections and the reason of the state.
    async fn ended_alike(&self, which: &EndedIn) -> Result<Vec<EndedAlike>, Error>;

    /// The runs created from `since` to before `until`, by state and minute.
    async fn activity(&self, since: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Activity>, Error>;

    /// A run with its event and history.
    async fn run(&self, id: &RunId) -> Result<Option<RunDetail>, Error>;

    /// Writes to a record, on `connection` or on any, newest first.
    async fn written(
        &self,
        record: &str,
        connection: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Written>, Error>;

    /// Connection and id of up to `limit` records that the stored runs of `recipe` wrote to at `since` or later, the
    /// last written ones first.
    async fn written_records(
        &self,
        recipe: &str,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Error>;

    /// Creates with an unknown outcome, of all runs.
    async fn unsettled(&self) -> Result<Vec<(RunId, Unsettled)>, Error>;

    /// An event.
    async fn event(&self, id: &EventId) -> Result<Option<Event>, Error>;

    /// The next up to `limit` events and writes each whose identifying values are not indexed yet.
    async fn unindexed(&self, limit: usize) -> Result<Unindexed, Error>;

    /// Stores entries of the index of identifying values.
    async fn index(&self, entries: &IndexEntries) -> Result<(), Error>;

    /// The newest indexed events with an identifying value, in themselves or in what their runs wrote, up to `limit`.
    async fn identified(&self, key: &IdentifierKey, limit: usize) -> Result<Vec<Event>, Error>;

    /// The runs of events.
    async fn runs_of(&self, events: &[EventId]) -> Result<Vec<RunRow>, Error>;

    /// Runs with their events.
    async fn events_of(&self, runs: &[RunId]) -> Result<Vec<(RunRow, Event)>, Error>;

    /// What runs wrote, for each in order.
    async fn writes_of(&self, runs: &[RunId]) -> Result<Vec<Written>, Error>;

    /// Counts of everything, or of what was stored since `since`.
    async fn totals(&self, since: Option<DateTime<Utc>>) -> Result<Totals, Error>;

    /// The runs that may be leased now: their number, and when the first of them was created.
    async fn queue(&self) -> Result<Queue, Error>;

    /// The size of the store in bytes.
    async fn bytes(&self) -> Result<u64, Error>;

    /// The number of unfinished runs, by recipe, connections and state; of `most` of them at most, where there may be very many
    /// and somebody waits.
    async fn unfinished(&self, most: Option<usize>) -> Result<Vec<Unfinished>, Error>;

    /// Stores the text of a recipe unless it is stored already.
    async fn save_recipe(&self, recipe: &RecipeText) -> Result<(), Error>;

    /// The text of a recipe in the version that runs started with.
    async fn recipe(&self, name: &str, version: &str) -> Result<Option<RecipeText>, Error>;

    /// The texts of a recipe in up to `limit` of the versions that runs started with, in any order.
    async fn recipe_versions(&self, name: &str, limit: usize) -> Result<Vec<RecipeText>, Error>;

    /// Saves a link unless one of its ends has another link of the name, whoever saves one at the same time.
    async fn save_link(&self, link: &Link) -> Result<LinkWrite, Error>;

    /// Saves a link in the place of those with the same name and either end; returns those, as they were just before.
    /// What was noted of them is forgotten.
    async fn replace_links(&self, link: &Link) -> Result<Vec<Link>, Error>;

    /// The other end of a link, given `from` or `to`.
    async fn find_link(
        &self,
        name: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Option<Link>, Error>;

    /// Deletes the link with the given ends; returns whether there was one.
    async fn delete_link(&self, name: &str, from: Option<&str>, to: Option<&str>) -> Result<bool, Error>;

    /// What is noted of the records at both ends of a link, given `from` or `to`; `None` if there is no such link.
    async fn link_base(
        &self,
        name: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Option<LinkBase>, Error>;

    /// Stores what is noted of the records at the ends of `link`, in place of what was noted before, if that is one
    /// revision earlier.
    async fn put_link_base(&self, link: &Link, base: &LinkBase) -> Result<BaseWrite, Error>;

    /// All links with `record` at either end.
    async fn links_by_record(&self, record: &str) -> Result<Vec<Link>, Error>;

    /// A value of `state.put`.
    async fn state(&self, key: &str) -> Result<Option<Value>, Error>;

    /// Values of `state.put` whose keys begin with `prefix`, by key.
    async fn states(&self, prefix: &str) -> Result<Vec<(String, Value)>, Error>;

    /// Stores a value.
    async fn put_state(&self, key: &str, value: &Value) -> Result<(), Error>;

    /// A value that hob stores about the store itself. Recipes cannot read it, and it is not exported.
    async fn marker(&self, name: &str) -> Result<Option<Value>, Error>;

    /// Sets the marker `name` to `value`; `None` deletes it.
    async fn set_marker(&self, name: &str, value: Option<&Value>) -> Result<(), Error>;

    /// Marks a connection as held, replacing an earlier hold. Its reason becomes that of the runs that wait for it.
    async fn hold(&self, held: &HeldConnection) -> Result<(), Error>;

    /// The connections that are held, by name.
    async fn held_connections(&self) -> Result<Vec<HeldConnection>, Error>;

    /// Stores what an operator did.
    async fn save_act(&self, act: &OperatorAct) -> Result<(), Error>;

    /// What operators did, newest first.
    async fn acts(&self, filter: &ActFilter) -> Result<Vec<OperatorAct>, Error>;

    /// Deletes what operators did before `before`.
    async fn forget_acts(&self, before: DateTime<Utc>) -> Result<(), Error>;

    /// Stores a new session of the dashboard.
    async fn save_session(&self, session: &OperatorSession) -> Result<(), Error>;

    /// The session with this id, unless it was ended.
    async fn session(&self, id: &[u8; 32]) -> Result<Option<OperatorSession>, Error>;

    /// Records that a session was used at `used`, unless it was ended.
    async fn touch_session(&self, id: &[u8; 32], used: DateTime<Utc>) -> Result<(), Error>;

    /// Ends a session.
    async fn end_session(&self, id: &[u8; 32]) -> Result<(), Error>;

    /// Deletes sessions last used before `before`.
    async fn forget_sessions(&self, before: DateTime<Utc>) -> Result<(), Error>;

    /// All alerts, also those that ended a short while ago.
    async fn alerts(&self) -> Result<Vec<StoredAlert>, Error>;

    /// Stores alerts together, each unless its stored version is another than the one before; returns whether all are stored.
    async fn put_alerts(&self, alerts: &[StoredAlert]) -> Result<bool, Error>;

    /// Deletes alerts that are not live and were changed before `before`.
    async fn forget_alerts(&self, before: DateTime<Utc>) -> Result<(), Error>;
}
