//! Links between records.

use crate::journal::database::{Database, Dialect, row, rows};
use crate::journal::row::{Row, Unreadable};
use crate::journal::{Error, Link};

/// Links with a record at either end.
pub(in crate::journal) const BY_RECORD: &str =
    "SELECT name, from_record, to_record FROM links WHERE from_record = $1
     UNION SELECT name, from_record, to_record FROM links WHERE to_record = $1
     ORDER BY name, from_record";

/// Saves a link, and replaces those with the same name and either end.
pub(in crate::journal) async fn save<D: Database>(db: &D, link: &Link) -> Result<(), Error> {
    let Link { name, from, to } = link;
    db.execute(D::Dialect::SAVE_LINK, vec![name.into(), from.into(), to.into()]).await?;
    Ok(())
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
    let found = row(db, &sql, vec![name.into(), end.into()], link).await?;
    Ok(found.filter(|link| to.is_none_or(|to| link.to == to)))
}

/// Deletes a link; returns whether there was one.
pub(in crate::journal) async fn delete(db: &impl Database, name: &str, from: &str) -> Result<bool, Error> {
    let sql = "DELETE FROM links WHERE name = $1 AND from_record = $2 RETURNING name";
    Ok(!db.execute(sql, vec![name.into(), from.into()]).await?.is_empty())
}

/// Links with `record` at either end.
pub(in crate::journal) async fn by_record(db: &impl Database, record: &str) -> Result<Vec<Link>, Error> {
    rows(db, BY_RECORD, vec![record.into()], link).await
}

fn link(row: &mut Row) -> Result<Link, Unreadable> {
    Ok(Link { name: row.text()?, from: row.text()?, to: row.text()? })
}
