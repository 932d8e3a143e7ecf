//! `hob runs list`: runs, newest first.

use clap::Args;

use super::which::Which;
use crate::cli::store::open_existing;
use crate::cli::table::table;
use crate::cli::{ExitCode, Failure, Format, Output, Session, runtime};
use crate::journal::{Access, RunRow};

/// List runs, newest first
#[derive(Debug, Args)]
#[command(
    after_help = "States: waiting, running, succeeded, failed, filtered, parked, skipped, and suppressed (reserved).\n\n\
Examples:\n  hob runs list --state failed\n  hob runs list --recipe clients-to-contacts --since 2h\n  \
hob runs list --record cl_81d5kq2v --format json\n  hob runs list --since 7d --text jane@example.com"
)]
pub struct List {
    #[command(flatten)]
    which: Which,
    /// Show at most this many; 0 shows all
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    output: Output,
}

impl List {
    /// Prints the list.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace(&[])?;
        let limit = Some(self.limit).filter(|limit| *limit > 0);
        let rows = runtime::block_on(async {
            match open_existing(&workspace, Access::Client).await? {
                Some(journal) => journal.runs(&self.which.filter(limit)).await.map_err(Failure::world),
                None => Ok(Vec::new()),
            }
        })??;
        match self.output.format {
            Format::Json => session.streams.json(&rows)?,
            Format::Text if rows.is_empty() => session.streams.note("no runs"),
            Format::Text => {
                let header = ["RUN", "RECIPE", "STATE", "RECORD", "CREATED", "WHY"];
                session.streams.say(table(&header, rows.iter().map(cells)))?;
                if self.limit > 0 && rows.len() == self.limit {
                    session
                        .streams
                        .note(format!("only the newest {} are shown; --limit shows more", self.limit));
                }
            }
        }
        Ok(ExitCode::Fine)
    }
}

fn cells(row: &RunRow) -> Vec<String> {
    let why = row.error.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
    vec![
        row.id.to_string(),
        row.recipe.clone(),
        row.state.to_string(),
        row.record.clone().unwrap_or_default(),
        row.created.format("%Y-%m-%d %H:%M:%SZ").to_string(),
        shortened(why, 80),
    ]
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
