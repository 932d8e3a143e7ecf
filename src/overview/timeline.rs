//! What happened to a customer or a record, across recipes and apps: events, runs, and writes with what stood there before.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::Serialize;

use super::identifiers::key_of;
use super::written_field::{KnownFields, WrittenField};
use crate::catalog::Catalog;
use crate::event::{Event, EventId};
use crate::journal::{Error, Journal, RunFilter, RunRow, Written};
use crate::run::{RunId, RunState};
use crate::value::short_id;

/// Records whose other runs and writes are looked for as well.
const MAX_RECORDS: usize = 20;

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Timeline {
    /// What happened, the oldest first.
    pub moments: Vec<Moment>,
    /// The records that it is about, by id.
    pub records: Vec<String>,
    /// Whether there may be more than was asked for.
    pub more: bool,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Moment {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// An event was received.
    Event {
        /// It.
        event: EventId,
        /// Its kind.
        kind: String,
        /// Who reported it.
        source: String,
        /// The connection that it came through.
        connection: Option<String>,
        /// The record.
        record: Option<String>,
    },
    /// A run ended, or is where it is.
    Run {
        /// It.
        run: RunId,
        /// Its recipe.
        recipe: String,
        /// Its state.
        state: RunState,
        /// Why it is in this state.
        error: Option<String>,
        /// The event that it is about.
        event: EventId,
    },
    /// A run wrote to a record.
    Write {
        /// The run.
        run: RunId,
        /// Its recipe.
        recipe: String,
        /// The connection.
        connection: String,
        /// The operation.
        operation: String,
        /// The record.
        record: String,
        /// The fields.
        fields: Vec<WrittenField>,
    },
}

/// The timeline of what `text` names: the value of an identifying field, such as an e-mail address or a phone number, the id of
/// a record, or the beginning of a run's id. The newest `limit` moments.
pub async fn timeline(
    journal: &dyn Journal,
    catalog: &Catalog,
    text: &str,
    limit: usize,
) -> Result<Timeline, Error> {
    let mut found = Found::new(journal, limit);
    found.runs_by_id(text).await?;
    found.of_record(&short_id(text.trim().to_owned())).await?;
    found.of_identifier(text).await?;
    found.complete().await?;
    found.of_other_records().await?;
    found.complete().await?;
    Ok(found.into_timeline(catalog))
}

/// What is found, piece by piece.
struct Found<'a> {
    journal: &'a dyn Journal,
    limit: usize,
    events: IndexMap<EventId, Event>,
    runs: IndexMap<RunId, (RunRow, Option<EventId>)>,
    /// Runs that wrote to a record, of which no more is known yet.
    writers: BTreeSet<RunId>,
    writes: Vec<Written>,
    /// Records that were looked for.
    records: BTreeSet<String>,
    more: bool,
}

impl<'a> Found<'a> {
    fn new(journal: &'a dyn Journal, limit: usize) -> Self {
        Self {
            journal,
            limit,
            events: IndexMap::new(),
            runs: IndexMap::new(),
            writers: BTreeSet::new(),
            writes: Vec::new(),
            records: BTreeSet::new(),
            more: false,
        }
    }

    async fn runs_by_id(&mut self, text: &str) -> Result<(), Error> {
        let bare = text.strip_prefix("run_").unwrap_or(text);
        if bare.len() < 8 || !bare.chars().all(|letter| letter.is_ascii_hexdigit()) {
            return Ok(());
        }
        let rows = self.journal.runs_by_prefix(&format!("run_{bare}"), self.limit).await?;
        self.add_runs(rows);
        Ok(())
    }

    async fn of_record(&mut self, record: &str) -> Result<(), Error> {
        if !self.records.insert(record.to_owned()) {
            return Ok(());
        }
        let filter =
            RunFilter { record: Some(record.to_owned()), limit: Some(self.limit), ..RunFilter::default() };
        let rows = self.journal.runs(&filter).await?;
        self.add_runs(rows);
        let written = self.journal.written(record, None, self.limit).await?;
        self.more |= written.len() == self.limit;
        self.writers.extend(written.iter().map(|written| written.run.clone()));
        self.add_writes(written);
        Ok(())
    }

    async fn of_identifier(&mut self, text: &str) -> Result<(), Error> {
        let Some(key) = key_of(text) else { return Ok(()) };
        let events = self.journal.identified(&key, self.limit).await?;
        self.more |= events.len() == self.limit;
        let ids: Vec<EventId> = events.iter().map(|event| event.id.clone()).collect();
        let rows = self.journal.runs_of(&ids).await?;
        self.events.extend(events.into_iter().map(|event| (event.id.clone(), event)));
        self.add_runs(rows);
        Ok(())
    }

