//! Runs grouped by why they are in their state. Reads a range of the index of states and the rows that it leads to, so
//! that the cost grows with the limit and not with the store.

use crate::journal::database::{Database, Param, rows};
use crate::journal::encoding::{code, stamp};
use crate::journal::{EndedAlike, EndedIn, Error};
use crate::run::{Accounts, RunId};

/// Runs behind one in its lane beyond which they are not counted.
const MAX_BEHIND: usize = 1000;

/// The statement for a state; `$1` is the earliest creation, `$2` the number of runs.
pub(in crate::journal) fn statement(which: &EndedIn) -> String {
    let behind = format!(
        "CASE WHEN r.finished IS NULL THEN (SELECT count(*) FROM
             (SELECT 1 FROM runs w WHERE w.recipe = r.recipe AND w.lane = r.lane AND w.finished IS NULL
              AND w.seq > r.seq LIMIT {MAX_BEHIND}) AS waiting) ELSE 0 END"
    );
    let state = code(which.state);
    format!(
        "SELECT recipe, version, accounts, error, count(*), min(ended), max(ended), max(id),
             CAST(sum(behind) AS BIGINT)
         FROM (SELECT r.id, r.recipe, r.version, r.accounts, r.error,
                   coalesce(r.finished, r.created) AS ended, {behind} AS behind
               FROM runs r WHERE r.state = {state} AND r.created >= $1
               ORDER BY r.created DESC LIMIT $2) AS newest
         GROUP BY recipe, version, accounts, error"
    )
}

/// The runs that `which` names, grouped.
pub(in crate::journal) async fn groups(
    db: &impl Database,
    which: &EndedIn,
) -> Result<Vec<EndedAlike>, Error> {
    let since = which.since.map_or(i64::MIN, stamp);
    let params = vec![since.into(), Param::count(which.limit.unwrap_or(usize::MAX))];
    rows(db, &statement(which), params, |row| {
        Ok(EndedAlike {
            recipe: row.text()?,
            version: row.text_or_none()?,
            connections: row.json::<Accounts>()?.into_values().collect(),
            reason: row.text_or_none()?,
            count: row.count()?,
            first: row.time()?,
            last: row.time()?,
            newest: RunId(row.text()?),
            behind: row.count()?,
        })
    })
    .await
}
