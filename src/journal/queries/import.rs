//! Import of records that another store exported. Existing ones stay, so an interrupted import can be repeated.

use std::collections::{HashMap, HashSet};

use crate::event::Event;
use crate::journal::database::{Database, Dialect, Param, rows};
use crate::journal::encoding::{AT_ONCE, ORPHAN, code, due, stamp, unsettled_text, write_text};
use crate::journal::event_row::{EventRow, priority};
use crate::journal::format::write_entry;
use crate::journal::queries::{acts, alerts, link_bases, links};
use crate::journal::row::{Row, Unreadable};
use crate::journal::{Due, Error, Link, Record};
use crate::run::RunState;

/// Rows per statement, largest first. Fixed numbers, so that three prepared statements serve all.
const ROWS_PER_STATEMENT: [usize; 3] = [64, 8, 1];

/// The most entries of a run that every store supports.
const MAX_ENTRIES: usize = 1 << 20;

/// Imported items that counters include.
#[derive(Debug, Default)]
pub(in crate::journal) struct Imported {
    /// Events.
    pub(in crate::journal) events: i64,
    /// The states of the runs.
    pub(in crate::journal) runs: Vec<RunState>,
}

/// Stores records in the transaction `db`. They come in the order of [`Part::ALL`](crate::journal::Part::ALL).
pub(in crate::journal) async fn records<D: Database>(db: &D, records: &[Record]) -> Result<Imported, Error> {
    let corrupt = |unreadable: Unreadable| unreadable.into_error(db.name());
    let mut import = Import { db, rows: Rows::default(), imported: Imported::default() };
    let of = |record: &Record| std::mem::discriminant(record);
    for alike in records.chunk_by(|one, next| of(one) == of(next)) {
        import.resolve(alike).await?;
        alike.iter().try_for_each(|record| import.rows.push(record)).map_err(corrupt)?;
        import.store().await?;
    }
    Ok(import.imported)
}

struct Import<'a, D> {
    db: &'a D,
    rows: Rows,
    imported: Imported,
}

/// Records as rows.
#[derive(Default)]
struct Rows {
    /// The numbers of stored events, and the priorities of their runs, by id.
    events: HashMap<String, (i64, i32)>,
    /// The numbers of stored cursors, by key.
    cursors: HashMap<String, i64>,
    /// A table with its columns, and its rows.
    table: &'static str,
    rows: Vec<Vec<Param>>,
    /// The links among the rows.
    links: Vec<Link>,
    /// Runs by id, with their state and their rows in other tables.
    runs: HashMap<String, RunRows>,
}

struct RunRows {
    state: RunState,
    entries: Vec<String>,
    /// Without the run's number.
    writes: Vec<Vec<Param>>,
}

const EVENTS: &str = "events (id, source, kind, connection, record, dedup, received, payload)";
const RUNS: &str = "runs (id, event, recipe, lane, accounts, record, version, state, created, finished, error, due, \
                    priority, unsettled, entries)";
const LINKS: &str = "links (name, from_record, to_record, base, revision)";
const ACTS: &str = "acts (id, at, operator, origin, act, target, runs)";
const ALERTS: &str = "alerts (key, version, live, changed, alert)";
const WRITES: &str = "writes (run, record, connection, operation, fields, at)";

