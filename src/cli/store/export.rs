//! `hob store export`: everything as lines of JSON.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::mark::{Origin, is_mark};
use super::open_existing;
use super::transfer::{Moved, Outgoing};
use crate::cli::{ExitCode, Failure, Session, StoreChoice, runtime};
use crate::journal::{Access, Journal};
use crate::workspace::Store;

/// The form of the lines.
pub(super) const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Heading {
    /// The form of the lines that follow.
    pub(super) hob_export: u32,
    /// The store, and in which state.
    #[serde(flatten)]
    pub(super) origin: Origin,
}

/// The last line: without it, something is missing.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Closing {
    /// Records before it.
    pub(super) records: u64,
}

/// Write everything in the store to a file, one line of JSON per record
#[derive(Debug, Args)]
#[command(
    after_help = "Stop hob first. The file holds everything that came in and went out: keep it as safe as the \
store.\n\nExamples:\n  hob store export backup.jsonl\n  hob store export - | gzip > backup.jsonl.gz"
)]
pub struct Export {
    /// The file to write; - for standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    store: StoreChoice,
}

impl Export {
    /// Writes. A file appears when all of it is there.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.store)?;
        let moved = Moved::new(session.streams.errors_is_terminal);
        let to_output = self.file.as_os_str() == "-";
        let place = session.path(&self.file);
        let mut file = if to_output { None } else { Some(beside(&place).map_err(Failure::world)?) };
        let output: &mut dyn Write = match &mut file {
            Some(file) => file,
            None => &mut session.streams.output,
        };
        let records = runtime::block_on(async {
            let Some(journal) = open_existing(&workspace, Access::Runner).await? else {
                return Err(Failure::usage(anyhow!("there is no store yet; `hob run` creates it")));
            };
            let written = write(journal.as_ref(), &workspace.store, BufWriter::new(output), moved).await;
            journal.close().await;
            written
        })??;
        if let Some(file) = file {
            let context = || format!("cannot write {}", place.display());
            file.as_file().sync_all().with_context(context).map_err(Failure::world)?;
            file.persist(&place).with_context(context).map_err(Failure::world)?;
            session.streams.say(format!("wrote {records} records into {}", session.shown(&place)))?;
        }
        Ok(ExitCode::Fine)
    }
}

fn beside(place: &Path) -> anyhow::Result<NamedTempFile> {
    let folder = place.parent().unwrap_or(Path::new("."));
    NamedTempFile::new_in(folder).with_context(|| format!("cannot write into {}", folder.display()))
}

async fn write(
    journal: &dyn Journal,
    store: &Store,
    mut output: impl Write,
    mut moved: Moved,
) -> Result<u64, Failure> {
    let mut outgoing = Outgoing::of(journal, store).await?;
    line(&mut output, &Heading { hob_export: FORMAT, origin: outgoing.origin().clone() })?;
    while let Some(mut records) = outgoing.next().await? {
        records.retain(|record| !is_mark(record));
        moved.add(records.len());
        records.iter().try_for_each(|record| line(&mut output, record))?;
    }
    outgoing.end().await?;
    line(&mut output, &Closing { records: moved.records })?;
    output.flush()?;
    moved.end();
    Ok(moved.records)
}

fn line(output: &mut impl Write, value: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer(&mut *output, value).map_err(std::io::Error::from)?;
    Ok(output.write_all(b"\n")?)
}
