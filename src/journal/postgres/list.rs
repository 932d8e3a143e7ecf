//! Looking at runs, events and their counts. Every query reads a range of one index, however much is
//! stored; only a `text` filter also reads the event and the history of every candidate.

use std::collections::BTreeMap;

use tokio_postgres::types::ToSql;

use crate::event::{Event, EventId};
use crate::journal::encoding::{patterns, stamp, unsettled_of};
use crate::journal::{RunDetail, RunFilter, RunRow, Totals, Unfinished};
use crate::run::{RunId, RunState, Unsettled};

use super::failure::Failure;
use super::pool::Pool;
use super::row::{self, Columns, EVENT, RUN, RUN_ROW, code, escape_nul, number, of_table};

/// The number under which events are counted.
const EVENTS: i32 = -1;

/// The creates of all runs of which nothing is known yet.
pub(super) async fn unsettled(pool: &Pool) -> Result<Vec<(RunId, Unsettled)>, Failure> {
    let rows =
        pool.query("SELECT id, unsettled FROM runs WHERE unsettled IS NOT NULL ORDER BY seq", &[]).await?;
    let mut found = Vec::new();
    for row in &rows {
        let mut columns = Columns::of(row);
        let run = RunId(columns.text()?);
        found.extend(unsettled_of(columns.value()?)?.into_iter().map(|one| (run.clone(), one)));
    }
    Ok(found)
}

/// Runs, newest first.
pub(super) async fn runs(pool: &Pool, filter: &RunFilter) -> Result<Vec<RunRow>, Failure> {
    let (sql, values) = query(filter);
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as _).collect();
    pool.query(&sql, &values).await?.iter().map(|row| row::run_row(&mut Columns::of(row))).collect()
}

type Values = Vec<Box<dyn ToSql + Send + Sync>>;

/// The statement for a filter, and its values. Where runs of several states are asked for, the newest
/// of each state, which stand in order in an index, are merged.
fn query(filter: &RunFilter) -> (String, Values) {
    let mut values: Values = Vec::new();
    let mut place = |value: Box<dyn ToSql + Send + Sync>| {
        values.push(value);
        format!("${}", values.len())
    };
    let mut conditions = String::new();
    if let Some(recipe) = &filter.recipe {
        conditions += &format!(" AND recipe = {}", place(Box::new(escape_nul(recipe).into_owned())));
    }
    if let Some(record) = &filter.record {
        conditions += &format!(" AND record = {}", place(Box::new(escape_nul(record).into_owned())));
    }
    if let Some(since) = filter.since {
        conditions += &format!(" AND created >= {}", place(Box::new(stamp(since))));
    }
    if let Some(text) = &filter.text {
        let (plain, json) = patterns(text);
        let (plain, json) = (place(Box::new(escape_nul(&plain).into_owned())), place(Box::new(json)));
        conditions += &format!(
            " AND (record COLLATE \"default\" ILIKE {plain} OR error ILIKE {plain}
               OR (SELECT 1 FROM events e WHERE e.seq = runs.event AND e.payload ILIKE {json}) IS NOT NULL
               OR (SELECT 1 FROM entries n WHERE n.run = runs.seq AND n.entry ILIKE {json} LIMIT 1) IS NOT NULL)"
        );
    }
    let limit = place(Box::new(filter.limit.map(number)));
    let part = |condition: &str| {
        format!(
            "(SELECT {RUN_ROW}, seq FROM runs WHERE {condition}{conditions}
             ORDER BY created DESC, seq DESC LIMIT {limit})"
        )
    };
    let state = |state| part(&format!("state = {}", code(state)));
    let parts: Vec<String> = match (&filter.record, filter.state) {
        (_, Some(only)) => vec![state(only)],
        (Some(_), None) => vec![part("TRUE")],
        (None, None) => RunState::ALL.into_iter().map(state).collect(),
    };
    let parts = parts.join(" UNION ALL ");
    let sql =
        format!("SELECT {RUN_ROW} FROM ({parts}) AS found ORDER BY created DESC, seq DESC LIMIT {limit}");
    (sql, values)
}

