//! Stores events, their runs, and a poller's progress.

use crate::journal::encoding::{AT_ONCE, code};
use crate::journal::event_row::{EventRow, RunRow};
use crate::journal::format::EntryError;
use crate::journal::{Appended, Batch};
use crate::run::RunState;

use super::claim;
use super::coalesce;
use super::failure::Failure;
use super::poller::Step;
use super::writer::Tx;

/// A batch as rows, encoded by the caller to keep work off the writer.
pub(super) struct Rows {
    events: Vec<(EventRow, Vec<RunRow>)>,
    step: Option<Step>,
}

impl Rows {
    /// The rows of `batch`.
    pub(super) fn new(batch: Batch) -> Result<Self, Failure> {
        let events = batch.events.into_iter().map(|(event, runs)| {
            let runs = runs
                .into_iter()
                .map(|run| RunRow::new(run, event.received))
                .collect::<Result<_, EntryError>>()?;
            Ok((EventRow::new(event)?, runs))
        });
        Ok(Self {
            events: events.collect::<Result<_, Failure>>()?,
            step: batch.progress.map(Step::new).transpose()?,
        })
    }

    /// Stores them.
    pub(super) fn append(self, tx: &mut Tx<'_>) -> Result<Appended, Failure> {
        let mut appended = Appended::default();
        if let Some(claim) = self.step.as_ref().and_then(|step| step.claim.as_ref()) {
            claim::ensure_held(tx, claim)?;
        }
        for (event, runs) in &self.events {
            if !receive(tx, event)? {
                appended.duplicates += 1;
                continue;
            }
            let seq = insert_event(tx, event)?;
            for run in runs {
                insert_run(tx, event, seq, run)?;
            }
            appended.events += 1;
            appended.runs += runs.len();
        }
        if let Some(step) = self.step {
            step.save(tx)?;
        }
        Ok(appended)
    }
}

/// Stores the event's dedup key; false if it exists.
fn receive(tx: &Tx<'_>, event: &EventRow) -> Result<bool, Failure> {
    let new = tx
        .conn
        .prepare_cached("INSERT INTO receipts (key, received) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute((&event.key, event.received))?;
    Ok(new == 1)
}

/// Stores an event; returns its sequence number.
fn insert_event(tx: &mut Tx<'_>, event: &EventRow) -> Result<i64, Failure> {
    let seq = tx
        .conn
        .prepare_cached(
            "INSERT INTO events (id, source, kind, connection, record, dedup, received, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .insert((
            &event.id,
            &event.source,
            &event.kind,
            &event.connection,
            &event.record,
            &event.dedup,
            event.received,
            &event.payload,
        ))?;
    tx.counters.event();
    Ok(seq)
}

/// A run is due only if no unfinished run of its lane precedes it.
fn insert_run(tx: &mut Tx<'_>, event: &EventRow, seq: i64, run: &RunRow) -> Result<(), Failure> {
    let earlier = run.window.as_ref().map_or(Ok(None), |window| coalesce::earlier(tx, event, run, window))?;
    let until = earlier.or(run.window.as_ref().map(|window| window.until));
    let behind = tx
        .conn
        .prepare_cached("SELECT 1 FROM runs WHERE recipe = ?1 AND lane = ?2 AND finished IS NULL LIMIT 1")?
        .exists((&run.recipe, &run.lane))?;
    tx.conn
        .prepare_cached(
            "INSERT INTO runs (id, event, recipe, lane, accounts, record, state, created, due, priority,
                 coalesce_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute((
            &run.id,
            seq,
            &run.recipe,
            &run.lane,
            &run.accounts,
            &event.record,
            code(RunState::Waiting),
            event.received,
            (!behind).then_some(until.unwrap_or(AT_ONCE)),
            event.priority,
            until,
        ))?;
    tx.counters.run(None, RunState::Waiting);
    tx.counters.work = true;
    Ok(())
}
