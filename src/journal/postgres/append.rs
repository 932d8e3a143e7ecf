//! Stores events, their runs, and a poller's progress.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::journal::event_row::{EventRow, RunRow};
use crate::journal::format::EntryError;
use crate::journal::{Appended, Batch};

use super::batcher::Job;
use super::failure::Failure;
use super::poller::Step;
use super::retry::RetryBackoff;
use super::row::{escape_nul, escape_nul_some};
use super::server::Server;
use super::session::Params;

/// Events and runs per group, unless a single batch is larger.
pub(super) const MAX_GROUP: usize = 256;

const APPEND: &str = "SELECT stored, work FROM hob_append_vN($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
                      $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)";

/// A batch as rows.
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
}

/// Batches as columns. Of events with the same dedup key only the first is included.
#[derive(Default)]
struct Columns<'a> {
    events: EventColumns<'a>,
    runs: RunColumns<'a>,
    step: Option<&'a Step>,
    /// For each event of the batches, its place in the columns if it is included.
    places: Vec<Option<usize>>,
}

/// Events as columns.
#[derive(Default)]
struct EventColumns<'a> {
    ids: Vec<Cow<'a, str>>,
    sources: Vec<&'a str>,
    kinds: Vec<Cow<'a, str>>,
    connections: Vec<Option<Cow<'a, str>>>,
    records: Vec<Option<Cow<'a, str>>>,
    dedups: Vec<Cow<'a, str>>,
    keys: Vec<&'a [u8]>,
    receiveds: Vec<i64>,
    payloads: Vec<&'a str>,
}

impl<'a> EventColumns<'a> {
    /// Adds a row.
    fn push(&mut self, event: &'a EventRow) {
        self.ids.push(escape_nul(&event.id));
        self.sources.push(&event.source);
        self.kinds.push(escape_nul(&event.kind));
        self.connections.push(escape_nul_some(event.connection.as_deref()));
        self.records.push(escape_nul_some(event.record.as_deref()));
        self.dedups.push(escape_nul(&event.dedup));
        self.keys.push(&event.key);
        self.receiveds.push(event.received);
        self.payloads.push(&event.payload);
    }
}

#[derive(Default)]
struct RunColumns<'a> {
    /// The place of the run's event, from 1.
    events: Vec<i32>,
    ids: Vec<Cow<'a, str>>,
    recipes: Vec<Cow<'a, str>>,
    lanes: Vec<Cow<'a, str>>,
    accounts: Vec<&'a str>,
    records: Vec<Option<Cow<'a, str>>>,
    priorities: Vec<i32>,
    windows: Vec<Option<i64>>,
    entries: Vec<Option<&'a str>>,
    reasons: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn from_batches(batches: &'a [Rows]) -> Self {
        let mut columns = Self::default();
        let mut keys = HashMap::new();
        for batch in batches {
            for (event, runs) in &batch.events {
                let next = columns.events.ids.len();
                let first = *keys.entry(event.key).or_insert(next) == next;
                columns.places.push(first.then_some(next));
                if first {
                    columns.push(event, runs);
                }
            }
            columns.step = columns.step.or(batch.step.as_ref());
        }
        columns
    }

    fn push(&mut self, event: &'a EventRow, runs: &'a [RunRow]) {
        self.events.push(event);
        let place = i32::try_from(self.events.ids.len()).unwrap_or(i32::MAX);
        for run in runs {
            self.runs.events.push(place);
            self.runs.ids.push(escape_nul(&run.id));
            self.runs.recipes.push(escape_nul(&run.recipe));
            self.runs.lanes.push(escape_nul(&run.lane));
            self.runs.accounts.push(&run.accounts);
            self.runs.records.push(escape_nul_some(event.record.as_deref()));
            self.runs.priorities.push(event.priority);
            self.runs.windows.push(run.window.as_ref().map(|window| window.until));
            self.runs.entries.push(run.window.as_ref().map(|window| window.entry.as_str()));
            self.runs.reasons.push(run.window.as_ref().map(|window| window.reason.as_str()));
        }
    }

    /// Which events were stored, and whether there is work.
    async fn append(&self, server: &Server, maybe_done: &mut bool) -> Result<(Vec<bool>, bool), Failure> {
        let (events, runs, step) = (&self.events, &self.runs, self.step);
        let claim = step.and_then(|step| step.claim.as_ref());
        let (claim_name, claim_epoch) =
            (claim.map(|claim| escape_nul(&claim.name)), claim.map(|claim| claim.epoch));
        let (key, text) = (step.map(|step| &step.key), step.map(|step| &step.cursor));
        let (scan, reset) = (step.map(|step| step.scan), step.map(|step| step.reset));
        let beside = step.is_some_and(|step| step.beside);
        let (seen_records, seen_prints) = step.map(Step::seen).unwrap_or_default();
        let forgotten = step.map(|step| &step.forgotten[..]).unwrap_or_default();
        let mut backoff = RetryBackoff::new();
        loop {
            let again = *maybe_done;
            #[rustfmt::skip]
            let params: Params<'_> = &[
                &again,
                &events.ids, &events.sources, &events.kinds, &events.connections, &events.records,
                &events.dedups, &events.keys, &events.receiveds, &events.payloads,
                &runs.events, &runs.ids, &runs.recipes, &runs.lanes, &runs.accounts, &runs.records,
                &runs.priorities, &runs.windows, &runs.entries, &runs.reasons,
                &claim_name, &claim_epoch, &key, &text, &scan, &reset, &seen_records, &seen_prints, &forgotten,
                &beside,
            ];
            match server.pool.attempt(APPEND, params).await {
                Ok(rows) => {
                    let row = rows.first().ok_or(Failure::Closed)?;
                    return Ok((row.try_get(0)?, row.try_get(1)?));
                }
                Err(failure) => {
                    *maybe_done |= failure.ends_connection();
                    backoff.pause_before_retry(failure).await?;
                }
            }
        }
    }
}

impl Job for Rows {
    type Answer = Appended;

    fn size(&self) -> usize {
        self.events.iter().map(|(_, runs)| 1 + runs.len()).sum::<usize>().max(1)
    }

    /// A group contains at most one page of a poller.
    fn key(&self) -> Option<&str> {
        self.step.as_ref().map(|_| "progress")
    }

    async fn perform(
        server: &Server,
        batches: &[Self],
        maybe_done: &mut bool,
    ) -> Result<Vec<Result<Appended, Failure>>, Failure> {
        let columns = Columns::from_batches(batches);
        let (stored, work) = columns.append(server, maybe_done).await?;
        if work {
            server.listener.notify();
        }
        let mut places = columns.places.iter();
        let answers = batches.iter().map(|batch| {
            let mut appended = Appended::default();
            for ((_, runs), place) in batch.events.iter().zip(places.by_ref()) {
                if place.is_some_and(|place| stored.get(place) == Some(&true)) {
                    appended.events += 1;
                    appended.runs += runs.len();
                } else {
                    appended.duplicates += 1;
                }
            }
            Ok(appended)
        });
        Ok(answers.collect())
    }
}
