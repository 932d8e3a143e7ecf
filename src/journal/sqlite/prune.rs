//! Forgetting what is old, a little at a time, so that nobody waits for it.

use rusqlite::{Connection, Row};

use crate::journal::encoding::{self, code, stamp};
use crate::journal::{Pruned, Retention};
use crate::run::RunState;

use super::counters;
use super::failure::Failure;
use super::lease::entry_ids;
use super::writer::Tx;
use super::writes;

/// Runs of one state that have ended before some time.
pub(super) const ENDED_BEFORE: &str = "SELECT seq, event, state FROM runs
     WHERE state = ?1 AND created < ?2 AND finished < ?2 ORDER BY created LIMIT ?3";
/// Events whose runs are gone, or that never had any.
pub(super) const RUNLESS: &str = "SELECT seq FROM events
     WHERE received < ?1 AND NOT EXISTS (SELECT 1 FROM runs WHERE event = events.seq)
     ORDER BY received LIMIT ?2";
/// Forgets the oldest dedup keys.
pub(super) const FORGET_KEYS: &str = "DELETE FROM receipts WHERE key IN
     (SELECT key FROM receipts WHERE received < ?1 ORDER BY received LIMIT ?2)";

/// A run to be forgotten.
struct Old {
    seq: i64,
    event: i64,
    state: RunState,
}

/// Forgets up to `limit` each of runs, events and dedup keys.
pub(super) fn prune(tx: &mut Tx<'_>, retention: &Retention, limit: usize) -> Result<Pruned, Failure> {
    let mut pruned = Pruned::default();
    let mut old = Vec::new();
    if let Some(before) = retention.before {
        old = ended_before(tx.conn, stamp(before), limit)?;
    }
    if let Some(most) = retention.most_runs.filter(|_| old.is_empty()) {
        old = beyond(tx.conn, most, limit)?;
    }
    for run in &old {
        forget_run(tx, run)?;
        pruned.runs += 1;
        // Most events have one run: with it they go.
        pruned.events += usize::from(forget_event(tx, run.event)?);
    }
    // Not beside old runs: their events, found to be needed again and again, would stand in the way.
    if let Some(before) = retention.before.filter(|_| old.is_empty()) {
        for event in runless_events(tx.conn, stamp(before), limit)? {
            pruned.events += usize::from(forget_event(tx, event)?);
        }
    }
    if let Some(before) = retention.dedup_before {
        tx.conn.prepare_cached(writes::FORGET)?.execute((stamp(before), limit as i64))?;
        pruned.dedup_keys = tx.conn.prepare_cached(FORGET_KEYS)?.execute((stamp(before), limit as i64))?;
    }
    Ok(pruned)
}

fn finished_states() -> impl Iterator<Item = RunState> {
    RunState::ALL.into_iter().filter(|state| state.is_finished())
}

fn old(row: &Row<'_>) -> Result<Old, Failure> {
    let state = encoding::state(row.get(2)?).map_err(Failure::Unreadable)?;
    Ok(Old { seq: row.get(0)?, event: row.get(1)?, state })
}

/// Whether a run has ended is said by `finished` alone: a failed one may still hold its lane.
fn ended_before(conn: &Connection, before: i64, limit: usize) -> Result<Vec<Old>, Failure> {
    let mut read = conn.prepare_cached(ENDED_BEFORE)?;
    let mut found = Vec::new();
    for state in finished_states() {
        let mut rows = read.query((code(state), before, (limit - found.len()) as i64))?;
        while let Some(row) = rows.next()? {
            found.push(old(row)?);
        }
    }
    Ok(found)
}

/// The oldest finished runs of those beyond `most`.
fn beyond(conn: &Connection, most: u64, limit: usize) -> Result<Vec<Old>, Failure> {
    let excess = counters::finished(conn)?.saturating_sub(most).min(limit as u64);
    if excess == 0 {
        return Ok(Vec::new());
    }
    let mut read = conn.prepare_cached(&oldest())?;
    let mut rows = read.query([i64::try_from(excess).unwrap_or(i64::MAX)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(old(row)?);
    }
    Ok(found)
}

/// Merges the states' ranges of the index, each in order.
pub(super) fn oldest() -> String {
    let parts: Vec<String> = finished_states()
        .map(|state| {
            format!(
                "SELECT seq, event, state, created FROM runs INDEXED BY runs_state
                 WHERE state = {} AND finished IS NOT NULL",
                code(state)
            )
        })
        .collect();
    format!("{} ORDER BY created LIMIT ?1", parts.join(" UNION ALL "))
}

fn forget_run(tx: &mut Tx<'_>, run: &Old) -> Result<(), Failure> {
    let ids = entry_ids(run.seq);
    tx.conn
        .prepare_cached("DELETE FROM entries WHERE id >= ?1 AND id < ?2")?
        .execute((ids.start, ids.end))?;
    writes::outlive(tx, run.seq)?;
    tx.conn.prepare_cached("DELETE FROM runs WHERE seq = ?1")?.execute([run.seq])?;
    tx.counters.forget_run(run.state);
    Ok(())
}

fn runless_events(conn: &Connection, before: i64, limit: usize) -> Result<Vec<i64>, Failure> {
    let mut read = conn.prepare_cached(RUNLESS)?;
    let rows = read.query_map((before, limit as i64), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets an event, unless a run needs it; whether it did.
fn forget_event(tx: &mut Tx<'_>, seq: i64) -> Result<bool, Failure> {
    let gone = tx
        .conn
        .prepare_cached(
            "DELETE FROM events WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM runs WHERE event = ?1)",
        )?
        .execute([seq])?;
    if gone == 1 {
        tx.counters.forget_event();
    }
    Ok(gone == 1)
}
