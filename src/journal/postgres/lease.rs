//! Handing out runs, keeping leases alive, and ending those of workers that are gone.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio_postgres::Row;

use crate::journal::encoding::{NEVER, time};
use crate::journal::{Lease, LeasedRun};

use super::failure::Failure;
use super::pool::Pool;
use super::retry::RetryBackoff;
use super::row::{self, escape_nul, number, unescape_nul};
use super::run_update;

/// Calls of which it is not known whether they were granted runs: the next call takes those up.
#[derive(Default)]
pub(super) struct Tickets(Mutex<Vec<(String, i64)>>);

/// The number of a call, in doubt until it is settled.
struct Ticket<'a> {
    tickets: &'a Tickets,
    owner: String,
    number: i64,
    doubt: bool,
    settled: bool,
}

impl Tickets {
    fn take(&self, owner: &str) -> Ticket<'_> {
        let mut left = self.list();
        let left = left.iter().position(|(of, _)| of == owner).map(|place| left.swap_remove(place).1);
        Ticket {
            tickets: self,
            owner: owner.to_owned(),
            number: left.unwrap_or_else(run_update::number),
            doubt: left.is_some(),
            settled: false,
        }
    }

    fn list(&self) -> MutexGuard<'_, Vec<(String, i64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.tickets.list().push((std::mem::take(&mut self.owner), self.number));
        }
    }
}

/// Leased runs with all that belongs to them, and those that nobody can read.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) runs: Vec<LeasedRun>,
    pub(super) unreadable: Vec<(Lease, String)>,
}

/// Leases up to `limit` due runs.
pub(super) async fn grant(
    pool: &Pool,
    tickets: &Tickets,
    owner: &str,
    limit: usize,
    now: i64,
    until: i64,
) -> Result<Loaded, Failure> {
    let mut ticket = tickets.take(owner);
    let (holder, limit) = (escape_nul(owner), i32::try_from(limit).unwrap_or(i32::MAX));
    let mut backoff = RetryBackoff::new();
    let rows = loop {
        let sql = "SELECT * FROM hob_lease_vN($1, $2, $3, $4, $5, $6)";
        match pool.attempt(sql, &[&holder, &limit, &now, &until, &ticket.number, &ticket.doubt]).await {
            Ok(rows) => break rows,
            Err(failure) => {
                ticket.doubt |= failure.ends_connection();
                // What the server refused, it has not done.
                ticket.settled = !ticket.doubt;
                backoff.pause_before_retry(failure).await?;
                ticket.settled = false;
            }
        }
    };
    ticket.settled = true;
    let mut loaded = Loaded::default();
    for row in &rows {
        match leased(row) {
            Ok(run) => loaded.runs.push(run),
            Err(Failure::Unreadable(reason)) => loaded.unreadable.push((lease(row)?, reason)),
            Err(failure) => return Err(failure),
        }
    }
    Ok(loaded)
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

/// Extends leases; answers those still held.
pub(super) async fn renew(pool: &Pool, leases: &[Lease], until: i64) -> Result<Vec<Lease>, Failure> {
    if leases.is_empty() {
        return Ok(Vec::new());
    }
    // In the order of ids, so that writers cannot deadlock.
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

/// Makes runs due whose lease has ended at `now`; how many.
pub(super) async fn reclaim(pool: &Pool, now: i64) -> Result<u64, Failure> {
    let rows = pool.query("SELECT hob_reclaim_vN($1)", &[&now]).await?;
    let count: i64 = rows.first().ok_or(Failure::Closed)?.try_get(0)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Makes runs of `recipe` due that sleep until they are woken; how many.
pub(super) async fn wake(pool: &Pool, recipe: &str) -> Result<u64, Failure> {
    let sql = "UPDATE runs SET due = priority, error = NULL WHERE due = $1 AND recipe = $2 RETURNING 1";
    let rows = pool.query(sql, &[&NEVER, &escape_nul(recipe)]).await?;
    Ok(rows.len() as u64)
}

/// The time of the last entry of all runs that wait beyond `now`.
pub(super) async fn last_wait(pool: &Pool, now: i64) -> Result<Option<DateTime<Utc>>, Failure> {
    let sql = "SELECT max(e.entry::json->>'at') FROM runs r
               JOIN entries e ON e.run = r.seq AND e.place = r.entries - 1 WHERE r.due > $1";
    let rows = pool.query(sql, &[&now]).await?;
    let last: Option<String> = rows.first().ok_or(Failure::Closed)?.try_get(0)?;
    Ok(last.and_then(|last| last.parse().ok()))
}

/// The nearest time that a run waits for.
pub(super) async fn next_due(pool: &Pool) -> Result<Option<DateTime<Utc>>, Failure> {
    let rows = pool.query("SELECT due FROM runs WHERE due >= 2 ORDER BY due LIMIT $1", &[&number(1)]).await?;
    let due: Option<i64> = rows.first().map(|row| row.try_get(0)).transpose()?;
    Ok(due.filter(|due| *due < NEVER).map(time))
}
