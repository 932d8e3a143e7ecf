//! Loads leased runs and records their results. The first unfinished run of a lane is its head. Only heads are due, and the
//! transaction that ends one makes the next one due.

use std::ops::Range;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use crate::journal::encoding::{NEVER, code, due, stamp, time, unsettled_text};
use crate::journal::format::{read_entry, write_entry};
use crate::journal::row::{EVENT, RUN};
use crate::journal::{Lease, LeasedRun, RunUpdate};
use crate::run::{RunId, RunState, StampedEntry};

use super::dialect::ENTRIES;
use super::failure::Failure;
use super::grant::Grant;
use super::row::perform;
use super::writer::Tx;
use super::writes;

/// The nearest time that a run waits for.
pub(super) const NEXT_DUE: &str = "SELECT min(due) FROM runs WHERE due > 0 AND due > 1";
/// The latest time of a last entry of the runs that wait.
const LAST_WAIT: &str = "SELECT max(json_extract(e.entry, '$.at')) FROM runs r
     JOIN entries e ON e.id = r.seq * 1048576 + r.entries - 1 WHERE r.due > 0 AND r.due > ?1";
/// Makes the first unfinished run of a lane due.
pub(super) const ADVANCE: &str = "UPDATE runs SET due = coalesce(coalesce_until, 0) WHERE seq =
     (SELECT seq FROM runs WHERE recipe = ?1 AND lane = ?2 AND finished IS NULL ORDER BY seq LIMIT 1)";
/// Makes runs due whose lease has expired, or has another owner than the given one.
pub(super) const RECLAIM: &str = "UPDATE runs SET state = ?1, due = 0, owner = NULL, until = NULL
     WHERE until IS NOT NULL AND (until <= ?2 OR (?3 AND owner <> ?4))";

/// Makes sleeping runs due.
pub(super) const WAKE: &str =
    "UPDATE runs SET due = 1, error = NULL WHERE due > 0 AND due = ?1 AND recipe = ?2";

/// The latest time of an entry of the runs that wait beyond `now`.
pub(super) fn last_wait(conn: &Connection, now: i64) -> Result<Option<DateTime<Utc>>, Failure> {
    let last: Option<String> = conn.prepare_cached(LAST_WAIT)?.query_row([now], |row| row.get(0))?;
    Ok(last.and_then(|last| last.parse().ok()))
}

/// Leased runs with their data, and those that cannot be decoded.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) runs: Vec<LeasedRun>,
    pub(super) unreadable: Vec<(Lease, String)>,
}

