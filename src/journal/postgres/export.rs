//! Reading everything, page by page, to be taken elsewhere.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;

use crate::event::{CursorKey, EventId};
use crate::journal::encoding::{time, unsettled_of};
use crate::journal::{Due, Page, Part, RecipeText, Record};
use crate::run::{RunState, Write};

use super::failure::Failure;
use super::row::{self, Columns, EVENT, RUN, RUN_ROW, escape_nul, number, of_table, unescape_nul};
use super::session::{Ask, Params};

/// A page of `part`, after where the one before ended.
pub(super) async fn page(
    asked: &impl Ask,
    part: Part,
    after: Option<&str>,
    limit: usize,
) -> Result<Page, Failure> {
    match part {
        Part::Events => events(asked, after, limit).await,
        Part::Runs => runs(asked, after, limit).await,
        Part::Receipts => receipts(asked, after, limit).await,
        Part::Cursors => cursors(asked, after, limit).await,
        Part::Seen => seen(asked, after, limit).await,
        Part::Recipes => recipes(asked, after, limit).await,
        Part::Links => links(asked, after, limit).await,
        Part::Values => values(asked, after, limit).await,
    }
}

/// Where a page begins, as its keys.
fn begin<K: DeserializeOwned + Default>(after: Option<&str>) -> Result<K, Failure> {
    Ok(after.map(serde_json::from_str).transpose()?.unwrap_or_default())
}

/// The page of what `sql` finds, each row with its key; full pages have a next one.
async fn paged<K: Serialize>(
    asked: &impl Ask,
    sql: &str,
    params: Params<'_>,
    limit: usize,
    record: impl Fn(&Row) -> Result<(K, Record), Failure>,
) -> Result<Page, Failure> {
    let rows = asked.ask(sql, params).await?;
    let rows: Vec<(K, Record)> = rows.iter().map(record).collect::<Result<_, _>>()?;
    let next = rows.last().filter(|_| rows.len() >= limit).map(|(key, _)| serde_json::to_string(key));
    Ok(Page { next: next.transpose()?, records: rows.into_iter().map(|(_, record)| record).collect() })
}

async fn events(asked: &impl Ask, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let sql = format!("SELECT {EVENT}, seq FROM events WHERE seq > $1 ORDER BY seq LIMIT $2");
    paged(asked, &sql, &[&begin::<i64>(after)?, &number(limit)], limit, |row| {
        let mut columns = Columns::of(row);
        let event = row::event(&mut columns)?;
        Ok((columns.value::<i64>()?, Record::Event(event)))
    })
    .await
}

async fn runs(asked: &impl Ask, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let sql = format!(
        "SELECT {}, {}, r.seq, r.due, coalesce(r.unsettled, ''), e.id,
             ARRAY(SELECT n.entry FROM entries n WHERE n.run = r.seq ORDER BY n.place),
             ARRAY(SELECT json_build_array(w.record, w.connection, w.operation, w.fields, w.at)::text
                   FROM writes w WHERE w.run = r.seq ORDER BY w.seq)
         FROM runs r JOIN events e ON e.seq = r.event WHERE r.seq > $1 ORDER BY r.seq LIMIT $2",
        of_table("r", RUN_ROW),
        of_table("r", RUN)
    );
    paged(asked, &sql, &[&begin::<i64>(after)?, &number(limit)], limit, |row| {
        let mut columns = Columns::of(row);
        let listed = row::run_row(&mut columns)?;
        let mut run = row::run(&mut columns)?;
        let seq: i64 = columns.value()?;
        let running = listed.state == RunState::Running;
        let due = Due::of(columns.value::<Option<i64>>()?);
        let unsettled = unsettled_of(columns.value()?)?;
        run.event = EventId(columns.text()?);
        let record = Record::Run {
            run,
            state: if running { RunState::Waiting } else { listed.state },
            about: listed.record,
            finished: listed.finished,
            error: listed.error,
            due: if running { Due::Now } else { due },
            entries: row::entries(&mut columns)?,
            writes: columns
                .value::<Vec<String>>()?
                .iter()
                .map(|text| write(text))
                .collect::<Result<_, _>>()?,
            unsettled,
        };
        Ok((seq, record))
    })
    .await
}

