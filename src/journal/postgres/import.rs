//! Storing what another store exported. What is there already stays as it is, so that an import that
//! was broken off can be begun again.

use chrono::{DateTime, Utc};

use crate::journal::encoding::{due, stamp, unsettled_text};
use crate::journal::event_row::EventRow;
use crate::journal::{Due, Record};
use crate::run::{Run, RunId, RunState, StampedEntry, Write};

use super::append::EventColumns;
use super::failure::Failure;
use super::row::{code, escape_nul, escape_nul_some, number, texts};
use super::server::Server;
use super::session::Params;

const EVENTS: &str = "WITH added AS (
        INSERT INTO events (id, source, kind, connection, record, dedup, received, payload)
        SELECT e.id, e.source, e.kind, e.connection, e.record, e.dedup, e.received, e.payload
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
            $8::text[]) WITH ORDINALITY AS e (id, source, kind, connection, record, dedup, received, payload, place)
        ORDER BY e.place
        ON CONFLICT (id) DO NOTHING RETURNING 1
    ) SELECT hob_count(ARRAY[-1], ARRAY[count(*)]) FROM added";
const RUNS: &str = "SELECT hob_import($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
/// Those of runs that this transaction has inserted, which bear its number.
const WRITES: &str = "INSERT INTO writes (run, record, connection, operation, fields, at)
    SELECT r.seq, w.record, w.connection, w.operation, w.fields, w.at
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
        WITH ORDINALITY AS w (run, record, connection, operation, fields, at, place)
    JOIN runs r ON r.id = w.run
    WHERE r.xmin = pg_current_xact_id()::xid ORDER BY w.place";
const UNSETTLED: &str = "UPDATE runs r SET unsettled = u.unsettled
    FROM unnest($1::text[], $2::text[]) AS u (run, unsettled)
    WHERE r.id = u.run AND r.xmin = pg_current_xact_id()::xid";
const RECEIPTS: &str = "INSERT INTO receipts (key, received)
    SELECT r.key, r.received FROM unnest($1::bytea[], $2::bigint[]) AS r (key, received) ORDER BY r.key
    ON CONFLICT DO NOTHING";
const CURSORS: &str = "INSERT INTO cursors (key, cursor)
    SELECT c.key, c.cursor FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS c (key, cursor, place)
    ORDER BY c.place ON CONFLICT DO NOTHING";
/// A record of a cursor that is missing breaks a rule of the table, and with it the import.
const SEEN: &str = "INSERT INTO seen (cursor, record, fingerprint, scan)
    SELECT (SELECT c.seq FROM cursors c WHERE c.key = s.cursor), s.record, s.print, s.scan
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS s (cursor, record, print, scan)
    ON CONFLICT DO NOTHING";
const RECIPES: &str = "INSERT INTO recipes (name, version, file, text)
    SELECT r.name, r.version, r.file, r.text
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS r (name, version, file, text)
    ON CONFLICT DO NOTHING";
const LINKS: &str = "SELECT hob_link(l.name, l.from_record, l.to_record)
    FROM unnest($1::text[], $2::text[], $3::text[]) AS l (name, from_record, to_record)
    WHERE NOT EXISTS (SELECT 1 FROM links k WHERE k.name = l.name AND k.from_record = l.from_record)";
const VALUES: &str = "INSERT INTO state (key, value)
    SELECT v.key, v.value FROM unnest($1::text[], $2::text[]) AS v (key, value) ON CONFLICT DO NOTHING";

/// Records as columns.
#[derive(Default)]
struct Records {
    events: Vec<EventRow>,
    runs: Runs,
    writes: Writes,
    unsettled: (Vec<String>, Vec<String>),
    receipts: (Vec<Vec<u8>>, Vec<i64>),
    cursors: (Vec<String>, Vec<String>),
    seen: (Vec<String>, Vec<String>, Vec<String>, Vec<i64>),
    recipes: (Vec<String>, Vec<String>, Vec<String>, Vec<String>),
    links: (Vec<String>, Vec<String>, Vec<String>),
    values: (Vec<String>, Vec<String>),
}