/// Loads the runs of `grants`.
pub(super) fn load(conn: &Connection, grants: &[Grant]) -> Result<Loaded, Failure> {
    let mut loaded = Loaded::default();
    for grant in grants {
        match load_one(conn, grant) {
            Ok(run) => loaded.runs.push(run),
            Err(Failure::Unreadable(reason)) => {
                let id =
                    conn.query_row("SELECT id FROM runs WHERE seq = ?1", [grant.seq], |row| row.get(0))?;
                loaded.unreadable.push((Lease { run: RunId(id), epoch: grant.epoch }, reason));
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(loaded)
}

fn load_one(conn: &Connection, grant: &Grant) -> Result<LeasedRun, Failure> {
    let gone = |what: &str| Failure::Unreadable(format!("{what} is gone"));
    let one = |sql: &str, seq: i64| perform(conn, sql, vec![seq.into()]).map(|mut rows| rows.pop());
    let sql = format!("SELECT {RUN}, event FROM runs WHERE seq = $1");
    let mut row = one(&sql, grant.seq)?.ok_or_else(|| gone("a leased run"))?;
    let mut run = row.run()?;
    let sql = format!("SELECT {EVENT} FROM events WHERE seq = $1");
    let event = one(&sql, row.integer()?)?.ok_or_else(|| gone("the event of a run"))?.event()?;
    run.event = event.id.clone();
    let entries = entries(conn, grant.seq)?;
    Ok(LeasedRun { lease: Lease { run: run.id.clone(), epoch: grant.epoch }, run, event, entries })
}

/// The range of ids of the entries of a run.
pub(super) fn entry_ids(run: i64) -> Range<i64> {
    run * ENTRIES..(run + 1) * ENTRIES
}

/// A run's history.
fn entries(conn: &Connection, run: i64) -> Result<Vec<StampedEntry>, Failure> {
    let mut read = conn.prepare_cached("SELECT entry FROM entries WHERE id >= ?1 AND id < ?2 ORDER BY id")?;
    let ids = entry_ids(run);
    let mut rows = read.query((ids.start, ids.end))?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(read_entry(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(entries)
}

/// The texts of entries, encoded by the caller to keep work off the writer.
pub(super) fn texts(entries: &[StampedEntry]) -> Result<Vec<String>, Failure> {
    Ok(entries.iter().map(write_entry).collect::<Result<_, _>>()?)
}

/// Appends to the history of a leased run and updates its state.
pub(super) fn record(
    tx: &mut Tx<'_>,
    lease: &Lease,
    entries: &[String],
    update: &RunUpdate,
) -> Result<(), Failure> {
    let place = tx
        .conn
        .prepare_cached("SELECT seq, entries FROM runs WHERE id = ?1 AND epoch = ?2 AND state = ?3")?
        .query_row((&lease.run.0, lease.epoch, code(RunState::Running)), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    let Some((seq, before)) = place else { return Err(Failure::Fenced(lease.run.clone())) };
    insert_entries(tx, seq, before, entries)?;
    update.writes.iter().try_for_each(|write| writes::insert(tx, seq, update.now, write))?;
    tx.conn
        .prepare_cached(
            "UPDATE runs SET error = ?2, version = coalesce(?3, version),
                 unsettled = nullif(coalesce(?4, unsettled), '') WHERE seq = ?1",
        )?
        .execute((seq, &update.error, &update.version, unsettled(update)?))?;
    if update.state != RunState::Running {
        release(tx, seq, update)?;
    }
    Ok(())
}

/// The new value of the column `unsettled`; `None` leaves it unchanged.
fn unsettled(update: &RunUpdate) -> Result<Option<String>, Failure> {
    Ok(update.unsettled.as_deref().map(unsettled_text).transpose()?)
}

/// Appends to the history of a run that has `before` entries.
pub(super) fn insert_entries(tx: &Tx<'_>, seq: i64, before: i64, entries: &[String]) -> Result<(), Failure> {
    let after = before + entries.len() as i64;
    if after > ENTRIES {
        return Err(Failure::Unreadable(format!("a run has more than {ENTRIES} entries")));
    }
    for (id, entry) in (seq * ENTRIES + before..).zip(entries) {
        tx.conn.prepare_cached("INSERT INTO entries (id, entry) VALUES (?1, ?2)")?.execute((id, entry))?;
    }
    tx.conn.prepare_cached("UPDATE runs SET entries = ?2 WHERE seq = ?1")?.execute((seq, after))?;
    Ok(())
}

/// Releases a lease: the run waits, is parked, or has ended. A failed run that holds its lane stays its head: only
/// `finished` makes the next one due.
fn release(tx: &mut Tx<'_>, seq: i64, update: &RunUpdate) -> Result<(), Failure> {
    let waits = update.state == RunState::Waiting;
    tx.conn
        .prepare_cached(
            "UPDATE runs SET state = ?2, due = CASE WHEN ?3 THEN coalesce(?4, 0) END,
                 owner = NULL, until = NULL
             WHERE seq = ?1",
        )?
        .execute((seq, code(update.state), waits, update.due.map(due)))?;
    if update.state.is_finished() && !update.holds_lane {
        finish(tx, seq, update.now)?;
    }
    tx.counters.run(Some(RunState::Running), update.state);
    tx.counters.work = true;
    Ok(())
}

/// Ends a run and makes the next one of its lane due.
fn finish(tx: &Tx<'_>, seq: i64, now: DateTime<Utc>) -> Result<(), Failure> {
    let (recipe, lane): (String, String) = tx
        .conn
        .prepare_cached("UPDATE runs SET finished = ?2 WHERE seq = ?1 RETURNING recipe, lane")?
        .query_row((seq, stamp(now)), |row| Ok((row.get(0)?, row.get(1)?)))?;
    advance(tx, &recipe, &lane)
}

/// Makes the first unfinished run of a lane due.
pub(super) fn advance(tx: &Tx<'_>, recipe: &str, lane: &str) -> Result<(), Failure> {
    tx.conn.prepare_cached(ADVANCE)?.execute((recipe, lane))?;
    Ok(())
}

/// Renews leases; returns those still held.
pub(super) fn renew(tx: &Tx<'_>, leases: Vec<Lease>, until: i64) -> Result<Vec<Lease>, Failure> {
    let mut extend =
        tx.conn.prepare_cached("UPDATE runs SET until = ?4 WHERE id = ?1 AND epoch = ?2 AND state = ?3")?;
    let mut held = Vec::with_capacity(leases.len());
    for lease in leases {
        if extend.execute((&lease.run.0, lease.epoch, code(RunState::Running), until))? == 1 {
            held.push(lease);
        }
    }
    Ok(held)
}

/// Makes runs due whose lease has expired at `now` or, with `alone`, has another owner than `owner`.
pub(super) fn reclaim(tx: &mut Tx<'_>, owner: &str, alone: bool, now: i64) -> Result<u64, Failure> {
    let count = tx.conn.prepare_cached(RECLAIM)?.execute((code(RunState::Waiting), now, alone, owner))?;
    for _ in 0..count {
        tx.counters.run(Some(RunState::Running), RunState::Waiting);
    }
    tx.counters.work |= count > 0;
    Ok(count as u64)
}

/// Makes sleeping runs of `recipe` due; returns their number.
pub(super) fn wake(tx: &mut Tx<'_>, recipe: &str) -> Result<u64, Failure> {
    let count = tx.conn.prepare_cached(WAKE)?.execute((NEVER, recipe))?;
    tx.counters.work |= count > 0;
    Ok(count as u64)
}

/// The nearest time that a run waits for.
pub(super) fn next_due(conn: &Connection) -> Result<Option<DateTime<Utc>>, Failure> {
    let stamp: Option<i64> = conn.prepare_cached(NEXT_DUE)?.query_row([], |row| row.get(0))?;
    Ok(stamp.filter(|due| *due < NEVER).map(time))
}
