//! The queries that every store answers alike, in terms of its database.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::database::Database;
use super::queries::{
    activity, acts, alerts, claims, cursors, ended_alike, holds, identifiers, link_bases, links, receipts,
    recipes, runs, sessions, totals, values, writes,
};
use super::{
    ActFilter, Activity, BaseWrite, Claim, EndedAlike, EndedIn, Error, HeldConnection, IdentifierKey,
    IndexEntries, Link, LinkBase, LinkWrite, OperatorAct, OperatorSession, Queries, Queue, RecipeText,
    RunDetail, RunFilter, RunNeighbours, RunPlace, RunRow, SeenCount, StoredAlert, Totals, Unfinished,
    Unindexed, Written,
};
use crate::event::{Cursor, CursorKey, DedupKey, Event, EventId, Source};
use crate::run::{Accounts, RunId, Unsettled};

/// A store that takes statements.
pub(super) trait QueriedStore: Send + Sync {
    /// What takes them.
    type Database: Database + Sync;

    /// What takes them.
    fn database(&self) -> &Self::Database;
}

#[async_trait]
impl<S: QueriedStore> Queries for S {
    async fn release(&self, claim: &Claim) -> Result<(), Error> {
        claims::release(self.database(), claim).await
    }

    async fn cursor(&self, key: &CursorKey) -> Result<Option<Cursor>, Error> {
        cursors::cursor(self.database(), key).await
    }

    async fn cursors(&self) -> Result<Vec<Cursor>, Error> {
        cursors::cursors(self.database()).await
    }

    async fn seen(&self, key: &CursorKey, records: &[String]) -> Result<HashMap<String, String>, Error> {
        cursors::seen(self.database(), key, records).await
    }

    async fn vanished(
        &self,
        key: &CursorKey,
        scan: u64,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        cursors::vanished(self.database(), key, scan, after, limit).await
    }

