//! What every store does.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    Appended, Batch, Claim, Error, HeldConnection, Lease, LeasedRun, LimitState, LimitWrite, Link, Pruned,
    RecipeText, Record, Retention, RunDetail, RunFilter, RunRow, RunUpdate, Snapshot, StoreInfo, Totals,
    Unfinished, Written,
};
use crate::event::{Cursor, CursorKey, DedupKey, Event, EventId, Source};
use crate::run::{RunId, StampedEntry, Unsettled};

/// A durable store. Every method that returns `Ok` after a write has it on disk.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Stores events, the runs they cause and a poller's progress, all or nothing. An event whose
    /// source and dedup key are known already is left out, together with its runs.
    async fn append(&self, batch: Batch) -> Result<Appended, Error>;

    /// Forgets that an event of `source` with this dedup key has come, if that was before `before`: then it
    /// may come again.
    async fn forget_receipt(
        &self,
        source: &Source,
        dedup: &DedupKey,
        before: DateTime<Utc>,
    ) -> Result<(), Error>;

    /// Leases up to `limit` runs that are due and whose lane is free, for `ttl`.
    async fn lease(
        &self,
        owner: &str,
        limit: usize,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Vec<LeasedRun>, Error>;

    /// Appends entries to a leased run and says where it stands now. A state other than `running`
    /// gives the lease back. `Error::Fenced` if somebody else has the run meanwhile.
    async fn record(&self, lease: &Lease, entries: Vec<StampedEntry>, update: RunUpdate)
    -> Result<(), Error>;

    /// Makes due the runs of a recipe that wait without a time limit; returns how many.
    async fn wake(&self, recipe: &str) -> Result<u64, Error>;

    /// Appends what a person decided about a run that nobody works on and that has exactly `seen`
    /// entries, and says where it stands now; `false` if it has changed meanwhile. A finished run that is
    /// to go on goes behind what is under way in its lane.
    async fn amend(
        &self,
        run: &RunId,
        seen: usize,
        entries: Vec<StampedEntry>,
        update: RunUpdate,
    ) -> Result<bool, Error>;

    /// Renews leases; the answer leaves out those that were lost meanwhile.
    async fn renew(&self, leases: &[Lease], now: DateTime<Utc>, ttl: Duration) -> Result<Vec<Lease>, Error>;

    /// Makes runs whose lease has ended available again; how many. On a store that only one process
    /// works on, and by that process, all leases of owners other than `owner` count as ended.
    async fn reclaim(&self, owner: &str, now: DateTime<Utc>) -> Result<u64, Error>;

    /// The time of the last entry of all runs that wait beyond `now`. It is later than `now` where the clock
    /// was set back since.
    async fn last_wait(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error>;

    /// When the next waiting run is due, if any waits for a time.
    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, Error>;

    /// Resolves when there may be new work, at the latest after `at_most`.
    async fn changed(&self, at_most: Duration);

    /// Whether other processes may work on this store as well, so that claims are needed.
    fn is_shared(&self) -> bool;

    /// Takes the right to do what only one process may do at a time, such as reading for a cursor, or
    /// extends it for `ttl`; `None` while another owner has it. On a store that only one process works
    /// on, and by that process, claims of other owners count as ended.
    async fn claim(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<Option<Claim>, Error>;

    /// Releases a claim, if it is still held.
    async fn release(&self, claim: &Claim) -> Result<(), Error>;

    /// The stored limits of `account`.
    async fn limits(&self, account: &str) -> Result<LimitState, Error>;

    /// Keeps `text` of the limits of `account` in the place of version `seen`, unless another one is there
    /// meanwhile. Where the store is shared it need not be on disk: should its server crash right now, a
    /// request more may go.
    async fn put_limits(&self, account: &str, seen: i64, text: &str) -> Result<LimitWrite, Error>;

    /// A poller's progress.
    async fn cursor(&self, key: &CursorKey) -> Result<Option<Cursor>, Error>;

    /// All pollers' progress.
    async fn cursors(&self) -> Result<Vec<Cursor>, Error>;

    /// Fingerprints of those of `records` that this cursor has seen.
    async fn seen(&self, key: &CursorKey, records: &[String]) -> Result<HashMap<String, String>, Error>;

    /// Up to `limit` records that were last seen before scan `scan`, after record `after` by id.
    async fn vanished(
        &self,
        key: &CursorKey,
        scan: u64,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error>;

    /// Runs, newest first.
    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, Error>;

    /// Up to `limit` runs whose ids begin with `prefix`, by id.
    async fn runs_called(&self, prefix: &str, limit: usize) -> Result<Vec<RunRow>, Error>;

    /// A run with its event and history.
    async fn run(&self, id: &RunId) -> Result<Option<RunDetail>, Error>;

    /// What was written to a record, on `connection` or on any, newest first.
    async fn written(
        &self,
        record: &str,
        connection: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Written>, Error>;

    /// The creates of all runs of which nothing is known yet.
    async fn unsettled(&self) -> Result<Vec<(RunId, Unsettled)>, Error>;

    /// An event.
    async fn event(&self, id: &EventId) -> Result<Option<Event>, Error>;

    /// Counts of everything since `since`.
    async fn totals(&self, since: Option<DateTime<Utc>>) -> Result<Totals, Error>;

    /// How many runs have not ended, by recipe, connections and state.
    async fn unfinished(&self) -> Result<Vec<Unfinished>, Error>;

    /// Keeps the text of a recipe, unless it is there.
    async fn save_recipe(&self, recipe: &RecipeText) -> Result<(), Error>;

    /// The text of a recipe in a version that runs began with.
    async fn recipe(&self, name: &str, version: &str) -> Result<Option<RecipeText>, Error>;

    /// Saves a link; a link of the same name with either end is replaced.
    async fn save_link(&self, link: &Link) -> Result<(), Error>;

    /// The other end of a link: of `from`, or of `to`.
    async fn find_link(
        &self,
        name: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Option<Link>, Error>;

    /// Deletes a link; returns whether there was one.
    async fn delete_link(&self, name: &str, from: &str) -> Result<bool, Error>;

    /// All links that `record` is an end of.
    async fn links_of(&self, record: &str) -> Result<Vec<Link>, Error>;

    /// A stored value.
    async fn state(&self, key: &str) -> Result<Option<Value>, Error>;

    /// Stored values whose keys begin with `prefix`, by key.
    async fn states(&self, prefix: &str) -> Result<Vec<(String, Value)>, Error>;

    /// Stores a value.
    async fn put_state(&self, key: &str, value: &Value) -> Result<(), Error>;

    /// What hob notes of the store itself under `name`. It is no remembered value: recipes do not reach it, and
    /// it is not exported.
    async fn marker(&self, name: &str) -> Result<Option<Value>, Error>;

    /// Notes `value` under `name`, in the place of what was noted there; `None`: nothing.
    async fn set_marker(&self, name: &str, value: Option<&Value>) -> Result<(), Error>;

    /// Notes that a connection is held, in the place of what was noted of it before. Runs that wait for it have
    /// its reason as theirs.
    async fn hold(&self, held: &HeldConnection) -> Result<(), Error>;

    /// Notes that a connection is not held any more, and makes the runs due that wait for it; whether it was
    /// held.
    async fn release_hold(&self, connection: &str) -> Result<bool, Error>;

    /// The connections that are held, by name.
    async fn held_connections(&self) -> Result<Vec<HeldConnection>, Error>;

    /// Forgets up to `limit` each of the runs, events and dedup keys that are past `retention`, oldest
    /// first. Nothing unfinished is forgotten, nor an event whose run is kept.
    async fn prune(&self, retention: &Retention, limit: usize) -> Result<Pruned, Error>;

    /// All of the store as it is at this moment, to be read while others go on writing.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error>;

    /// Stores records as another store exported them; those that are there already are left as they are.
    async fn import(&self, records: Vec<Record>) -> Result<(), Error>;

    /// A short text that changes whenever anything that is exported changes.
    async fn fingerprint(&self) -> Result<String, Error>;

    /// How many other processes work on the runs of this store now, as far as that can be known. Asked by
    /// one that may do so itself; where only one can, there are none.
    async fn other_runners(&self) -> Result<u64, Error> {
        Ok(0)
    }

    /// What is stored, and how much of it.
    async fn info(&self) -> Result<StoreInfo, Error>;

    /// Whether the store can take writes now; the reason if not.
    async fn healthy(&self) -> Result<(), Error>;

    /// Why the last write failed, if none has succeeded since. Asking whether the store is healthy is no write.
    fn last_failure(&self) -> Option<Error>;

    /// Stops all work and closes the store; everything that was answered with `Ok` is kept.
    async fn close(&self);
}
