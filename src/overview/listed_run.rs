//! Runs in lists, with ids that are short enough to be typed.

use std::collections::HashMap;

use serde::Serialize;

use crate::journal::{Error, Journal, RunRow};
use crate::run::RunId;

/// Least characters of a short id: `run_` and the digits of the time in milliseconds, so that no later run has the same.
const SHORT_ID: usize = 4 + 12;

/// A run in a list.
#[derive(Debug, Clone, Serialize)]
pub struct ListedRun {
    /// Its row.
    #[serde(flatten)]
    pub row: RunRow,
    /// A beginning of its id that no other run has, without `run_`. Every command takes it.
    pub short_id: String,
}

impl ListedRun {
    /// With its whole id, for programs: a later run may make a short one ambiguous.
    pub fn whole(row: RunRow) -> Self {
        Self { short_id: row.id.to_string(), row }
    }
}

/// The runs of `rows` with their short ids, in the same order.
pub async fn listed_runs(journal: &dyn Journal, rows: Vec<RunRow>) -> Result<Vec<ListedRun>, Error> {
    let mut short = short_ids(journal, &rows).await?;
    let listed = |row: RunRow| match short.remove(&row.id) {
        Some(short_id) => ListedRun { row, short_id },
        // It was pruned in the meantime.
        None => ListedRun::whole(row),
    };
    Ok(rows.into_iter().map(listed).collect())
}

/// Short ids by id.
async fn short_ids(journal: &dyn Journal, rows: &[RunRow]) -> Result<HashMap<RunId, String>, Error> {
    let ids: Vec<RunId> = rows.iter().map(|row| row.id.clone()).collect();
    let found = journal.run_neighbours(&ids).await?;
    let short = found.into_iter().map(|run| {
        let short = run.unique_prefix(SHORT_ID);
        (run.id.clone(), short.strip_prefix("run_").unwrap_or(short).to_owned())
    });
    Ok(short.collect())
}