    fn add_runs(&mut self, rows: Vec<RunRow>) {
        self.more |= rows.len() == self.limit;
        for row in rows {
            self.runs.entry(row.id.clone()).or_insert((row, None));
        }
    }

    fn add_writes(&mut self, written: Vec<Written>) {
        for one in written {
            if !self.writes.contains(&one) {
                self.writes.push(one);
            }
        }
    }

    /// Completes each run with its event and its writes.
    async fn complete(&mut self) -> Result<(), Error> {
        let lacking = self.runs.values().filter(|(_, event)| event.is_none()).map(|(row, _)| row.id.clone());
        let known = |run: &&RunId| !self.runs.contains_key(*run);
        let lacking: Vec<RunId> = lacking.chain(self.writers.iter().filter(known).cloned()).collect();
        for (row, event) in self.journal.events_of(&lacking).await? {
            self.runs.insert(row.id.clone(), (row, Some(event.id.clone())));
            self.events.entry(event.id.clone()).or_insert(event);
        }
        let written = self.journal.writes_of(&lacking).await?;
        self.add_writes(written);
        Ok(())
    }

    /// What else concerns the records that these events and writes are about.
    async fn of_other_records(&mut self) -> Result<(), Error> {
        let of_events = self.events.values().filter_map(|event| event.record.clone());
        let of_writes = self.writes.iter().map(|written| written.write.record.clone());
        let mut records: BTreeSet<String> = of_events.chain(of_writes).collect();
        let mut linked = BTreeSet::new();
        for record in records.iter().take(MAX_RECORDS) {
            let links = self.journal.links_by_record(record).await?;
            linked.extend(links.into_iter().flat_map(|link| [link.from, link.to]));
        }
        records.extend(linked);
        self.more |= records.len() > MAX_RECORDS;
        for record in records.into_iter().take(MAX_RECORDS) {
            self.of_record(&record).await?;
        }
        Ok(())
    }

    fn into_timeline(mut self, catalog: &Catalog) -> Timeline {
        self.writes.sort_by_key(|written| written.at);
        let mut moments: Vec<Moment> = self.events.values().map(event_moment).collect();
        moments.extend(self.runs.into_values().filter_map(|(row, event)| Some(run_moment(row, event?))));
        moments.extend(write_moments(self.writes, catalog));
        moments.sort_by_key(|moment| (moment.at, rank(&moment.what)));
        let too_many = moments.len().saturating_sub(self.limit);
        moments.drain(..too_many);
        let records = self.records.into_iter();
        let about = |record: &String| moments.iter().any(|moment| concerns(&moment.what, record));
        let records = records.filter(about).collect();
        Timeline { records, more: self.more || too_many > 0, moments }
    }
}

/// At one time, what comes first.
fn rank(what: &What) -> u8 {
    match what {
        What::Event { .. } => 0,
        What::Write { .. } => 1,
        What::Run { .. } => 2,
    }
}

fn concerns(what: &What, id: &str) -> bool {
    match what {
        What::Event { record, .. } => record.as_deref() == Some(id),
        What::Write { record, .. } => record == id,
        What::Run { .. } => false,
    }
}

fn event_moment(event: &Event) -> Moment {
    let what = What::Event {
        event: event.id.clone(),
        kind: event.kind.to_string(),
        source: event.source.to_string(),
        connection: event.connection.clone(),
        record: event.record.clone(),
    };
    Moment { at: event.received, what }
}

fn run_moment(row: RunRow, event: EventId) -> Moment {
    let at = row.finished.unwrap_or(row.created);
    let RunRow { id: run, recipe, state, error, .. } = row;
    Moment { at, what: What::Run { run, recipe, state, error, event } }
}

/// Writes in order, each with what an earlier one had set the same fields to.
fn write_moments(writes: Vec<Written>, catalog: &Catalog) -> Vec<Moment> {
    let mut known = KnownFields::default();
    let moments = writes.into_iter().map(|written| {
        let Written { run, recipe, at, write } = written;
        let operation = catalog.operation(&write.operation).map(Arc::as_ref);
        let fields = known.next(&write, operation);
        let (connection, operation, record) = (write.connection, write.operation, write.record);
        Moment { at, what: What::Write { run, recipe, connection, operation, record, fields } }
    });
    moments.collect()
}
