//! Queries of runs and their events. Each reads a range of one index, whatever the size of the store; only a `text`
//! filter also reads event and history of every candidate.

use chrono::{DateTime, Utc};

use crate::event::{Event, EventId};
use crate::journal::database::{Database, Dialect, Order, Param, row, rows};
use crate::journal::encoding::{code, patterns, stamp};
use crate::journal::event_row::rank;
use crate::journal::row::{EVENT, RUN, RUN_ROW, Row, Unreadable, qualified};
use crate::journal::{Error, Queue, RunDetail, RunFilter, RunNeighbours, RunPlace, RunRow, Unfinished};
use crate::run::{Accounts, RunId, RunState, Unsettled};

use super::lookup::{lookups, places};

/// Creates with an unknown outcome.
const UNSETTLED: &str = "SELECT id, unsettled FROM runs WHERE unsettled IS NOT NULL ORDER BY seq";

/// Creates with an unknown outcome, of all runs.
pub(in crate::journal) async fn unsettled(db: &impl Database) -> Result<Vec<(RunId, Unsettled)>, Error> {
    let found: Vec<(RunId, Vec<Unsettled>)> =
        rows(db, UNSETTLED, vec![], |row| Ok((RunId(row.text()?), row.json_or_default()?))).await?;
    let each = |(run, all): (RunId, Vec<Unsettled>)| all.into_iter().map(move |one| (run.clone(), one));
    Ok(found.into_iter().flat_map(each).collect())
}

/// Runs, newest first.
pub(in crate::journal) async fn list<D: Database>(db: &D, filter: &RunFilter) -> Result<Vec<RunRow>, Error> {
    let before = match &filter.before {
        Some(run) => Some(place_of(db, run).await?.unwrap_or(FIRST)),
        None => None,
    };
    let (sql, params) = statement::<D::Dialect>(filter, Order::NewestFirst, before);
    rows(db, &sql, params, Row::run_row).await
}

/// The place before all runs.
const FIRST: RunPlace = RunPlace { created: DateTime::<Utc>::MIN_UTC, number: 0 };

/// The place of a run.
async fn place_of(db: &impl Database, run: &RunId) -> Result<Option<RunPlace>, Error> {
    row(db, "SELECT created, seq FROM runs WHERE id = $1", vec![(&run.0).into()], |row| {
        Ok(RunPlace { created: row.time()?, number: row.integer()? })
    })
    .await
}

/// Runs with their events and histories, oldest first, after the one at `after`.
pub(in crate::journal) async fn histories<D: Database>(
    db: &D,
    filter: &RunFilter,
    after: Option<RunPlace>,
) -> Result<Vec<(RunPlace, RunDetail)>, Error> {
    let (first, params) = statement::<D::Dialect>(filter, Order::OldestFirst, after);
    let sql = format!(
        "SELECT r.seq, {} FROM ({first}) AS first JOIN runs r ON r.seq = first.seq
         LEFT JOIN events e ON e.seq = r.event ORDER BY r.created, r.seq",
        detail_columns::<D::Dialect>()
    );
    rows(db, &sql, params, |row| {
        let number = row.integer()?;
        let detail = read_detail(row)?;
        Ok((RunPlace { created: detail.row.created, number }, detail))
    })
    .await
}

/// The statement and parameters for a filter, for the runs that follow `after` in this order. The index ranges of several states are merged in order.
pub(in crate::journal) fn statement<D: Dialect>(
    filter: &RunFilter,
    order: Order,
    after: Option<RunPlace>,
) -> (String, Vec<Param>) {
    let mut params = Vec::new();
    let mut place = |param: Param| {
        params.push(param);
        format!("${}", params.len())
    };
    let mut common = String::new();
    if let Some(recipe) = &filter.recipe {
        common += &format!(" AND recipe = {}", place(recipe.into()));
    }
    if let Some(record) = &filter.record {
        common += &format!(" AND record = {}", place(record.into()));
    }
    if let Some(since) = filter.since {
        common += &format!(" AND created >= {}", place(stamp(since).into()));
    }
    if let Some(until) = filter.until {
        common += &format!(" AND created <= {}", place(stamp(until).into()));
    }
    if let Some(after) = after {
        let (created, number) = (place(stamp(after.created).into()), place(after.number.into()));
        let (from, after) = match order {
            Order::OldestFirst => (">=", ">"),
            Order::NewestFirst => ("<=", "<"),
        };
        common +=
            &format!(" AND created {from} {created} AND (created {after} {created} OR seq {after} {number})");
    }
    if let Some(priority) = filter.priority {
        common += &format!(" AND priority <= {}", place((rank(priority) as i64).into()));
    }
    if let Some(text) = &filter.text {
        let (plain, json) = patterns(text);
        common += &format!(" AND ({})", D::contains(&place(plain.into()), &place(Param::Json(json))));
    }
    let index = match (&filter.record, &filter.recipe) {
        (Some(_), _) => "runs_record",
        (None, Some(_)) => "runs_recipe",
        (None, None) => "runs_state",
    };
    let state = |state: RunState| format!("state = {}{common}", code(state));
    let conditions = match (&filter.record, filter.state) {
        (_, Some(only)) => vec![state(only)],
        (Some(_), None) => vec![format!("TRUE{common}")],
        (None, None) => RunState::ALL.map(state).to_vec(),
    };
    let limit = place(Param::count(filter.limit.unwrap_or(usize::MAX)));
    (D::runs_in_order(index, &conditions, order, &limit), params)
}