/// Runs whose ids begin with `prefix`.
pub(super) async fn runs_called(pool: &Pool, prefix: &str, limit: usize) -> Result<Vec<RunRow>, Failure> {
    let sql = format!("SELECT {RUN_ROW} FROM runs WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3");
    let (first, end) = (escape_nul(prefix).into_owned(), format!("{}{}", escape_nul(prefix), char::MAX));
    let rows = pool.query(&sql, &[&first, &end, &number(limit)]).await?;
    rows.iter().map(|row| row::run_row(&mut Columns::of(row))).collect()
}

/// A run with its event and history.
pub(super) async fn run(pool: &Pool, id: &RunId) -> Result<Option<RunDetail>, Failure> {
    let sql = format!(
        "SELECT {}, {}, {}, ARRAY(SELECT n.entry FROM entries n WHERE n.run = r.seq ORDER BY n.place)
         FROM runs r LEFT JOIN events e ON e.seq = r.event WHERE r.id = $1",
        of_table("r", RUN_ROW),
        of_table("r", RUN),
        of_table("e", EVENT)
    );
    let rows = pool.query(&sql, &[&escape_nul(&id.0)]).await?;
    let Some(found) = rows.first() else { return Ok(None) };
    let mut columns = Columns::of(found);
    let row = row::run_row(&mut columns)?;
    let mut run = row::run(&mut columns)?;
    let event = row::event(&mut columns)?;
    run.event = event.id.clone();
    Ok(Some(RunDetail { row, run, event, entries: row::entries(&mut columns)? }))
}

/// An event.
pub(super) async fn event(pool: &Pool, id: &EventId) -> Result<Option<Event>, Failure> {
    let rows =
        pool.query(&format!("SELECT {EVENT} FROM events WHERE id = $1"), &[&escape_nul(&id.0)]).await?;
    rows.first().map(|row| row::event(&mut Columns::of(row))).transpose()
}

/// How many runs have not ended.
pub(super) async fn unfinished(pool: &Pool) -> Result<Vec<Unfinished>, Failure> {
    let sql = "SELECT recipe, accounts, state, count(*) FROM runs WHERE finished IS NULL
               GROUP BY recipe, accounts, state ORDER BY recipe, accounts, state";
    let rows = pool.query(sql, &[]).await?;
    let of = |row: &tokio_postgres::Row| {
        let mut columns = Columns::of(row);
        let (recipe, accounts) = (columns.text()?, columns.value::<String>()?);
        let state = columns.state()?;
        Ok(Unfinished::of(recipe, &accounts, state, columns.value()?)?)
    };
    rows.iter().map(of).collect()
}

const ALL: &str = "SELECT what, sum(value)::bigint FROM counters GROUP BY what";
const SINCE: &str = "SELECT -1, (SELECT count(*) FROM events WHERE received >= $1)
                     UNION ALL SELECT s.state,
                         (SELECT count(*) FROM runs r WHERE r.state = s.state AND r.created >= $1)
                     FROM unnest($2::integer[]) AS s (state)";

/// Counts of everything, or of what came since.
pub(super) async fn totals(
    pool: &Pool,
    since: Option<chrono::DateTime<chrono::Utc>>,
) -> Result<Totals, Failure> {
    let rows = match since {
        None => pool.query(ALL, &[]).await?,
        Some(since) => pool.query(SINCE, &[&stamp(since), &RunState::ALL.map(code).to_vec()]).await?,
    };
    let mut totals = Totals { events: 0, runs: BTreeMap::new() };
    for row in rows {
        let (what, count): (i32, i64) = (row.try_get(0)?, row.try_get(1)?);
        let count = u64::try_from(count).unwrap_or(0);
        match RunState::ALL.into_iter().find(|state| code(*state) == what) {
            Some(state) if count > 0 => drop(totals.runs.insert(state.name().to_owned(), count)),
            None if what == EVENTS => totals.events = count,
            _ => {}
        }
    }
    Ok(totals)
}
