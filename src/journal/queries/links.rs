//! Links between records. Each end has one link of a name at most, kept by the tables' unique keys.

use crate::journal::database::{Database, Dialect, Param, row, rows};
use crate::journal::row::{Row, Unreadable};
use crate::journal::{Error, Link, LinkWrite};

/// Links with a record at either end.
pub(in crate::journal) const BY_RECORD: &str =
    "SELECT name, from_record, to_record FROM links WHERE from_record = $1
     UNION SELECT name, from_record, to_record FROM links WHERE to_record = $1
     ORDER BY name, from_record";

/// Saves a link unless an end of it has another one of the name. One statement writes, so that of two processes that
/// link the same record at the same time one is told of the other's link.
pub(in crate::journal) async fn save(db: &impl Database, link: &Link) -> Result<LinkWrite, Error> {
    let sql = "INSERT INTO links (name, from_record, to_record) VALUES ($1, $2, $3)
               ON CONFLICT DO NOTHING RETURNING name";
    loop {
        if !db.execute(sql, params(link)).await?.is_empty() {
            return Ok(LinkWrite::Saved);
        }
        let found = with_an_end(db, link).await?;
        if found.contains(link) {
            return Ok(LinkWrite::Saved);
        }
        // None if what was in the way was deleted meanwhile.
        if !found.is_empty() {
            return Ok(LinkWrite::Taken(found));
        }
    }
}

/// Saves a link in the place of those with the same name and either end; returns them.
pub(in crate::journal) async fn replace<D: Database>(db: &D, link: &Link) -> Result<Vec<Link>, Error> {
    let mut replaced = with_an_end(db, link).await?;
    if replaced == [link.clone()] {
        return Ok(Vec::new());
    }
    replaced.retain(|other| other != link);
    db.execute(D::Dialect::REPLACE_LINK, params(link)).await?;
    Ok(replaced)
}

/// The links with the name and either end of `link`: itself, or up to two others.
pub(in crate::journal) async fn with_an_end(db: &impl Database, link: &Link) -> Result<Vec<Link>, Error> {
    let sql = "SELECT name, from_record, to_record FROM links WHERE name = $1 AND from_record = $2
               UNION SELECT name, from_record, to_record FROM links WHERE name = $1 AND to_record = $3
               ORDER BY from_record";
    rows(db, sql, params(link), decode).await
}

/// The link with the given ends; none if neither is given.
pub(in crate::journal) async fn find(
    db: &impl Database,
    name: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Option<Link>, Error> {
    let (column, end) = match (from, to) {
        (Some(from), _) => ("from_record", from),
        (None, Some(to)) => ("to_record", to),
        (None, None) => return Ok(None),
    };
    let sql = format!("SELECT name, from_record, to_record FROM links WHERE name = $1 AND {column} = $2");
    let found = row(db, &sql, vec![name.into(), end.into()], decode).await?;
    Ok(found.filter(|link| to.is_none_or(|to| link.to == to)))
}

/// Deletes the link with the given ends; returns whether there was one.
pub(in crate::journal) async fn delete(
    db: &impl Database,
    name: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<bool, Error> {
    let Some(link) = find(db, name, from, to).await? else { return Ok(false) };
    let sql = "DELETE FROM links WHERE name = $1 AND from_record = $2 AND to_record = $3 RETURNING name";
    Ok(!db.execute(sql, params(&link)).await?.is_empty())
}

/// Links with `record` at either end.
pub(in crate::journal) async fn by_record(db: &impl Database, record: &str) -> Result<Vec<Link>, Error> {
    rows(db, BY_RECORD, vec![record.into()], decode).await
}

fn params(Link { name, from, to }: &Link) -> Vec<Param> {
    vec![name.into(), from.into(), to.into()]
}

/// A row of name and both ends.
pub(in crate::journal) fn decode(row: &mut Row) -> Result<Link, Unreadable> {
    Ok(Link { name: row.text()?, from: row.text()?, to: row.text()? })
}
