//! Export: reads everything page by page.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::event::{CursorKey, EventId};
use crate::journal::database::{Database, Dialect, Param, rows};
use crate::journal::encoding::parse_write;
use crate::journal::queries::{acts, alerts, link_bases};
use crate::journal::row::{EVENT, RUN, RUN_ROW, Row, Unreadable, qualified};
use crate::journal::{Due, Error, Page, Part, RecipeText, Record};
use crate::run::{RunState, Write};

/// A page of `part` after the cursor `after`.
pub(in crate::journal) async fn page<D: Database>(
    db: &D,
    part: Part,
    after: Option<&str>,
    limit: usize,
) -> Result<Page, Error> {
    let page = Pages { db, after, limit };
    match part {
        Part::Events => page.events().await,
        Part::Runs => page.runs().await,
        Part::Receipts => page.receipts().await,
        Part::Cursors => page.cursors().await,
        Part::Seen => page.seen().await,
        Part::Recipes => page.recipes().await,
        Part::Links => page.links().await,
        Part::Values => page.values().await,
        Part::Writes => page.writes().await,
        Part::Acts => page.acts().await,
        Part::Alerts => page.alerts().await,
    }
}

/// The source and bounds of a page.
struct Pages<'a, D> {
    db: &'a D,
    after: Option<&'a str>,
    limit: usize,
}

