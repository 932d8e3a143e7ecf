//! Looking at runs, events and their counts. Every query reads a range of one index, however much is
//! stored; only a `text` filter also reads the event and the history of every candidate.

use chrono::{DateTime, Utc};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::event::{Event, EventId};
use crate::journal::encoding::{patterns, unsettled_of};
use crate::journal::{RunDetail, RunFilter, RunRow, Totals, Unfinished};
use crate::run::{RunId, RunState, Unsettled};

use super::counters::{self, Counts};
use super::failure::Failure;
use super::lease::{self, ENTRIES};
use super::row::{self, RUN_ROW, code, stamp};

/// Events of a time and later.
pub(super) const EVENTS_SINCE: &str = "SELECT count(*) FROM events WHERE received >= ?1";
/// Runs of one state, of a time and later.
pub(super) const RUNS_SINCE: &str = "SELECT count(*) FROM runs WHERE state = ?1 AND created >= ?2";

/// Creates of which nothing is known yet.
pub(super) const UNSETTLED: &str = "SELECT id, unsettled FROM runs WHERE unsettled IS NOT NULL ORDER BY seq";

/// The creates of all runs of which nothing is known yet.
pub(super) fn unsettled(conn: &Connection) -> Result<Vec<(RunId, Unsettled)>, Failure> {
    let mut read = conn.prepare_cached(UNSETTLED)?;
    let mut rows = read.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let run = RunId(row.get(0)?);
        found.extend(unsettled_of(&row.get::<_, String>(1)?)?.into_iter().map(|one| (run.clone(), one)));
    }
    Ok(found)
}

/// Runs, newest first.
pub(super) fn runs(conn: &Connection, filter: &RunFilter) -> Result<Vec<RunRow>, Failure> {
    let (sql, values) = query(filter);
    let mut read = conn.prepare_cached(&sql)?;
    let mut rows = read.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row::run_row(row)?);
    }
    Ok(found)
}

/// The statement for a filter, and its values. Where runs of several states are asked for, their
/// ranges of the index, each in order, are merged: nothing is sorted.
pub(super) fn query(filter: &RunFilter) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let mut place = |value: Value| {
        values.push(value);
        format!("?{}", values.len())
    };
    let mut conditions = String::new();
    if let Some(recipe) = &filter.recipe {
        conditions += &format!(" AND recipe = {}", place(Value::from(recipe.clone())));
    }
    if let Some(record) = &filter.record {
        conditions += &format!(" AND record = {}", place(Value::from(record.clone())));
    }
    if let Some(since) = filter.since {
        conditions += &format!(" AND created >= {}", place(Value::from(stamp(since))));
    }
    if let Some(text) = &filter.text {
        let (plain, inner) = patterns(text);
        let (plain, inner) = (place(Value::from(plain)), place(Value::from(inner)));
        conditions += &format!(
            " AND (record LIKE {plain} ESCAPE '\\' OR error LIKE {plain} ESCAPE '\\'
               OR EXISTS (SELECT 1 FROM events WHERE events.seq = runs.event AND payload LIKE {inner} ESCAPE '\\')
               OR EXISTS (SELECT 1 FROM entries WHERE entries.id >= runs.seq * {ENTRIES}
                          AND entries.id < (runs.seq + 1) * {ENTRIES} AND entry LIKE {inner} ESCAPE '\\'))"
        );
    }
    let index = match (&filter.record, &filter.recipe) {
        (Some(_), _) => "runs_record",
        (None, Some(_)) => "runs_recipe",
        (None, None) => "runs_state",
    };
    let part = |condition: &str| {
        format!("SELECT {RUN_ROW}, seq FROM runs INDEXED BY {index} WHERE {condition}{conditions}")
    };
    let parts: Vec<String> = match (&filter.record, filter.state) {
        (_, Some(state)) => vec![part(&format!("state = {}", code(state)))],
        (Some(_), None) => vec![part("TRUE")],
        (None, None) => {
            RunState::ALL.into_iter().map(|state| part(&format!("state = {}", code(state)))).collect()
        }
    };
    let limit = filter.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let parts = parts.join(" UNION ALL ");
    let sql = format!("{parts} ORDER BY created DESC, seq DESC LIMIT {}", place(Value::from(limit)));
    (sql, values)
}

/// Runs whose ids begin with `prefix`.
pub(super) fn runs_called(conn: &Connection, prefix: &str, limit: usize) -> Result<Vec<RunRow>, Failure> {
    let sql = format!("SELECT {RUN_ROW} FROM runs WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3");
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut read = conn.prepare_cached(&sql)?;
    let mut rows = read.query((prefix, format!("{prefix}{}", char::MAX), limit))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row::run_row(row)?);
    }
    Ok(found)
}

/// A run with its event and history.
pub(super) fn run(conn: &Connection, id: &RunId) -> Result<Option<RunDetail>, Failure> {
    let mut read = conn.prepare_cached(&format!(
        "SELECT {RUN_ROW}, version, accounts, lane, event, seq FROM runs WHERE id = ?1"
    ))?;
    let mut rows = read.query([&id.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let event = lease::event_by_seq(conn, row.get("event")?)?;
    Ok(Some(RunDetail {
        row: row::run_row(row)?,
        run: row::run(row, event.id.clone())?,
        event,
        entries: lease::entries(conn, row.get("seq")?)?,
    }))
}

/// An event.
pub(super) fn event(conn: &Connection, id: &EventId) -> Result<Option<Event>, Failure> {
    let mut read = conn.prepare_cached(&format!("SELECT {} FROM events WHERE id = ?1", row::EVENT))?;
    let mut rows = read.query([&id.0])?;
    rows.next()?.map(row::event).transpose()
}

/// Counts of everything, or of what came since.
pub(super) fn totals(conn: &Connection, since: Option<DateTime<Utc>>) -> Result<Totals, Failure> {
    let counts = match since {
        None => counters::stored(conn)?,
        Some(since) => counted(conn, stamp(since))?,
    };
    let runs = counts.runs.into_iter().filter(|(_, count)| *count > 0);
    Ok(Totals {
        events: counts.events,
        runs: runs.map(|(state, count)| (state.name().to_owned(), count)).collect(),
    })
}

/// How many runs have not ended.
pub(super) fn unfinished(conn: &Connection) -> Result<Vec<Unfinished>, Failure> {
    let mut read = conn.prepare_cached(
        "SELECT recipe, accounts, state, count(*) FROM runs WHERE finished IS NULL
         GROUP BY recipe, accounts, state ORDER BY recipe, accounts, state",
    )?;
    let mut rows = read.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let accounts: String = row.get(1)?;
        found.push(Unfinished::of(row.get(0)?, &accounts, row::state(row.get(2)?)?, row.get(3)?)?);
    }
    Ok(found)
}

fn counted(conn: &Connection, since: i64) -> Result<Counts, Failure> {
    let count = |sql: &str, params: &[i64]| -> Result<u64, Failure> {
        let count: i64 = conn.prepare_cached(sql)?.query_row(params_from_iter(params), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    };
    let events = count(EVENTS_SINCE, &[since])?;
    let mut counts = Counts { events, runs: Vec::new() };
    for state in RunState::ALL {
        counts.runs.push((state, count(RUNS_SINCE, &[code(state), since])?));
    }
    Ok(counts)
}
