//! Leases runs, renews leases, and reclaims expired ones.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::event::Priority;
use crate::journal::encoding::{NEVER, time};
use crate::journal::event_row::rank;
use crate::journal::turns::{Turn, Turns};
use crate::journal::{Lease, LeasedRun, Slots};

use super::failure::Failure;
use super::pool::Pool;
use super::retry::RetryBackoff;
use super::row::{self, escape_nul, number, unescape_nul};
use super::run_update;

/// Lease calls whose answer was lost, so that runs may have been granted: the next call takes those runs up.
#[derive(Default)]
struct Tickets(Mutex<Vec<(String, i64)>>);

/// The number of a lease call, kept in [`Tickets`] on drop unless its answer arrived.
struct Ticket<'a> {
    tickets: &'a Tickets,
    owner: String,
    number: i64,
    maybe_done: bool,
    answered: bool,
}

impl Tickets {
    fn take(&self, owner: &str) -> Ticket<'_> {
        let mut left = self.list();
        let left = left.iter().position(|(of, _)| of == owner).map(|place| left.swap_remove(place).1);
        Ticket {
            tickets: self,
            owner: owner.to_owned(),
            number: left.unwrap_or_else(run_update::number),
            maybe_done: left.is_some(),
            answered: false,
        }
    }

    fn list(&self) -> MutexGuard<'_, Vec<(String, i64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.tickets.list().push((std::mem::take(&mut self.owner), self.number));
        }
    }
}

/// Leased runs with their data, and those that cannot be decoded.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) runs: Vec<LeasedRun>,
    pub(super) unreadable: Vec<(Lease, String)>,
}

/// What a store remembers between lease calls.
#[derive(Default)]
pub(super) struct LeaseState {
    tickets: Tickets,
    turns: Turns,
}

/// Leases as many due runs as there are slots.
pub(super) async fn grant(
    pool: &Pool,
    state: &LeaseState,
    owner: &str,
    slots: Slots,
    now: i64,
    until: i64,
) -> Result<Loaded, Failure> {
    let mut ticket = state.tickets.take(owner);
    let holder = escape_nul(owner);
    let free = slots.free().map(|free| i32::try_from(free).unwrap_or(i32::MAX)).to_vec();
    let first = slots.first().map(|first| rank(first) as i32);
    let last = state.turns.last();
    let recipes: Vec<_> = last.iter().map(|turn| turn.recipe.as_str()).collect();
    let accounts: Vec<_> = last.iter().map(|turn| turn.accounts.as_str()).collect();
    let dues: Vec<_> = last.iter().map(|turn| turn.due).collect();
    let mut backoff = RetryBackoff::new();
    let rows = loop {
        let sql = "SELECT * FROM hob_lease_vN($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let (number, doubt) = (&ticket.number, &ticket.maybe_done);
        let params: &[&(dyn ToSql + Sync)] =
            &[&holder, &free, &first, &recipes, &accounts, &dues, &now, &until, number, doubt];
        match pool.attempt(sql, params).await {
            Ok(rows) => break rows,
            Err(failure) => {
                ticket.maybe_done |= failure.ends_connection();
                // A statement that the server rejected was not executed.
                ticket.answered = !ticket.maybe_done;
                backoff.pause_before_retry(failure).await?;
                ticket.answered = false;
            }
        }
    };
    ticket.answered = true;
    let mut loaded = Loaded::default();
    for row in &rows {
        note_turn(&state.turns, row)?;
        match leased(row) {
            Ok(run) => loaded.runs.push(run),
            Err(Failure::Unreadable(reason)) => loaded.unreadable.push((lease(row)?, reason)),
            Err(failure) => return Err(failure),
        }
    }
    Ok(loaded)
}