/// Runs as columns, and their entries.
#[derive(Default)]
struct Runs {
    ids: Vec<String>,
    events: Vec<String>,
    recipes: Vec<String>,
    lanes: Vec<String>,
    accounts: Vec<String>,
    records: Vec<Option<String>>,
    versions: Vec<Option<String>>,
    states: Vec<i32>,
    createds: Vec<i64>,
    finisheds: Vec<Option<i64>>,
    errors: Vec<Option<String>>,
    dues: Vec<Option<i64>>,
    sizes: Vec<i32>,
    entry_runs: Vec<String>,
    entry_places: Vec<i32>,
    entry_texts: Vec<String>,
}

/// What runs wrote, as columns.
#[derive(Default)]
struct Writes {
    runs: Vec<String>,
    records: Vec<String>,
    connections: Vec<String>,
    operations: Vec<String>,
    fields: Vec<String>,
    times: Vec<i64>,
}

/// Where a run stands.
struct Place {
    state: RunState,
    about: Option<String>,
    finished: Option<i64>,
    error: Option<String>,
    due: Due,
}

fn owned(text: &str) -> String {
    escape_nul(text).into_owned()
}

impl Runs {
    fn push(&mut self, run: &Run, place: Place, entries: &[StampedEntry]) -> Result<(), Failure> {
        let some = |text: Option<&str>| escape_nul_some(text).map(|text| text.into_owned());
        let texts = texts(entries)?;
        self.ids.push(owned(&run.id.0));
        self.events.push(owned(&run.event.0));
        self.recipes.push(owned(&run.recipe));
        self.lanes.push(owned(&run.lane));
        self.accounts.push(serde_json::to_string(&run.accounts)?);
        self.records.push(some(place.about.as_deref()));
        self.versions.push(some(run.version.as_deref()));
        self.states.push(code(place.state));
        self.createds.push(stamp(run.created));
        self.finisheds.push(place.finished);
        self.errors.push(some(place.error.as_deref()));
        self.dues.push(match place.due {
            Due::Never => None,
            // Stands for the priority, which the server knows.
            Due::Now => Some(0),
            Due::At(at) => Some(due(at)),
        });
        self.sizes.push(i32::try_from(texts.len()).unwrap_or(i32::MAX));
        for (place, text) in (0..).zip(texts) {
            self.entry_runs.push(owned(&run.id.0));
            self.entry_places.push(place);
            self.entry_texts.push(text);
        }
        Ok(())
    }
}

impl Writes {
    fn push(&mut self, run: &RunId, writes: &[(DateTime<Utc>, Write)]) -> Result<(), Failure> {
        for (at, write) in writes {
            self.runs.push(owned(&run.0));
            self.records.push(owned(&write.record));
            self.connections.push(owned(&write.connection));
            self.operations.push(owned(&write.operation));
            self.fields.push(serde_json::to_string(&write.fields)?);
            self.times.push(stamp(*at));
        }
        Ok(())
    }
}