    async fn count_seen(&self, key: &CursorKey, before: u64) -> Result<SeenCount, Error> {
        cursors::count_seen(self.database(), key, before).await
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>, Error> {
        runs::list(self.database(), filter).await
    }

    async fn histories(
        &self,
        filter: &RunFilter,
        after: Option<RunPlace>,
    ) -> Result<Vec<(RunPlace, RunDetail)>, Error> {
        runs::histories(self.database(), filter, after).await
    }

    async fn runs_by_prefix(&self, prefix: &str, limit: usize) -> Result<Vec<RunRow>, Error> {
        runs::by_prefix(self.database(), prefix, limit).await
    }

    async fn run_neighbours(&self, ids: &[RunId]) -> Result<Vec<RunNeighbours>, Error> {
        runs::neighbours(self.database(), ids).await
    }

    async fn activity(&self, since: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Activity>, Error> {
        activity::activity(self.database(), since, until).await
    }

    async fn ended_alike(&self, which: &EndedIn) -> Result<Vec<EndedAlike>, Error> {
        ended_alike::groups(self.database(), which).await
    }

    async fn runs_about(
        &self,
        recipe: &str,
        accounts: &Accounts,
        records: &[String],
    ) -> Result<Vec<RunRow>, Error> {
        runs::about_records(self.database(), recipe, accounts, records).await
    }

    async fn lane_head(&self, recipe: &str, lane: &str) -> Result<Option<RunRow>, Error> {
        runs::lane_head(self.database(), recipe, lane).await
    }

    async fn first_run(&self, recipe: &str) -> Result<Option<DateTime<Utc>>, Error> {
        runs::first(self.database(), recipe).await
    }

    async fn run(&self, id: &RunId) -> Result<Option<RunDetail>, Error> {
        runs::detail(self.database(), id).await
    }

    async fn written(
        &self,
        record: &str,
        connection: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Written>, Error> {
        writes::by_record(self.database(), record, connection, limit).await
    }

    async fn written_records(
        &self,
        recipe: &str,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Error> {
        writes::records(self.database(), recipe, since, limit).await
    }

    async fn unsettled(&self) -> Result<Vec<(RunId, Unsettled)>, Error> {
        runs::unsettled(self.database()).await
    }

    async fn event(&self, id: &EventId) -> Result<Option<Event>, Error> {
        runs::event(self.database(), id).await
    }

    async fn unindexed(&self, limit: usize) -> Result<Unindexed, Error> {
        identifiers::unindexed(self.database(), limit).await
    }

    async fn index(&self, entries: &IndexEntries) -> Result<(), Error> {
        identifiers::index(self.database(), entries).await
    }

    async fn identified(&self, key: &IdentifierKey, limit: usize) -> Result<Vec<Event>, Error> {
        identifiers::events(self.database(), key, limit).await
    }

    async fn runs_of(&self, events: &[EventId]) -> Result<Vec<RunRow>, Error> {
        identifiers::runs_of(self.database(), events).await
    }

    async fn events_of(&self, runs: &[RunId]) -> Result<Vec<(RunRow, Event)>, Error> {
        identifiers::events_of(self.database(), runs).await
    }

    async fn writes_of(&self, runs: &[RunId]) -> Result<Vec<Written>, Error> {
        identifiers::writes_of(self.database(), runs).await
    }

    async fn totals(&self, since: Option<DateTime<Utc>>) -> Result<Totals, Error> {
        totals::totals(self.database(), since).await
    }

    async fn queue(&self) -> Result<Queue, Error> {
        runs::queue(self.database()).await
    }

    async fn bytes(&self) -> Result<u64, Error> {
        totals::bytes(self.database()).await
    }

    async fn unfinished(&self, most: Option<usize>) -> Result<Vec<Unfinished>, Error> {
        runs::unfinished(self.database(), most).await
    }

    async fn save_recipe(&self, recipe: &RecipeText) -> Result<(), Error> {
        recipes::save(self.database(), recipe).await
    }

    async fn recipe(&self, name: &str, version: &str) -> Result<Option<RecipeText>, Error> {
        recipes::find(self.database(), name, version).await
    }

    async fn recipe_versions(&self, name: &str, limit: usize) -> Result<Vec<RecipeText>, Error> {
        recipes::versions(self.database(), name, limit).await
    }

    async fn save_link(&self, link: &Link) -> Result<LinkWrite, Error> {
        links::save(self.database(), link).await
    }

    async fn replace_links(&self, link: &Link) -> Result<Vec<Link>, Error> {
        links::replace(self.database(), link).await
    }

    async fn find_link(
        &self,
        name: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Option<Link>, Error> {
        links::find(self.database(), name, from, to).await
    }

    async fn delete_link(&self, name: &str, from: Option<&str>, to: Option<&str>) -> Result<bool, Error> {
        links::delete(self.database(), name, from, to).await
    }

    async fn link_base(
        &self,
        name: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Option<LinkBase>, Error> {
        link_bases::find(self.database(), name, from, to).await
    }

    async fn put_link_base(&self, link: &Link, base: &LinkBase) -> Result<BaseWrite, Error> {
        link_bases::put(self.database(), link, base).await
    }

    async fn links_by_record(&self, record: &str) -> Result<Vec<Link>, Error> {
        links::by_record(self.database(), record).await
    }

    async fn state(&self, key: &str) -> Result<Option<Value>, Error> {
        values::state(self.database(), key).await
    }

    async fn states(&self, prefix: &str) -> Result<Vec<(String, Value)>, Error> {
        values::states(self.database(), prefix).await
    }

    async fn forget_receipt(
        &self,
        source: &Source,
        dedup: &DedupKey,
        before: DateTime<Utc>,
    ) -> Result<(), Error> {
        receipts::forget(self.database(), source, dedup, before).await
    }

    async fn put_state(&self, key: &str, value: &Value) -> Result<(), Error> {
        values::put_state(self.database(), key, value).await
    }

    async fn marker(&self, name: &str) -> Result<Option<Value>, Error> {
        values::marker(self.database(), name).await
    }

    async fn set_marker(&self, name: &str, value: Option<&Value>) -> Result<(), Error> {
        values::set_marker(self.database(), name, value).await
    }

    async fn hold(&self, held: &HeldConnection) -> Result<(), Error> {
        holds::hold(self.database(), held).await
    }

    async fn held_connections(&self) -> Result<Vec<HeldConnection>, Error> {
        holds::all(self.database()).await
    }

    async fn save_act(&self, act: &OperatorAct) -> Result<(), Error> {
        acts::save(self.database(), act).await
    }

    async fn acts(&self, filter: &ActFilter) -> Result<Vec<OperatorAct>, Error> {
        acts::list(self.database(), filter).await
    }

    async fn forget_acts(&self, before: DateTime<Utc>) -> Result<(), Error> {
        acts::forget(self.database(), before).await
    }

    async fn save_session(&self, session: &OperatorSession) -> Result<(), Error> {
        sessions::put(self.database(), session).await
    }

    async fn session(&self, id: &[u8; 32]) -> Result<Option<OperatorSession>, Error> {
        sessions::find(self.database(), id).await
    }

    async fn touch_session(&self, id: &[u8; 32], used: DateTime<Utc>) -> Result<(), Error> {
        sessions::touch(self.database(), id, used).await
    }

    async fn end_session(&self, id: &[u8; 32]) -> Result<(), Error> {
        sessions::end(self.database(), id).await
    }

    async fn forget_sessions(&self, before: DateTime<Utc>) -> Result<(), Error> {
        sessions::forget(self.database(), before).await
    }

    async fn alerts(&self) -> Result<Vec<StoredAlert>, Error> {
        alerts::all(self.database()).await
    }

    async fn put_alerts(&self, alerts: &[StoredAlert]) -> Result<bool, Error> {
        alerts::put(self.database(), alerts).await
    }

    async fn forget_alerts(&self, before: DateTime<Utc>) -> Result<(), Error> {
        alerts::forget(self.database(), before).await
    }
}
