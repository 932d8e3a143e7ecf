//! Dry runs: their store, and what they would have sent.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;
use tempfile::TempDir;

use super::dry_writes::{DryWrite, writes, writes_table};
use super::{Failure, Streams, store};
use crate::engine::RecipeVersions;
use crate::journal::{Access, Journal, Part, RESERVED_PREFIX, Record, RunFilter, Sqlite};
use crate::run::{Entry, RunId, RunState};
use crate::workspace::Workspace;

/// Copied from the real store: cursors of pollers, links, and values.
const KNOWN: [Part; 4] = [Part::Cursors, Part::Seen, Part::Links, Part::Values];
/// Records per page.
const PAGE: usize = 500;

/// A temporary store with its folder. It starts with a copy of the workspace's cursors, links and values; with
/// `pauses`, paused recipes are paused in it.
pub(super) async fn temporary_store(
    workspace: &Workspace,
    pauses: bool,
) -> Result<(Arc<dyn Journal>, TempDir), Failure> {
    let folder = TempDir::new()
        .context("cannot make a temporary folder for the dry run")
        .map_err(Failure::unavailable)?;
    let copy =
        Sqlite::open(&folder.path().join("dry-run.db"), Access::Runner).map_err(Failure::unavailable)?;
    if let Some(real) = store::open_existing(workspace, Access::Client).await? {
        let copied = copy_known(real.as_ref(), &copy, pauses).await.map_err(Failure::unavailable);
        real.close().await;
        copied?;
    }
    Ok((Arc::new(copy), folder))
}

async fn copy_known(real: &dyn Journal, copy: &Sqlite, pauses: bool) -> Result<(), crate::journal::Error> {
    let moment = real.snapshot().await?;
    for part in KNOWN {
        let mut after = None;
        loop {
            let page = moment.export(part, after.as_deref(), PAGE).await?;
            let mut records = page.records;
            records.retain(|record| {
                pauses || !matches!(record, Record::Value { key, .. } if key.starts_with(RESERVED_PREFIX))
            });
            copy.import(records).await?;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// The result of a run in a dry run.
#[derive(Debug, Serialize)]
pub(super) struct DryRow {
    recipe: String,
    record: Option<String>,
    /// The connections it would have used.
    connections: Vec<String>,
    state: RunState,
    error: Option<String>,
    /// Requests it would have sent and other remarks, in order.
    told: Vec<String>,
    /// The fields that it would have written.
    writes: Vec<DryWrite>,
}

/// Prints what the runs would have done, for people: a heading and a line per request of each, and a table of what they
/// would have written.
pub(super) fn print(rows: &[DryRow], streams: &mut Streams) -> std::io::Result<()> {
    rows.iter().flat_map(DryRow::lines).try_for_each(|line| streams.say(line))?;
    match writes_table(rows.iter().flat_map(|row| &row.writes)) {
        Some(table) => streams.print(&format!("\n{table}\n\n")),
        None => Ok(()),
    }
}

impl DryRow {
    /// A heading and a line per request.
    fn lines(&self) -> Vec<String> {
        let Self { recipe, state, .. } = self;
        let record = self.record.as_ref().map(|record| format!(" {record}")).unwrap_or_default();
        let on = match self.connections.is_empty() {
            true => String::new(),
            false => format!(" on {}", self.connections.join(", ")),
        };
        let why = self.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        let heading = format!("{recipe}{record}{on}: {state}{why}");
        std::iter::once(heading).chain(self.told.iter().map(|line| format!("  {line}"))).collect()
    }

    /// Whether it failed, or would wait for a person.
    pub(super) fn is_bad(&self) -> bool {
        matches!(self.state, RunState::Failed | RunState::Parked)
    }
}

/// The results of runs in a dry run's store, oldest first: all of them, or those that have ended and are not in
/// `known`.
pub(super) async fn rows(
    journal: &dyn Journal,
    recipes: &RecipeVersions,
    mut known: Option<&mut BTreeSet<RunId>>,
) -> Result<Vec<DryRow>, crate::journal::Error> {
    let mut found = Vec::new();
    let rows = journal.runs(&RunFilter::default()).await?;
    let ended = |state: RunState| state.is_finished() || state == RunState::Parked;
    for row in rows.into_iter().rev() {
        if let Some(known) = &mut known
            && (!ended(row.state) || !known.insert(row.id.clone()))
        {
            continue;
        }
        let Some(detail) = journal.run(&row.id).await? else { continue };
        let writes = recipes.current(&row.recipe).map(|recipe| writes(&detail, &recipe)).unwrap_or_default();
        let told = detail.entries.into_iter().filter_map(|stamped| match stamped.entry {
            Entry::Remark { message, .. } => Some(message),
            Entry::StepUnchanged { operation, reason, .. } => {
                Some(format!("would not send {operation}, which would change nothing: {reason}"))
            }
            _ => None,
        });
        found.push(DryRow {
            recipe: row.recipe,
            record: row.record,
            connections: detail.run.accounts.values().cloned().collect(),
            state: row.state,
            error: row.error,
            told: told.collect(),
            writes,
        });
    }
    Ok(found)
}