impl<D: Database> Import<'_, D> {
    /// Looks up the numbers of the events and cursors that `records` refer to.
    async fn resolve(&mut self, records: &[Record]) -> Result<(), Error> {
        match records.first() {
            Some(Record::Run { .. }) => {
                let ids = records.iter().filter_map(|record| match record {
                    Record::Run { run, .. } => Some(&run.event.0),
                    _ => None,
                });
                let sql = "SELECT id, seq, source FROM events WHERE id";
                let event = |row: &mut Row| {
                    let (id, seq) = (row.text()?, row.integer()?);
                    Ok((id, (seq, priority(&row.json()?))))
                };
                self.rows.events = look_up(self.db, sql, ids, event).await?;
            }
            Some(Record::Seen { .. }) => {
                let keys = records.iter().filter_map(|record| match record {
                    Record::Seen { cursor, .. } => Some(&cursor.0),
                    _ => None,
                });
                let sql = "SELECT key, seq FROM cursors WHERE key";
                let cursor = |row: &mut Row| Ok((row.text()?, row.integer()?));
                self.rows.cursors = look_up(self.db, sql, keys, cursor).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Stores the rows.
    async fn store(&mut self) -> Result<(), Error> {
        let rows = std::mem::take(&mut self.rows.rows);
        match self.rows.table {
            EVENTS => {
                self.imported.events += insert(self.db, EVENTS, rows, "RETURNING id").await?.len() as i64
            }
            RUNS => self.store_runs(rows).await?,
            LINKS => self.store_links(rows).await?,
            table => drop(insert(self.db, table, rows, "").await?),
        }
        Ok(())
    }

    /// Stores links. One that is there already may be imported again; another one of the same record is an error.
    async fn store_links(&mut self, rows: Vec<Vec<Param>>) -> Result<(), Error> {
        let mut new = HashSet::new();
        for mut row in insert(self.db, LINKS, rows, "RETURNING name, from_record, to_record").await? {
            let link = links::decode(&mut row).map_err(|unreadable| unreadable.into_error(self.db.name()))?;
            new.insert(link);
        }
        for link in std::mem::take(&mut self.rows.links) {
            if new.contains(&link) {
                continue;
            }
            let holder = links::with_an_end(self.db, &link).await?.into_iter().find(|other| *other != link);
            if let Some(holder) = holder {
                let (store, link, holder) = (self.db.name().to_owned(), link.into(), holder.into());
                return Err(Error::Linked { store, link, holder });
            }
        }
        Ok(())
    }

    /// Stores runs and the entries and writes of those that are new.
    async fn store_runs(&mut self, rows: Vec<Vec<Param>>) -> Result<(), Error> {
        let (mut entries, mut writes) = (Vec::new(), Vec::new());
        for mut row in insert(self.db, RUNS, rows, "RETURNING id, seq").await? {
            let stored = row.text().and_then(|id| Ok((id, row.integer()?)));
            let (id, seq) = stored.map_err(|unreadable| unreadable.into_error(self.db.name()))?;
            let Some(run) = self.rows.runs.remove(&id) else { continue };
            self.imported.runs.push(run.state);
            entries.extend((0..).zip(run.entries).map(|(place, text)| {
                let mut row = D::Dialect::entry_key(seq, place);
                row.push(Param::Json(text));
                row
            }));
            writes.extend(run.writes.into_iter().map(|write| [vec![seq.into()], write].concat()));
        }
        self.rows.runs.clear();
        insert(self.db, D::Dialect::ENTRY_COLUMNS, entries, "").await?;
        insert(self.db, WRITES, writes, "").await?;
        Ok(())
    }
}

/// Inserts rows; returns the RETURNING rows of those that are new.
async fn insert(
    db: &impl Database,
    table: &str,
    rows: Vec<Vec<Param>>,
    returning: &str,
) -> Result<Vec<Row>, Error> {
    let mut rows = rows.into_iter();
    let mut answers = Vec::new();
    while let Some(size) = ROWS_PER_STATEMENT.into_iter().find(|size| *size <= rows.len()) {
        let params: Vec<Param> = rows.by_ref().take(size).flatten().collect();
        let width = params.len() / size;
        let row = |row: usize| {
            let places: Vec<String> = (1..=width).map(|place| format!("${}", row * width + place)).collect();
            format!("({})", places.join(", "))
        };
        let values = (0..size).map(row).collect::<Vec<_>>().join(", ");
        let sql = format!("INSERT INTO {table} VALUES {values} ON CONFLICT DO NOTHING {returning}");
        answers.extend(db.execute(&sql, params).await?);
    }
    Ok(answers)
}

/// The rows of `sql` for `keys`; `sql` ends with a column to compare.
async fn look_up<'a, T>(
    db: &impl Database,
    sql: &str,
    keys: impl Iterator<Item = &'a String>,
    decode: impl Fn(&mut Row) -> Result<(String, T), Unreadable>,
) -> Result<HashMap<String, T>, Error> {
    let mut keys = keys.collect::<Vec<_>>();
    keys.sort_unstable();
    keys.dedup();
    let mut keys = keys.into_iter();
    let mut found = HashMap::new();
    while let Some(size) = ROWS_PER_STATEMENT.into_iter().find(|size| *size <= keys.len()) {
        let places: Vec<String> = (1..=size).map(|place| format!("${place}")).collect();
        let sql = format!("{sql} IN ({})", places.join(", "));
        let params = keys.by_ref().take(size).map(Param::from).collect();
        found.extend(rows(db, &sql, params, &decode).await?);
    }
    Ok(found)
}

fn json(value: &impl serde::Serialize) -> Result<Param, Unreadable> {
    Ok(Param::Json(serde_json::to_string(value)?))
}

impl Rows {
    fn push(&mut self, record: &Record) -> Result<(), Unreadable> {
        let (table, row) = match record {
            Record::Event(event) => (EVENTS, event_row(event)?),
            Record::Run { .. } => (RUNS, self.run_row(record)?),
            Record::Receipt { key, received } => {
                let key = hex::decode(key)
                    .map_err(|error| Unreadable(format!("`{key}` is not a dedup key: {error}")))?;
                ("receipts (key, received)", vec![key.into(), stamp(*received).into()])
            }
            Record::Cursor(cursor) => ("cursors (key, cursor)", vec![(&cursor.key.0).into(), json(cursor)?]),
            Record::Seen { cursor, id, fingerprint, scan } => {
                let seq = *self
                    .cursors
                    .get(&cursor.0)
                    .ok_or_else(|| Unreadable(format!("the cursor {cursor} of a seen record is missing")))?;
                let row = vec![seq.into(), id.into(), fingerprint.into(), Param::count(*scan)];
                ("seen (cursor, record, fingerprint, scan)", row)
            }
            Record::Recipe(recipe) => {
                let row = [&recipe.name, &recipe.version, &recipe.file, &recipe.text].map(Param::from);
                ("recipes (name, version, file, text)", row.to_vec())
            }
            Record::Link { name, from, to, base } => {
                let link = Link { name: name.clone(), from: from.clone(), to: to.clone() };
                self.links.push(link);
                let values = if base.is_empty() { Param::Null } else { Param::Json(link_bases::text(base)?) };
                let row = [name, from, to].map(Param::from);
                (LINKS, [&row[..], &[values, Param::count(base.revision)]].concat())
            }
            Record::Written { at, write } => {
                let row = [&write.record, &write.connection, &write.operation].map(Param::from);
                let rest = [Param::Json(write_text(write)?), stamp(*at).into()];
                (WRITES, [&[ORPHAN.into()], &row[..], &rest].concat())
            }
            Record::Value { key, value } => ("state (key, value)", vec![key.into(), json(value)?]),
            Record::Act(act) => (ACTS, acts::params(act)),
            Record::Alert(alert) => (ALERTS, alerts::params(alert)),
        };
        self.table = table;
        self.rows.push(row);
        Ok(())
    }

    fn run_row(&mut self, record: &Record) -> Result<Vec<Param>, Unreadable> {
        let Record::Run { run, state, about, finished, error, due: when, entries, writes, unsettled } =
            record
        else {
            return Err(Unreadable("what is imported is not a run".to_owned()));
        };
        let (event, priority) = *self
            .events
            .get(&run.event.0)
            .ok_or_else(|| Unreadable(format!("the event {} of {} is missing", run.event, run.id)))?;
        if entries.len() > MAX_ENTRIES {
            return Err(Unreadable(format!("a run has more than {MAX_ENTRIES} entries")));
        }
        let priority = i64::from(priority);
        let due = match when {
            Due::Never => None,
            Due::Now => Some(AT_ONCE),
            Due::At(at) => Some(due(*at)),
        };
        let texts: Result<Vec<String>, _> = entries.iter().map(write_entry).collect();
        let writes = writes.iter().map(|(at, write)| {
            let row = [&write.record, &write.connection, &write.operation].map(Param::from);
            Ok([&row[..], &[Param::Json(write_text(write)?), stamp(*at).into()]].concat())
        });
        let writes = writes.collect::<Result<_, Unreadable>>()?;
        self.runs.insert(run.id.0.clone(), RunRows { state: *state, entries: texts?, writes });
        let unsettled = Some(unsettled_text(unsettled)?).filter(|text| !text.is_empty());
        Ok(vec![
            (&run.id.0).into(),
            event.into(),
            (&run.recipe).into(),
            (&run.lane).into(),
            json(&run.accounts)?,
            about.as_ref().into(),
            run.version.as_ref().into(),
            code(*state).into(),
            stamp(run.created).into(),
            finished.map(stamp).into(),
            error.as_ref().into(),
            due.into(),
            priority.into(),
            unsettled.map_or(Param::Null, Param::Json),
            Param::count(entries.len()),
        ])
    }
}

fn event_row(event: &Event) -> Result<Vec<Param>, Unreadable> {
    let row = EventRow::new(event.clone())?;
    Ok(vec![
        row.id.into(),
        Param::Json(row.source),
        row.kind.into(),
        row.connection.into(),
        row.record.into(),
        row.dedup.into(),
        row.received.into(),
        Param::Json(row.payload),
    ])
}
