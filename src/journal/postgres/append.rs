//! Storing events, the runs they cause, and a poller's progress.

use std::collections::HashMap;

use crate::event::Event;
use crate::journal::column::{receipt, stamp};
use crate::journal::{Appended, Batch, NewRun};

use super::failure::Failure;
use super::group::Job;
use super::patience::Patience;
use super::poller::Step;
use super::row::kept;
use super::server::Server;
use super::session::Params;

/// Events and runs in a group at most, but for a batch that is larger by itself.
pub(super) const MOST: usize = 256;

const APPEND: &str = "SELECT stored, work FROM hob_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
                      $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)";

/// A batch in the form of rows.
pub(super) struct Rows {
    events: Vec<(EventRow, Vec<RunRow>)>,
    step: Option<Step>,
}

/// An event in the form of a row.
pub(super) struct EventRow {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) kind: String,
    pub(super) connection: Option<String>,
    pub(super) record: Option<String>,
    pub(super) dedup: String,
    key: [u8; 16],
    pub(super) received: i64,
    pub(super) payload: String,
}

struct RunRow {
    id: String,
    recipe: String,
    lane: String,
    accounts: String,
}

impl Rows {
    /// The rows of `batch`.
    pub(super) fn new(batch: Batch) -> Result<Self, Failure> {
        let events = batch.events.into_iter().map(|(event, runs)| {
            let runs = runs.into_iter().map(RunRow::new).collect::<Result<_, _>>()?;
            Ok((EventRow::new(event)?, runs))
        });
        Ok(Self {
            events: events.collect::<Result<_, Failure>>()?,
            step: batch.progress.map(Step::new).transpose()?,
        })
    }
}

impl EventRow {
    /// The row of `event`.
    pub(super) fn new(event: Event) -> Result<Self, Failure> {
        let source = serde_json::to_string(&event.source)?;
        let some = |text: Option<String>| text.map(|text| kept(&text).into_owned());
        Ok(Self {
            id: kept(&event.id.0).into_owned(),
            key: receipt(&source, &event.dedup.0),
            source,
            kind: kept(&event.kind).into_owned(),
            connection: some(event.connection),
            record: some(event.record),
            dedup: kept(&event.dedup.0).into_owned(),
            received: stamp(event.received),
            payload: serde_json::to_string(&event.payload)?,
        })
    }
}

impl RunRow {
    fn new(run: NewRun) -> Result<Self, Failure> {
        Ok(Self {
            id: kept(&run.id.0).into_owned(),
            recipe: kept(&run.recipe).into_owned(),
            lane: kept(&run.lane).into_owned(),
            accounts: serde_json::to_string(&run.accounts)?,
        })
    }
}

/// Batches as columns. Of events with the same dedup key only the first is among them.
#[derive(Default)]
struct Columns<'a> {
    events: EventColumns<'a>,
    runs: RunColumns<'a>,
    step: Option<&'a Step>,
    /// Of each event of the batches: its place in the columns, if it is there.
    places: Vec<Option<usize>>,
}

/// Events as columns.
#[derive(Default)]
pub(super) struct EventColumns<'a> {
    pub(super) ids: Vec<&'a str>,
    pub(super) sources: Vec<&'a str>,
    pub(super) kinds: Vec<&'a str>,
    pub(super) connections: Vec<Option<&'a str>>,
    pub(super) records: Vec<Option<&'a str>>,
    pub(super) dedups: Vec<&'a str>,
    keys: Vec<&'a [u8]>,
    pub(super) receiveds: Vec<i64>,
    pub(super) payloads: Vec<&'a str>,
}

impl<'a> EventColumns<'a> {
    /// Adds a row.
    pub(super) fn push(&mut self, event: &'a EventRow) {
        self.ids.push(&event.id);
        self.sources.push(&event.source);
        self.kinds.push(&event.kind);
        self.connections.push(event.connection.as_deref());
        self.records.push(event.record.as_deref());
        self.dedups.push(&event.dedup);
        self.keys.push(&event.key);
        self.receiveds.push(event.received);
        self.payloads.push(&event.payload);
    }
}

#[derive(Default)]
struct RunColumns<'a> {
    /// The place of its event, from 1.
    events: Vec<i32>,
    ids: Vec<&'a str>,
    recipes: Vec<&'a str>,
    lanes: Vec<&'a str>,
    accounts: Vec<&'a str>,
    records: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn of(batches: &'a [Rows]) -> Self {
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
            self.runs.ids.push(&run.id);
            self.runs.recipes.push(&run.recipe);
            self.runs.lanes.push(&run.lane);
            self.runs.accounts.push(&run.accounts);
            self.runs.records.push(event.record.as_deref());
        }
    }

    /// Which events are stored, and whether there is work.
    async fn append(&self, server: &Server, doubt: &mut bool) -> Result<(Vec<bool>, bool), Failure> {
        let (events, runs, step) = (&self.events, &self.runs, self.step);
        let claim = step.and_then(|step| step.claim.as_ref());
        let (claim_name, claim_epoch) =
            (claim.map(|claim| kept(&claim.name)), claim.map(|claim| claim.epoch));
        let (key, text) = (step.map(|step| &step.key), step.map(|step| &step.cursor));
        let (scan, reset) = (step.map(|step| step.scan), step.map(|step| step.reset));
        let (seen_records, seen_prints) = step.map(Step::seen).unwrap_or_default();
        let forgotten = step.map(|step| &step.forgotten[..]).unwrap_or_default();
        let mut patience = Patience::new();
        loop {
            let again = *doubt;
            #[rustfmt::skip]
            let params: Params<'_> = &[
                &again,
                &events.ids, &events.sources, &events.kinds, &events.connections, &events.records,
                &events.dedups, &events.keys, &events.receiveds, &events.payloads,
                &runs.events, &runs.ids, &runs.recipes, &runs.lanes, &runs.accounts, &runs.records,
                &claim_name, &claim_epoch, &key, &text, &scan, &reset, &seen_records, &seen_prints, &forgotten,
            ];
            match server.pool.attempt(APPEND, params).await {
                Ok(rows) => {
                    let row = rows.first().ok_or(Failure::Closed)?;
                    return Ok((row.try_get(0)?, row.try_get(1)?));
                }
                Err(failure) => {
                    *doubt |= failure.ends_connection();
                    patience.bear(failure).await?;
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

    /// One poller's progress in a group.
    fn key(&self) -> Option<&str> {
        self.step.as_ref().map(|_| "progress")
    }

    async fn perform(
        server: &Server,
        batches: &[Self],
        doubt: &mut bool,
    ) -> Result<Vec<Result<Appended, Failure>>, Failure> {
        let columns = Columns::of(batches);
        let (stored, work) = columns.append(server, doubt).await?;
        if work {
            server.listener.tell();
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
