//! What is noted of both records of a link. Its revision orders those who note something: what follows from an earlier
//! one is not stored.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::journal::database::{Database, Param, row};
use crate::journal::queries::links;
use crate::journal::row::{Row, Unreadable};
use crate::journal::{BaseValues, BaseWrite, Error, Link, LinkBase, WriteIntent};

/// The column `base`.
#[derive(Default, Serialize, Deserialize)]
struct Stored {
    from: Map<String, Value>,
    to: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    intents: Vec<WriteIntent>,
}

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

/// Stores the base of `link`, unless the stored one is not the one before it.
pub(in crate::journal) async fn put(
    db: &impl Database,
    link: &Link,
    base: &LinkBase,
) -> Result<BaseWrite, Error> {
    let text = text(base).map_err(|error| error.into_error(db.name()))?;
    let sql = "UPDATE links SET base = $4, revision = revision + 1
               WHERE name = $1 AND from_record = $2 AND to_record = $3 AND revision + 1 = $5 RETURNING revision";
    let params = [ends(link), vec![Param::Json(text), Param::count(base.revision)]].concat();
    if !db.execute(sql, params).await?.is_empty() {
        return Ok(BaseWrite::Saved);
    }
    let is_there = find(db, &link.name, Some(&link.from), Some(&link.to)).await?.is_some();
    Ok(if is_there { BaseWrite::Outdated } else { BaseWrite::Unlinked })
}

fn ends(Link { name, from, to }: &Link) -> Vec<Param> {
    vec![name.into(), from.into(), to.into()]
}

/// The text of the column `base`.
pub(in crate::journal) fn text(base: &LinkBase) -> Result<String, Unreadable> {
    let LinkBase { values: BaseValues { from, to }, intents, .. } = base.clone();
    Ok(serde_json::to_string(&Stored { from, to, intents })?)
}

/// The columns `base` and `revision`.
pub(in crate::journal) fn decode(row: &mut Row) -> Result<LinkBase, Unreadable> {
    let Stored { from, to, intents } = row.json_or_default()?;
    Ok(LinkBase { values: BaseValues { from, to }, revision: row.count()?, intents })
}
