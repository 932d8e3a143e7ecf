//! `hob runs writes`: what was written to a record.

use clap::Args;

use crate::cli::recipes::hide_webhook_keys;
use crate::cli::store::open_existing;
use crate::cli::table::table;
use crate::cli::{ExitCode, Failure, Format, Listing, Session, runtime};
use crate::journal::{Access, Written};
use crate::value::short_id;

/// List what hob wrote to a record, newest first
#[derive(Debug, Args)]
#[command(
    after_help = "Covers the runs in the history: writes whose address names the record, and writes that \
returned it.\n\nExamples:\n  hob runs writes nmFmQEsNgz6AVpgLVUJ0\n  hob runs writes nmFmQEsNgz6AVpgLVUJ0 --connection studio --format json"
)]
pub struct Writes {
    /// The record's id
    #[arg(value_name = "RECORD")]
    record: String,
    /// Only on this connection
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

impl Writes {
    /// Prints the list.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.listing.store)?;
        hide_webhook_keys(session, &workspace)?;
        let written = runtime::block_on(async {
            let Some(journal) = open_existing(&workspace, Access::Client).await? else {
                return Ok(Vec::new());
            };
            let record = short_id(self.record.clone());
            let written = journal
                .written(&record, self.connection.as_deref(), self.listing.limit().unwrap_or(usize::MAX))
                .await;
            journal.close().await;
            written.map_err(Failure::unavailable)
        })??;
        match self.listing.output.format {
            Format::Json => session.streams.json(&written)?,
            Format::Text if written.is_empty() => {
                session.streams.note("the history has no writes to this record")
            }
            Format::Text => {
                let header = ["WHEN", "RECIPE", "RUN", "CONNECTION", "OPERATION", "FIELDS"];
                session.streams.show(table(&header, written.iter().map(cells)))?;
                if let Some(note) = self.listing.note(written.len()) {
                    session.streams.note(note);
                }
            }
        }
        Ok(ExitCode::Fine)
    }
}

fn cells(written: &Written) -> Vec<String> {
    vec![
        written.at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
        written.recipe.clone(),
        written.run.to_string(),
        written.write.connection.clone(),
        written.write.operation.clone(),
        written.write.fields.to_string(),
    ]
}
