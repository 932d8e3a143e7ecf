//! Interventions in runs that are not leased.

use rusqlite::OptionalExtension;

use super::failure::Failure;
use super::lease::{advance, insert_entries};
use super::writer::Tx;
use crate::journal::RunUpdate;
use crate::journal::encoding::{code, stamp};
use crate::run::{RunId, RunState};

/// Appends to a run that is not leased and has exactly `seen` entries; `false` otherwise.
pub(super) fn amend(
    tx: &mut Tx<'_>,
    run: &RunId,
    seen: usize,
    entries: &[String],
    update: &RunUpdate,
) -> Result<bool, Failure> {
    let found = tx
        .conn
        .prepare_cached(
            "SELECT seq, state, recipe, lane, due IS NOT NULL, finished IS NOT NULL FROM runs
             WHERE id = ?1 AND entries = ?2",
        )?
        .query_row((&run.0, seen as i64), |row| {
            Ok(StoredRun {
                seq: row.get(0)?,
                state: row.get(1)?,
                recipe: row.get(2)?,
                lane: row.get(3)?,
                due: row.get(4)?,
                finished: row.get(5)?,
            })
        })
        .optional()?;
    let Some(stored) = found.filter(|stored| stored.state != code(RunState::Running)) else {
        return Ok(false);
    };
    insert_entries(tx, stored.seq, seen as i64, entries)?;
    let before = RunState::ALL.into_iter().find(|state| code(*state) == stored.state);
    if update.state.is_finished() {
        end(tx, &stored, update)?
    } else {
        reopen(tx, &stored, update)?
    }
    tx.counters.run(before, update.state);
    tx.counters.work = true;
    Ok(true)
}

/// A run and its state.
struct StoredRun {
    seq: i64,
    state: i64,
    recipe: String,
    lane: String,
    /// It is the head of its lane and due, now or at a time.
    due: bool,
    finished: bool,
}

/// Appends the run to the end of its lane; due at once if the lane is empty.
fn reopen(tx: &Tx<'_>, stored: &StoredRun, update: &RunUpdate) -> Result<(), Failure> {
    let behind = stored.finished
        && tx
            .conn
            .prepare_cached(
                "SELECT 1 FROM runs WHERE recipe = ?1 AND lane = ?2 AND finished IS NULL LIMIT 1",
            )?
            .exists((&stored.recipe, &stored.lane))?;
    tx.conn
        .prepare_cached(
            "UPDATE runs SET state = ?2, due = CASE WHEN NOT ?3 THEN 0 END, finished = NULL, error = ?4, version = coalesce(?5, version)
             WHERE seq = ?1",
        )?
        .execute((stored.seq, code(update.state), behind, &update.error, &update.version))?;
    Ok(())
}

fn end(tx: &Tx<'_>, stored: &StoredRun, update: &RunUpdate) -> Result<(), Failure> {
    tx.conn
        .prepare_cached(
            "UPDATE runs SET state = ?2, due = NULL, error = ?3, finished = coalesce(finished, ?4)
             WHERE seq = ?1",
        )?
        .execute((stored.seq, code(update.state), &update.error, stamp(update.now)))?;
    let holds = [code(RunState::Parked), code(RunState::Failed)].contains(&stored.state);
    let head = !stored.finished && (stored.due || holds);
    if head { advance(tx, &stored.recipe, &stored.lane) } else { Ok(()) }
}
