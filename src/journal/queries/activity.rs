//! Runs by minute. Reads a range of the index of states for each state.

use chrono::{DateTime, Utc};

use crate::journal::database::{Database, rows};
use crate::journal::encoding::{code, stamp};
use crate::journal::{Activity, Error};
use crate::run::RunState;

/// Nanoseconds of a minute.
const MINUTE: i64 = 60_000_000_000;

/// The statement: states, minutes and counts of the runs created from `$1` to before `$2`.
pub(in crate::journal) fn statement() -> String {
    let part = |state: RunState| {
        let code = code(state);
        format!(
            "SELECT CAST({code} AS BIGINT) AS state, created / {MINUTE} * {MINUTE} AS minute, count(*) FROM runs
             WHERE state = {code} AND created >= $1 AND created < $2 GROUP BY 2"
        )
    };
    RunState::ALL.map(part).join(" UNION ALL ")
}

/// The runs created from `since` to before `until`.
pub(in crate::journal) async fn activity(
    db: &impl Database,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Activity>, Error> {
    rows(db, &statement(), vec![stamp(since).into(), stamp(until).into()], |row| {
        Ok(Activity { state: row.state()?, minute: row.time()?, runs: row.count()? })
    })
    .await
}
