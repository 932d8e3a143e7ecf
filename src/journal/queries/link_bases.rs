//! What both records of a link had when they were last made equal. Its revision orders those who note it: values that
//! were derived from an earlier one are not stored.

use crate::journal::database::{Database, Param, row};
use crate::journal::queries::links;
use crate::journal::row::{Row, Unreadable};
use crate::journal::{BaseValues, BaseWrite, Error, Link, LinkBase};

/// The base of the link with the given ends, of which one at least is given; `None` if there is no such link.
pub(in crate::journal) async fn find(
    db: &impl Database,
    name: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Option<LinkBase>, Error> {
    let Some(link) = links::find(db, name, from, to).await? else { return Ok(None) };
    let sql = "SELECT base, revision FROM links WHERE name = $1 AND from_record = $2 AND to_record = $3";
    row(db, sql, ends(&link), decode).await
}

/// Stores `values` as the base of `link`, unless its revision is no longer `seen`.
pub(in crate::journal) async fn settle(
    db: &impl Database,
    link: &Link,
    seen: u64,
    values: &BaseValues,
) -> Result<BaseWrite, Error> {
    let text = serde_json::to_string(values);
    let text = text.map_err(|error| Unreadable::from(error).into_error(db.name()))?;
    // The revision changes even if no value does: who settles has written, and others may have read before.
    let sql = "UPDATE links SET base = $4, revision = revision + 1
               WHERE name = $1 AND from_record = $2 AND to_record = $3 AND revision = $5 RETURNING revision";
    let params = [ends(link), vec![Param::Json(text), Param::count(seen)]].concat();
    if !db.execute(sql, params).await?.is_empty() {
        return Ok(BaseWrite::Saved);
    }
    let is_there = find(db, &link.name, Some(&link.from), Some(&link.to)).await?.is_some();
    Ok(if is_there { BaseWrite::Outdated } else { BaseWrite::Unlinked })
}

fn ends(Link { name, from, to }: &Link) -> Vec<Param> {
    vec![name.into(), from.into(), to.into()]
}

/// The columns `base` and `revision`.
pub(in crate::journal) fn decode(row: &mut Row) -> Result<LinkBase, Unreadable> {
    Ok(LinkBase { values: row.json_or_default()?, revision: row.count()? })
}
