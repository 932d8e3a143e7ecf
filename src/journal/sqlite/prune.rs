//! Pruning in small steps, so that other writes are not delayed.

use rusqlite::{Connection, Row};

use crate::journal::encoding::{self, code, stamp};
use crate::journal::{Pruned, Retention};
use crate::run::RunState;

use super::counters;
use super::failure::Failure;
use super::lease::entry_ids;
use super::writer::Tx;
use super::writes;

/// Runs of one state that ended before a time.
pub(super) const ENDED_BEFORE: &str = "SELECT seq, event, state FROM runs
     WHERE state = ?1 AND created < ?2 AND finished < ?2 ORDER BY created LIMIT ?3";
/// Events without runs.
pub(super) const EVENTS_WITHOUT_RUNS: &str = "SELECT seq FROM events
     WHERE received < ?1 AND NOT EXISTS (SELECT 1 FROM runs WHERE event = events.seq)
     ORDER BY received LIMIT ?2";
/// Deletes the oldest dedup keys.
pub(super) const FORGET_KEYS: &str = "DELETE FROM receipts WHERE key IN
     (SELECT key FROM receipts WHERE received < ?1 ORDER BY received LIMIT ?2)";

/// A run to be deleted.
struct OldRun {
    seq: i64,
    event: i64,
    state: RunState,
}

/// Deletes up to `limit` each of runs, events and dedup keys.
pub(super) fn prune(tx: &mut Tx<'_>, retention: &Retention, limit: usize) -> Result<Pruned, Failure> {
    let mut pruned = Pruned::default();
    let mut old = Vec::new();
    if let Some(before) = retention.before {
        old = ended_before(tx.conn, stamp(before), limit)?;
    }
    if let Some(most) = retention.most_runs.filter(|_| old.is_empty()) {
        old = exceeding(tx.conn, most, limit)?;
    }
    for run in &old {
        forget_run(tx, run)?;
        pruned.runs += 1;
        // Most events have one run and are deleted with it.
        pruned.events += usize::from(forget_event(tx, run.event)?);
    }
    // Only once no old run is left: until then the scan would find the events of old runs again and again.
    if let Some(before) = retention.before.filter(|_| old.is_empty()) {
        for event in events_without_runs(tx.conn, stamp(before), limit)? {
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

fn old(row: &Row<'_>) -> Result<OldRun, Failure> {
    let state = encoding::state(row.get(2)?).map_err(Failure::Unreadable)?;
    Ok(OldRun { seq: row.get(0)?, event: row.get(1)?, state })
}

/// `finished` decides, not the state: a failed run may still hold its lane.
fn ended_before(conn: &Connection, before: i64, limit: usize) -> Result<Vec<OldRun>, Failure> {
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

/// The oldest finished runs beyond `most`.
fn exceeding(conn: &Connection, most: u64, limit: usize) -> Result<Vec<OldRun>, Failure> {
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

/// Merges the index ranges of the states in order.
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

fn forget_run(tx: &mut Tx<'_>, run: &OldRun) -> Result<(), Failure> {
    let ids = entry_ids(run.seq);
    tx.conn
        .prepare_cached("DELETE FROM entries WHERE id >= ?1 AND id < ?2")?
        .execute((ids.start, ids.end))?;
    writes::keep_writes(tx, run.seq)?;
    tx.conn.prepare_cached("DELETE FROM runs WHERE seq = ?1")?.execute([run.seq])?;
    tx.counters.forget_run(run.state);
    Ok(())
}

fn events_without_runs(conn: &Connection, before: i64, limit: usize) -> Result<Vec<i64>, Failure> {
    let mut read = conn.prepare_cached(EVENTS_WITHOUT_RUNS)?;
    let rows = read.query_map((before, limit as i64), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Deletes an event unless a run refers to it; returns whether it did.
fn forget_event(tx: &mut Tx<'_>, seq: i64) -> Result<bool, Failure> {
    let gone = tx
        .conn
        .prepare_cached(
            "DELETE FROM events WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM runs WHERE event = ?1)",
        )?
        .execute([seq])?;
    if gone == 1 {
        tx.conn.prepare_cached("DELETE FROM identifiers WHERE event = ?1")?.execute([seq])?;
        tx.counters.forget_event();
    }
    Ok(gone == 1)
}