fn write(text: &str) -> Result<(DateTime<Utc>, Write), Failure> {
    let (record, connection, operation, fields, at): (_, _, _, String, _) = serde_json::from_str(text)?;
    let write = Write {
        record: unescape_nul(record),
        connection: unescape_nul(connection),
        operation: unescape_nul(operation),
        fields: serde_json::from_str(&fields)?,
    };
    Ok((time(at), write))
}

async fn receipts(asked: &impl Ask, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let after = hex::decode(begin::<String>(after)?)
        .map_err(|error| Failure::Unreadable(format!("no place in the dedup keys: {error}")))?;
    let sql = "SELECT key, received FROM receipts WHERE key > $1 ORDER BY key LIMIT $2";
    paged(asked, sql, &[&after, &number(limit)], limit, |row| {
        let key = hex::encode(row.try_get::<_, &[u8]>(0)?);
        Ok((key.clone(), Record::Receipt { key, received: time(row.try_get(1)?) }))
    })
    .await
}

async fn cursors(asked: &impl Ask, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let sql = "SELECT seq, cursor FROM cursors WHERE seq > $1 ORDER BY seq LIMIT $2";
    paged(asked, sql, &[&begin::<i64>(after)?, &number(limit)], limit, |row| {
        let cursor = serde_json::from_str(row.try_get(1)?)?;
        Ok((row.try_get::<_, i64>(0)?, Record::Cursor(cursor)))
    })
    .await
}

async fn seen(asked: &impl Ask, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let (cursor, record): (i64, String) = begin(after)?;
    let sql = "SELECT s.cursor, s.record, s.fingerprint, s.scan, c.key FROM seen s
               JOIN cursors c ON c.seq = s.cursor
               WHERE (s.cursor, s.record) > ($1, $2) ORDER BY s.cursor, s.record LIMIT $3";
    paged(asked, sql, &[&cursor, &escape_nul(&record), &number(limit)], limit, |row| {
        let (cursor, id): (i64, String) = (row.try_get(0)?, unescape_nul(row.try_get(1)?));
        let scan = u64::try_from(row.try_get::<_, i64>(3)?).unwrap_or(0);
        let seen = Record::Seen {
            cursor: CursorKey(unescape_nul(row.try_get(4)?)),
            id: id.clone(),
            fingerprint: unescape_nul(row.try_get(2)?),
            scan,
        };
        Ok(((cursor, id), seen))
    })
    .await
}

async fn recipes(asked: &impl Ask, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let (name, version): (String, String) = begin(after)?;
    let sql = "SELECT name, version, file, text FROM recipes WHERE (name, version) > ($1, $2)
               ORDER BY name, version LIMIT $3";
    paged(asked, sql, &[&escape_nul(&name), &escape_nul(&version), &number(limit)], limit, |row| {
        let mut columns = Columns::of(row);
        let (name, version) = (columns.text()?, columns.text()?);
        let recipe = RecipeText { file: columns.text()?, text: columns.text()?, name, version };
        Ok(((recipe.name.clone(), recipe.version.clone()), Record::Recipe(recipe)))
    })
    .await
}

async fn links(asked: &impl Ask, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let (name, from): (String, String) = begin(after)?;
    let sql = "SELECT name, from_record, to_record FROM links WHERE (name, from_record) > ($1, $2)
               ORDER BY name, from_record LIMIT $3";
    paged(asked, sql, &[&escape_nul(&name), &escape_nul(&from), &number(limit)], limit, |row| {
        let mut columns = Columns::of(row);
        let (name, from, to) = (columns.text()?, columns.text()?, columns.text()?);
        Ok(((name.clone(), from.clone()), Record::Link { name, from, to }))
    })
    .await
}

async fn values(asked: &impl Ask, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let sql = "SELECT key, value FROM state WHERE key > $1 ORDER BY key LIMIT $2";
    paged(asked, sql, &[&escape_nul(&begin::<String>(after)?), &number(limit)], limit, |row| {
        let key = unescape_nul(row.try_get(0)?);
        let value = serde_json::from_str(row.try_get(1)?)?;
        Ok((key.clone(), Record::Value { key, value }))
    })
    .await
}
