//! Reading everything, page by page, to be taken elsewhere.

use rusqlite::{Connection, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::event::CursorKey;
use crate::journal::encoding::unsettled_of;
use crate::journal::{Due, Page, Part, RecipeText, Record};
use crate::run::RunState;

use super::failure::Failure;
use super::lease;
use super::row::{self, RUN_ROW, time};
use super::writes;

/// A page of `part`, after where the one before ended.
pub(super) fn page(
    conn: &Connection,
    part: Part,
    after: Option<&str>,
    limit: usize,
) -> Result<Page, Failure> {
    match part {
        Part::Events => events(conn, after, limit),
        Part::Runs => runs(conn, after, limit),
        Part::Receipts => receipts(conn, after, limit),
        Part::Cursors => cursors(conn, after, limit),
        Part::Seen => seen(conn, after, limit),
        Part::Recipes => recipes(conn, after, limit),
        Part::Links => links(conn, after, limit),
        Part::Values => values(conn, after, limit),
    }
}

/// Where a page begins, as its keys.
fn begin<K: DeserializeOwned + Default>(after: Option<&str>) -> Result<K, Failure> {
    Ok(after.map(serde_json::from_str).transpose()?.unwrap_or_default())
}

/// The page of `rows`, each with its key; full pages have a next one.
fn paged<K: Serialize>(rows: Vec<(K, Record)>, limit: usize) -> Result<Page, Failure> {
    let next = rows.last().filter(|_| rows.len() >= limit).map(|(key, _)| serde_json::to_string(key));
    Ok(Page { next: next.transpose()?, records: rows.into_iter().map(|(_, record)| record).collect() })
}

fn collect<K>(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    mut record: impl FnMut(&Row<'_>) -> Result<(K, Record), Failure>,
) -> Result<Vec<(K, Record)>, Failure> {
    let mut read = conn.prepare_cached(sql)?;
    let mut rows = read.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(record(row)?);
    }
    Ok(found)
}

fn events(conn: &Connection, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let sql = format!("SELECT {}, seq FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2", row::EVENT);
    let rows = collect(conn, &sql, (begin::<i64>(after)?, limit as i64), |row| {
        Ok((row.get::<_, i64>("seq")?, Record::Event(row::event(row)?)))
    })?;
    paged(rows, limit)
}

fn runs(conn: &Connection, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let sql = format!(
        "SELECT {RUN_ROW}, version, accounts, lane, event, seq, due, unsettled FROM runs WHERE seq > ?1
         ORDER BY seq LIMIT ?2"
    );
    let rows = collect(conn, &sql, (begin::<i64>(after)?, limit as i64), |row| {
        let seq: i64 = row.get("seq")?;
        let event = lease::event_by_seq(conn, row.get("event")?)?;
        let listed = row::run_row(row)?;
        let running = listed.state == RunState::Running;
        let due = if running { Due::Now } else { Due::of(row.get::<_, Option<i64>>("due")?) };
        let record = Record::Run {
            run: row::run(row, event.id)?,
            state: if running { RunState::Waiting } else { listed.state },
            about: listed.record,
            finished: listed.finished,
            error: listed.error,
            due,
            entries: lease::entries(conn, seq)?,
            writes: writes::of_run(conn, seq)?,
            unsettled: unsettled_of(&row.get::<_, Option<String>>("unsettled")?.unwrap_or_default())?,
        };
        Ok((seq, record))
    })?;
    paged(rows, limit)
}

fn receipts(conn: &Connection, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let after = hex::decode(begin::<String>(after)?)
        .map_err(|error| Failure::Unreadable(format!("no place in the dedup keys: {error}")))?;
    let sql = "SELECT key, received FROM receipts WHERE key > ?1 ORDER BY key LIMIT ?2";
    let rows = collect(conn, sql, (after, limit as i64), |row| {
        let key = hex::encode(row.get::<_, Vec<u8>>(0)?);
        Ok((key.clone(), Record::Receipt { key, received: time(row.get(1)?) }))
    })?;
    paged(rows, limit)
}

fn cursors(conn: &Connection, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let sql = "SELECT seq, cursor FROM cursors WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    let rows = collect(conn, sql, (begin::<i64>(after)?, limit as i64), |row| {
        let cursor = serde_json::from_str(&row.get::<_, String>(1)?)?;
        Ok((row.get::<_, i64>(0)?, Record::Cursor(cursor)))
    })?;
    paged(rows, limit)
}

fn seen(conn: &Connection, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let (cursor, record): (i64, String) = begin(after)?;
    let sql = "SELECT seen.cursor, record, fingerprint, scan, key FROM seen
               JOIN cursors ON cursors.seq = seen.cursor
               WHERE (seen.cursor, record) > (?1, ?2) ORDER BY seen.cursor, record LIMIT ?3";
    let rows = collect(conn, sql, (cursor, record, limit as i64), |row| {
        let (cursor, id): (i64, String) = (row.get(0)?, row.get(1)?);
        let scan = u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0);
        let seen =
            Record::Seen { cursor: CursorKey(row.get(4)?), id: id.clone(), fingerprint: row.get(2)?, scan };
        Ok(((cursor, id), seen))
    })?;
    paged(rows, limit)
}

fn recipes(conn: &Connection, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let (name, version): (String, String) = begin(after)?;
    let sql = "SELECT name, version, file, text FROM recipes WHERE (name, version) > (?1, ?2)
               ORDER BY name, version LIMIT ?3";
    let rows = collect(conn, sql, (name, version, limit as i64), |row| {
        let (name, version): (String, String) = (row.get(0)?, row.get(1)?);
        let recipe = RecipeText { file: row.get(2)?, text: row.get(3)?, name, version };
        Ok(((recipe.name.clone(), recipe.version.clone()), Record::Recipe(recipe)))
    })?;
    paged(rows, limit)
}

fn links(conn: &Connection, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let (name, from): (String, String) = begin(after)?;
    let sql = "SELECT name, from_record, to_record FROM links WHERE (name, from_record) > (?1, ?2)
               ORDER BY name, from_record LIMIT ?3";
    let rows = collect(conn, sql, (name, from, limit as i64), |row| {
        let (name, from): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(((name.clone(), from.clone()), Record::Link { name, from, to: row.get(2)? }))
    })?;
    paged(rows, limit)
}

fn values(conn: &Connection, after: Option<&str>, limit: usize) -> Result<Page, Failure> {
    let sql = "SELECT key, value FROM state WHERE key > ?1 ORDER BY key LIMIT ?2";
    let rows = collect(conn, sql, (begin::<String>(after)?, limit as i64), |row| {
        let key: String = row.get(0)?;
        let value = serde_json::from_str(&row.get::<_, String>(1)?)?;
        Ok((key.clone(), Record::Value { key, value }))
    })?;
    paged(rows, limit)
}