impl Records {
    fn push(&mut self, record: Record) -> Result<(), Failure> {
        match record {
            Record::Event(event) => self.events.push(EventRow::new(event)?),
            Record::Run { run, state, about, finished, error, due, entries, writes, unsettled } => {
                if !unsettled.is_empty() {
                    self.unsettled.0.push(owned(&run.id.0));
                    self.unsettled.1.push(unsettled_text(&unsettled)?);
                }
                let place = Place { state, about, finished: finished.map(stamp), error, due };
                self.writes.push(&run.id, &writes)?;
                self.runs.push(&run, place, &entries)?;
            }
            Record::Receipt { key, received } => {
                let key = hex::decode(&key)
                    .map_err(|error| Failure::Unreadable(format!("`{key}` is not a dedup key: {error}")))?;
                self.receipts.0.push(key);
                self.receipts.1.push(stamp(received));
            }
            Record::Cursor(cursor) => {
                self.cursors.0.push(owned(&cursor.key.0));
                self.cursors.1.push(serde_json::to_string(&cursor)?);
            }
            Record::Seen { cursor, id, fingerprint, scan } => {
                self.seen.0.push(owned(&cursor.0));
                self.seen.1.push(owned(&id));
                self.seen.2.push(owned(&fingerprint));
                self.seen.3.push(number(scan));
            }
            Record::Recipe(recipe) => {
                self.recipes.0.push(owned(&recipe.name));
                self.recipes.1.push(owned(&recipe.version));
                self.recipes.2.push(owned(&recipe.file));
                self.recipes.3.push(owned(&recipe.text));
            }
            Record::Link { name, from, to } => {
                self.links.0.push(owned(&name));
                self.links.1.push(owned(&from));
                self.links.2.push(owned(&to));
            }
            Record::Value { key, value } => {
                self.values.0.push(owned(&key));
                self.values.1.push(value.to_string());
            }
        }
        Ok(())
    }

    /// Stores all in one transaction.
    async fn store(&self, server: &Server) -> Result<(), Failure> {
        let mut events = EventColumns::default();
        self.events.iter().for_each(|event| events.push(event));
        let event_params: Params<'_> = &[
            &events.ids,
            &events.sources,
            &events.kinds,
            &events.connections,
            &events.records,
            &events.dedups,
            &events.receiveds,
            &events.payloads,
        ];
        let runs = &self.runs;
        let run_params: Params<'_> = &[
            &runs.ids,
            &runs.events,
            &runs.recipes,
            &runs.lanes,
            &runs.accounts,
            &runs.records,
            &runs.versions,
            &runs.states,
            &runs.createds,
            &runs.finisheds,
            &runs.errors,
            &runs.dues,
            &runs.sizes,
            &runs.entry_runs,
            &runs.entry_places,
            &runs.entry_texts,
        ];
        let written = &self.writes;
        let writes: Params<'_> = &[
            &written.runs,
            &written.records,
            &written.connections,
            &written.operations,
            &written.fields,
            &written.times,
        ];
        let unsettled: Params<'_> = &[&self.unsettled.0, &self.unsettled.1];
        let receipts: Params<'_> = &[&self.receipts.0, &self.receipts.1];
        let cursors: Params<'_> = &[&self.cursors.0, &self.cursors.1];
        let seen: Params<'_> = &[&self.seen.0, &self.seen.1, &self.seen.2, &self.seen.3];
        let recipes: Params<'_> = &[&self.recipes.0, &self.recipes.1, &self.recipes.2, &self.recipes.3];
        let links: Params<'_> = &[&self.links.0, &self.links.1, &self.links.2];
        let values: Params<'_> = &[&self.values.0, &self.values.1];
        let mut statements = vec![
            (self.events.is_empty(), (EVENTS, event_params)),
            (runs.ids.is_empty(), (RUNS, run_params)),
            (written.runs.is_empty(), (WRITES, writes)),
            (self.unsettled.0.is_empty(), (UNSETTLED, unsettled)),
            (self.receipts.0.is_empty(), (RECEIPTS, receipts)),
            (self.cursors.0.is_empty(), (CURSORS, cursors)),
            (self.seen.0.is_empty(), (SEEN, seen)),
            (self.recipes.0.is_empty(), (RECIPES, recipes)),
            (self.links.0.is_empty(), (LINKS, links)),
            (self.values.0.is_empty(), (VALUES, values)),
        ];
        statements.retain(|(empty, _)| !empty);
        let statements: Vec<_> = statements.into_iter().map(|(_, statement)| statement).collect();
        server.pool.together(&statements).await
    }
}

/// Stores records, all or nothing.
pub(super) async fn records(server: &Server, records: Vec<Record>) -> Result<(), Failure> {
    let mut columns = Records::default();
    records.into_iter().try_for_each(|record| columns.push(record))?;
    columns.store(server).await?;
    if !columns.runs.ids.is_empty() {
        server.listener.tell();
    }
    Ok(())
}
