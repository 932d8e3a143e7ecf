//! `hob runs list`: runs, newest first.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use clap::Args;

use super::run_selector::RunSelector;
use crate::cli::recipes::hide_webhook_keys;
use crate::cli::store::open_existing;
use crate::cli::table::table;
use crate::cli::{ExitCode, Failure, Format, Listing, Session, runtime};
use crate::journal::{Access, PauseSubject, RunRow, pause_reason, paused};
use crate::overview::{ListedRun, PollRow, listed_runs, withheld_removals};
use crate::run::RunState;
use crate::workspace::Workspace;

/// List runs, newest first
#[derive(Debug, Args)]
#[command(
    after_help = "States: waiting, running, succeeded, failed, filtered, suppressed, parked, skipped.\n\nRUN is the beginning of the \
run's id, as long as no other run has it; all commands take it. --format json has whole ids.\n\n\
Examples:\n  hob runs list --state failed\n  hob runs list --recipe clients-to-contacts --since 2h\n  \
hob runs list --record cl_81d5kq2v --format json\n  hob runs list --since 7d --text jane@example.com\n  hob runs list --cause 5c1f0a9e3b"
)]
pub struct List {
    #[command(flatten)]
    which: RunSelector,
    #[command(flatten)]
    listing: Listing,
}

impl List {
    /// Prints the list.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.listing.store)?;
        let known = hide_webhook_keys(session, &workspace)?.names();
        let limit = self.listing.limit();
        let (rows, polls) = runtime::block_on(async {
            match open_existing(&workspace, Access::Client).await? {
                Some(journal) => {
                    let mut rows = self.which.rows(journal.as_ref(), &known, limit).await?;
                    let resting = paused(journal.as_ref()).await.map_err(Failure::unavailable)?;
                    rows.iter_mut().for_each(|row| add_pause(row, &resting));
                    let rows = match self.listing.output.format {
                        Format::Text => {
                            listed_runs(journal.as_ref(), rows).await.map_err(Failure::unavailable)?
                        }
                        Format::Json => rows.into_iter().map(ListedRun::whole).collect(),
                    };
                    let cursors = journal.cursors().await.map_err(Failure::unavailable)?;
                    let polls = cursors
                        .iter()
                        .filter_map(PollRow::from_cursor)
                        .filter(|poll| self.shows(&workspace, &known, poll));
                    Ok::<_, Failure>((rows, polls.collect::<Vec<_>>()))
                }
                None => self.which.check_name(&known).map(|()| Default::default()),
            }
        })??;
        match self.listing.output.format {
            Format::Json => {
                session.streams.json(&rows.iter().map(|listed| &listed.row).collect::<Vec<_>>())?
            }
            Format::Text if rows.is_empty() => {
                let there = !self.listing.store.sandbox && workspace.has_sandbox_store();
                let hint = if there { "; --sandbox lists those of the sandbox" } else { "" };
                session.streams.note(format!("no runs{hint}"));
            }
            Format::Text => {
                let header = ["RUN", "RECIPE", "STATE", "RECORD", "CREATED", "WHY"];
                let widest = if session.streams.output_is_terminal { MAX_WIDTH } else { usize::MAX };
                session.streams.show(table(&header, rows.iter().map(|row| cells(row, widest))))?;
                if let Some(note) = self.listing.note(rows.len()) {
                    session.streams.note(note);
                }
            }
        }
        if self.listing.output.format == Format::Text {
            let failing = polls.iter().filter(|poll| poll.fails()).map(PollRow::complaint).collect();
            let sections = [
                ("polls that fail", failing),
                (
                    "removed records that polls do not report, because too many are gone at once",
                    withheld_removals(&polls),
                ),
            ];
            for (title, lines) in
                sections.into_iter().filter(|(_, lines): &(_, Vec<String>)| !lines.is_empty())
            {
                session.streams.show(format!("\n{title}:"))?;
                lines.iter().try_for_each(|line| session.streams.say(format!("  {line}")))?;
            }
        }
        Ok(ExitCode::Fine)
    }

    /// Whether a poll that needs attention belongs in the list: it still exists, and the filter does not exclude it.
    fn shows(&self, workspace: &Workspace, known: &BTreeSet<String>, poll: &PollRow) -> bool {
        let RunSelector { recipe, state, record, text, cause, .. } = &self.which;
        (poll.fails() || poll.withheld.is_some())
            && workspace.accounts.contains_key(&poll.connection)
            && (recipe.is_none() || self.which.recipes(known).contains(&poll.recipe))
            && state.is_none_or(|state| state == RunState::Failed)
            && record.is_none()
            && text.is_none()
            && cause.is_none()
    }
}

/// Widest reason on a terminal, in characters; other output has all of it.
const MAX_WIDTH: usize = 80;

/// Adds the reason to a run that has not been leased since its recipe was paused.
fn add_pause(row: &mut RunRow, resting: &BTreeMap<String, DateTime<Utc>>) {
    if row.state == RunState::Waiting && row.error.is_none() && resting.contains_key(&row.recipe) {
        row.error = Some(pause_reason(&PauseSubject::recipe(&row.recipe)));
    }
}

fn cells(ListedRun { row, short_id }: &ListedRun, widest: usize) -> Vec<String> {
    let why = row.error.as_deref().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    vec![
        short_id.clone(),
        row.recipe.clone(),
        row.state.to_string(),
        row.record.clone().unwrap_or_default(),
        row.created.format("%Y-%m-%d %H:%M:%SZ").to_string(),
        shortened(&why, widest),
    ]
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