impl<D: Database> Pages<'_, D> {
    /// The keys after which the page begins.
    fn begin<K: DeserializeOwned + Default>(&self) -> Result<K, Error> {
        let keys = self.after.map(serde_json::from_str).transpose();
        Ok(keys.map_err(|error| Unreadable::from(error).into_error(self.db.name()))?.unwrap_or_default())
    }

    /// A page of the rows of `sql` after `keys`, each row with its key. A full page has a successor.
    async fn read<K: Serialize>(
        &self,
        sql: &str,
        keys: Vec<Param>,
        record: impl Fn(&mut Row) -> Result<(K, Record), Unreadable>,
    ) -> Result<Page, Error> {
        let sql = format!("{sql} LIMIT ${}", keys.len() + 1);
        let params = keys.into_iter().chain([Param::count(self.limit)]).collect();
        let rows = rows(self.db, &sql, params, record).await?;
        let next = rows.last().filter(|_| rows.len() >= self.limit);
        let next = next.map(|(key, _)| serde_json::to_string(key)).transpose();
        let next = next.map_err(|error| Unreadable::from(error).into_error(self.db.name()))?;
        Ok(Page { next, records: rows.into_iter().map(|(_, record)| record).collect() })
    }

    async fn alerts(&self) -> Result<Page, Error> {
        let sql = "SELECT key, version, live, changed, alert FROM alerts WHERE key > $1 ORDER BY key";
        self.read(sql, vec![self.begin::<String>()?.into()], |row| {
            let alert = alerts::decode(row)?;
            Ok((alert.key.clone(), Record::Alert(alert)))
        })
        .await
    }

    async fn events(&self) -> Result<Page, Error> {
        let sql = format!("SELECT {EVENT}, seq FROM events WHERE seq > $1 ORDER BY seq");
        self.read(&sql, vec![self.begin::<i64>()?.into()], |row| {
            let event = row.event()?;
            Ok((row.integer()?, Record::Event(event)))
        })
        .await
    }

    async fn runs(&self) -> Result<Page, Error> {
        let sql = format!(
            "SELECT {}, {}, r.seq, r.due, r.unsettled, e.id, {}, {}
             FROM runs r LEFT JOIN events e ON e.seq = r.event WHERE r.seq > $1 ORDER BY r.seq",
            qualified("r", RUN_ROW),
            qualified("r", RUN),
            D::Dialect::ENTRIES,
            D::Dialect::WRITES
        );
        self.read(&sql, vec![self.begin::<i64>()?.into()], run).await
    }

    async fn receipts(&self) -> Result<Page, Error> {
        let after = hex::decode(self.begin::<String>()?);
        let after = after.map_err(|error| {
            Unreadable(format!("no place in the dedup keys: {error}")).into_error(self.db.name())
        })?;
        let sql = "SELECT key, received FROM receipts WHERE key > $1 ORDER BY key";
        self.read(sql, vec![after.into()], |row| {
            let key = hex::encode(row.bytes()?);
            Ok((key.clone(), Record::Receipt { key, received: row.time()? }))
        })
        .await
    }

    async fn cursors(&self) -> Result<Page, Error> {
        let sql = "SELECT seq, cursor FROM cursors WHERE seq > $1 ORDER BY seq";
        let keys = vec![self.begin::<i64>()?.into()];
        self.read(sql, keys, |row| Ok((row.integer()?, Record::Cursor(row.json()?)))).await
    }

    async fn seen(&self) -> Result<Page, Error> {
        let (cursor, record): (i64, String) = self.begin()?;
        let sql = "SELECT s.cursor, s.record, s.fingerprint, s.scan, c.key FROM seen s
                   JOIN cursors c ON c.seq = s.cursor
                   WHERE (s.cursor, s.record) > ($1, $2) ORDER BY s.cursor, s.record";
        self.read(sql, vec![cursor.into(), record.into()], |row| {
            let (cursor, id) = (row.integer()?, row.text()?);
            let (fingerprint, scan) = (row.text()?, row.count()?);
            let seen = Record::Seen { cursor: CursorKey(row.text()?), id: id.clone(), fingerprint, scan };
            Ok(((cursor, id), seen))
        })
        .await
    }

    async fn recipes(&self) -> Result<Page, Error> {
        let (name, version): (String, String) = self.begin()?;
        let sql = "SELECT name, version, file, text FROM recipes WHERE (name, version) > ($1, $2)
                   ORDER BY name, version";
        self.read(sql, vec![name.into(), version.into()], |row| {
            let (name, version, file, text) = (row.text()?, row.text()?, row.text()?, row.text()?);
            let key = (name.clone(), version.clone());
            Ok((key, Record::Recipe(RecipeText { name, version, file, text })))
        })
        .await
    }

    async fn links(&self) -> Result<Page, Error> {
        let (name, from): (String, String) = self.begin()?;
        let sql = "SELECT name, from_record, to_record, base, revision FROM links
                   WHERE (name, from_record) > ($1, $2) ORDER BY name, from_record";
        self.read(sql, vec![name.into(), from.into()], |row| {
            let (name, from, to) = (row.text()?, row.text()?, row.text()?);
            let base = link_bases::decode(row)?;
            Ok(((name.clone(), from.clone()), Record::Link { name, from, to, base }))
        })
        .await
    }

    async fn writes(&self) -> Result<Page, Error> {
        let sql = "SELECT at, record, connection, operation, fields, seq FROM writes
                   WHERE run = 0 AND seq > $1 ORDER BY seq";
        self.read(sql, vec![self.begin::<i64>()?.into()], |row| {
            let at = row.time()?;
            let (record, connection, operation) = (row.text()?, row.text()?, row.text()?);
            let (fields, origin) = parse_write(row.json()?)?;
            let write = Write { connection, record, operation, fields, origin };
            Ok((row.integer()?, Record::Written { at, write }))
        })
        .await
    }

    async fn acts(&self) -> Result<Page, Error> {
        let sql = format!("SELECT {} FROM acts WHERE id > $1 ORDER BY id", acts::COLUMNS);
        self.read(&sql, vec![self.begin::<String>()?.into()], |row| {
            let act = acts::decode(row)?;
            Ok((act.id.clone(), Record::Act(act)))
        })
        .await
    }

    async fn values(&self) -> Result<Page, Error> {
        let sql = "SELECT key, value FROM state WHERE key > $1 ORDER BY key";
        self.read(sql, vec![self.begin::<String>()?.into()], |row| {
            let (key, value) = (row.text()?, row.json()?);
            Ok((key.clone(), Record::Value { key, value }))
        })
        .await
    }
}

/// A run with its number. A leased run is exported as due now.
fn run(row: &mut Row) -> Result<(i64, Record), Unreadable> {
    let (listed, mut run, seq) = (row.run_row()?, row.run()?, row.integer()?);
    let due = Due::from_column(row.integer_or_none()?);
    let unsettled = row.json_or_default()?;
    let event = row.text_or_none()?;
    run.event = EventId(event.ok_or_else(|| Unreadable("the event of a run is gone".to_owned()))?);
    let running = listed.state == RunState::Running;
    let record = Record::Run {
        run,
        state: if running { RunState::Waiting } else { listed.state },
        about: listed.record,
        finished: listed.finished,
        error: listed.error,
        due: if running { Due::Now } else { due },
        entries: row.entries()?,
        writes: row.writes()?,
        unsettled,
    };
    Ok((seq, record))
}