/// Notes whose turn it was, in the form in which it is stored.
fn note_turn(turns: &Turns, row: &Row) -> Result<(), Failure> {
    let rank: i32 = row.try_get("run_priority")?;
    let priority = usize::try_from(rank).ok().and_then(|rank| Priority::ALL.get(rank));
    if let Some((priority, due)) = priority.zip(row.try_get("run_turn")?) {
        let (recipe, accounts) = (row.try_get("run_recipe")?, row.try_get("run_accounts")?);
        turns.set(*priority, Turn { recipe, accounts, due });
    }
    Ok(())
}

fn lease(row: &Row) -> Result<Lease, Failure> {
    Ok(Lease {
        run: crate::run::RunId(unescape_nul(row.try_get("run_id")?)),
        epoch: row.try_get("run_epoch")?,
    })
}

fn leased(row: &Row) -> Result<LeasedRun, Failure> {
    let mut row = row::read(row)?;
    let mut run = row.run()?;
    let lease = Lease { run: run.id.clone(), epoch: row.integer()? };
    let event = row.event()?;
    run.event = event.id.clone();
    Ok(LeasedRun { lease, run, event, entries: row.entries()? })
}

/// Renews leases; returns those still held.
pub(super) async fn renew(pool: &Pool, leases: &[Lease], until: i64) -> Result<Vec<Lease>, Failure> {
    if leases.is_empty() {
        return Ok(Vec::new());
    }
    // In order of ids, so that writers cannot deadlock.
    let mut order: Vec<usize> = (0..leases.len()).collect();
    order.sort_by(|a, b| leases[*a].run.cmp(&leases[*b].run));
    let ids: Vec<_> = order.iter().map(|place| escape_nul(&leases[*place].run.0)).collect();
    let epochs: Vec<i64> = order.iter().map(|place| leases[*place].epoch).collect();
    let rows = pool.query("SELECT hob_renew_vN($1, $2, $3)", &[&ids, &epochs, &until]).await?;
    let row = rows.first().ok_or(Failure::Closed)?;
    let held: Vec<bool> = row.try_get(0)?;
    let mut held: Vec<usize> =
        order.into_iter().zip(held).filter(|(_, held)| *held).map(|(place, _)| place).collect();
    held.sort_unstable();
    Ok(held.into_iter().map(|place| leases[place].clone()).collect())
}

/// Makes runs due whose lease has expired at `now`; returns their number.
pub(super) async fn reclaim(pool: &Pool, now: i64) -> Result<u64, Failure> {
    let rows = pool.query("SELECT hob_reclaim_vN($1)", &[&now]).await?;
    let count: i64 = rows.first().ok_or(Failure::Closed)?.try_get(0)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Makes sleeping runs of `recipe` due; returns their number.
pub(super) async fn wake(pool: &Pool, recipe: &str) -> Result<u64, Failure> {
    let sql = "UPDATE runs SET due = 1, error = NULL WHERE due > 0 AND due = $1 AND recipe = $2 RETURNING 1";
    let rows = pool.query(sql, &[&NEVER, &escape_nul(recipe)]).await?;
    Ok(rows.len() as u64)
}

/// The latest time of an entry of the runs that wait beyond `now`.
pub(super) async fn last_wait(pool: &Pool, now: i64) -> Result<Option<DateTime<Utc>>, Failure> {
    let sql = "SELECT max(e.entry::json->>'at') FROM runs r
               JOIN entries e ON e.run = r.seq AND e.place = r.entries - 1 WHERE r.due > 0 AND r.due > $1";
    let rows = pool.query(sql, &[&now]).await?;
    let last: Option<String> = rows.first().ok_or(Failure::Closed)?.try_get(0)?;
    Ok(last.and_then(|last| last.parse().ok()))
}

/// The nearest time that a run waits for.
pub(super) async fn next_due(pool: &Pool) -> Result<Option<DateTime<Utc>>, Failure> {
    let rows = pool
        .query("SELECT due FROM runs WHERE due > 0 AND due > 1 ORDER BY due LIMIT $1", &[&number(1)])
        .await?;
    let due: Option<i64> = rows.first().map(|row| row.try_get(0)).transpose()?;
    Ok(due.filter(|due| *due < NEVER).map(time))
}