/// The runs of `recipe` on `accounts` about any of `records`, oldest first.
pub(in crate::journal) async fn about_records<D: Database>(
    db: &D,
    recipe: &str,
    accounts: &Accounts,
    records: &[String],
) -> Result<Vec<RunRow>, Error> {
    let sql = format!(
        "SELECT {RUN_ROW} FROM runs WHERE record IN ({}) AND recipe = $1 AND accounts = $2 ORDER BY created, seq",
        places(3)
    );
    let accounts = serde_json::to_string(accounts).unwrap_or_default();
    let mut found = Vec::new();
    for records in lookups(records) {
        let fixed = [Param::from(recipe), Param::Json(accounts.clone())];
        let params = fixed.into_iter().chain(records.map(Param::from)).collect();
        found.extend(rows(db, &sql, params, Row::run_row).await?);
    }
    Ok(found)
}

/// The ids just before and after each of `ids`. Both are found in the index of ids.
pub(in crate::journal) async fn neighbours(
    db: &impl Database,
    ids: &[RunId],
) -> Result<Vec<RunNeighbours>, Error> {
    let sql = neighbours_statement();
    let mut found = Vec::new();
    for ids in lookups(ids) {
        let params = ids.map(|id| Param::from(&id.0)).collect();
        let part = rows(db, &sql, params, |row| {
            let id = RunId(row.text()?);
            let (before, after) = (row.text_or_none()?.map(RunId), row.text_or_none()?.map(RunId));
            Ok(RunNeighbours { id, before, after })
        });
        found.extend(part.await?);
    }
    Ok(found)
}

/// The statement of [`neighbours`].
pub(in crate::journal) fn neighbours_statement() -> String {
    format!(
        "SELECT r.id, (SELECT max(b.id) FROM runs b WHERE b.id < r.id),
             (SELECT min(a.id) FROM runs a WHERE a.id > r.id)
         FROM runs r WHERE r.id IN ({})",
        places(1)
    )
}

/// The first unfinished run of a lane.
pub(in crate::journal) async fn lane_head(
    db: &impl Database,
    recipe: &str,
    lane: &str,
) -> Result<Option<RunRow>, Error> {
    let sql = format!(
        "SELECT {RUN_ROW} FROM runs WHERE recipe = $1 AND lane = $2 AND finished IS NULL ORDER BY seq LIMIT 1"
    );
    row(db, &sql, vec![recipe.into(), lane.into()], Row::run_row).await
}

/// When the first of the stored runs of `recipe` was created.
pub(in crate::journal) async fn first(
    db: &impl Database,
    recipe: &str,
) -> Result<Option<DateTime<Utc>>, Error> {
    let sql = "SELECT min(created) FROM runs WHERE recipe = $1";
    Ok(row(db, sql, vec![recipe.into()], Row::time_or_none).await?.flatten())
}

/// Runs whose ids begin with `prefix`, by id.
pub(in crate::journal) async fn by_prefix(
    db: &impl Database,
    prefix: &str,
    limit: usize,
) -> Result<Vec<RunRow>, Error> {
    let sql = format!("SELECT {RUN_ROW} FROM runs WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3");
    let end = format!("{prefix}{}", char::MAX);
    rows(db, &sql, vec![prefix.into(), end.into(), Param::count(limit)], Row::run_row).await
}

/// A run with its event and history.
pub(in crate::journal) async fn detail<D: Database>(db: &D, id: &RunId) -> Result<Option<RunDetail>, Error> {
    let columns = detail_columns::<D::Dialect>();
    let sql = format!("SELECT {columns} FROM runs r LEFT JOIN events e ON e.seq = r.event WHERE r.id = $1");
    row(db, &sql, vec![(&id.0).into()], read_detail).await
}

/// The columns of [`read_detail`], of the run `r` and its event `e`.
fn detail_columns<D: Dialect>() -> String {
    let (listed, run) = (qualified("r", RUN_ROW), qualified("r", RUN));
    format!("{listed}, {run}, {}, {}", qualified("e", EVENT), D::ENTRIES)
}

fn read_detail(row: &mut Row) -> Result<RunDetail, Unreadable> {
    let (listed, mut run, event) = (row.run_row()?, row.run()?, row.event()?);
    run.event = event.id.clone();
    Ok(RunDetail { row: listed, run, event, entries: row.entries()? })
}

/// An event.
pub(in crate::journal) async fn event(db: &impl Database, id: &EventId) -> Result<Option<Event>, Error> {
    row(db, &format!("SELECT {EVENT} FROM events WHERE id = $1"), vec![(&id.0).into()], Row::event).await
}

/// The runs that may be leased now.
pub(in crate::journal) async fn queue(db: &impl Database) -> Result<Queue, Error> {
    let sql = "SELECT count(*), min(created) FROM runs WHERE due <= 1";
    let found =
        rows(db, sql, vec![], |row| Ok(Queue { runs: row.count()?, oldest: row.time_or_none()? })).await?;
    Ok(found.first().copied().unwrap_or_default())
}

/// The number of unfinished runs, by recipe, connections and state; of `most` of them at most.
pub(in crate::journal) async fn unfinished(
    db: &impl Database,
    most: Option<usize>,
) -> Result<Vec<Unfinished>, Error> {
    let limit = if most.is_some() { "LIMIT $1" } else { "" };
    let sql = format!(
        "SELECT recipe, accounts, state, count(*)
         FROM (SELECT recipe, accounts, state FROM runs WHERE finished IS NULL {limit}) AS part
         GROUP BY recipe, accounts, state ORDER BY recipe, accounts, state"
    );
    rows(db, &sql, most.map(Param::count).into_iter().collect(), |row| {
        let (recipe, accounts): (_, Accounts) = (row.text()?, row.json()?);
        let connections = accounts.into_values().collect();
        Ok(Unfinished { recipe, connections, state: row.state()?, count: row.count()? })
    })
    .await
}
