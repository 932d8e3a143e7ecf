//! Chooses the runs to be leased. Each is found by one search of an index, however many wait.

use rusqlite::{Connection, OptionalExtension};

use crate::event::Priority;
use crate::journal::Slots;
use crate::journal::encoding::{MAX_WOKEN, code};
use crate::journal::event_row::rank;
use crate::journal::turns::{Turn, Turns};
use crate::run::RunState;

use super::failure::Failure;
use super::writer::Tx;

/// Runs whose wait is over take turns from now on.
pub(super) const WAKE_DUE: &str = "UPDATE runs SET due = 1 WHERE seq IN
     (SELECT seq FROM runs WHERE due > 0 AND due > 1 AND due <= ?1 ORDER BY due LIMIT ?2)";
/// The first run of the next turn: with the same recipe and accounts, with other accounts, or of another recipe. SQLite
/// would compare rows of columns with a search for the first column alone, and pass over all runs of one recipe.
pub(super) const NEXT: [&str; 3] = [
    "SELECT seq, recipe, accounts, due FROM runs WHERE due <= 1 AND priority = ?1
     AND recipe = ?2 AND accounts = ?3 AND due > ?4 ORDER BY due, seq LIMIT 1",
    "SELECT seq, recipe, accounts, due FROM runs WHERE due <= 1 AND priority = ?1
     AND recipe = ?2 AND accounts > ?3 AND ?4 IS NOT NULL ORDER BY accounts, due, seq LIMIT 1",
    "SELECT seq, recipe, accounts, due FROM runs WHERE due <= 1 AND priority = ?1
     AND recipe > ?2 AND ?3 IS NOT NULL AND ?4 IS NOT NULL ORDER BY recipe, accounts, due, seq LIMIT 1",
];

/// A newly leased run.
pub(super) struct Grant {
    pub(super) seq: i64,
    pub(super) epoch: i64,
}

/// Who leases runs, and from when until when.
pub(super) struct Term {
    pub(super) owner: String,
    pub(super) now: i64,
    pub(super) until: i64,
}

/// Leases as many due runs as there are slots.
pub(super) fn grant(
    tx: &mut Tx<'_>,
    turns: &Turns,
    mut slots: Slots,
    term: &Term,
) -> Result<Vec<Grant>, Failure> {
    tx.conn.prepare_cached(WAKE_DUE)?.execute((term.now, MAX_WOKEN))?;
    let mut grants = Vec::new();
    for (priority, most) in slots.order() {
        for _ in 0..most.min(slots.of(priority)) {
            let Some((seq, turn)) = next(tx.conn, priority, turns)? else { break };
            turns.set(priority, turn);
            slots.take(priority);
            grants.push(lease(tx, seq, term)?);
        }
    }
    Ok(grants)
}

/// The first run of the turn after the last one; after the last of all turns comes the first.
fn next(conn: &Connection, priority: Priority, turns: &Turns) -> Result<Option<(i64, Turn)>, Failure> {
    let last = turns.last_of(priority);
    match after(conn, priority, &last)? {
        None if last != Turn::START => after(conn, priority, &Turn::START),
        found => Ok(found),
    }
}

/// The first run of the turn after `turn`.
fn after(conn: &Connection, priority: Priority, turn: &Turn) -> Result<Option<(i64, Turn)>, Failure> {
    for sql in NEXT {
        let params = (rank(priority) as i64, &turn.recipe, &turn.accounts, turn.due);
        let found = conn.prepare_cached(sql)?.query_row(params, |row| {
            Ok((row.get(0)?, Turn { recipe: row.get(1)?, accounts: row.get(2)?, due: row.get(3)? }))
        });
        if let Some(found) = found.optional()? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn lease(tx: &mut Tx<'_>, seq: i64, term: &Term) -> Result<Grant, Failure> {
    let epoch = tx
        .conn
        .prepare_cached(
            "UPDATE runs SET state = ?2, due = NULL, owner = ?3, until = ?4, epoch = epoch + 1
             WHERE seq = ?1 RETURNING epoch",
        )?
        .query_row((seq, code(RunState::Running), &term.owner, term.until), |row| row.get(0))?;
    tx.counters.run(Some(RunState::Waiting), RunState::Running);
    Ok(Grant { seq, epoch })
}
