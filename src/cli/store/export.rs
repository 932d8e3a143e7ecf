//! `hob store export`: everything as lines of JSON.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::import_marker::ImportSource;
use super::open_existing;
use super::target::Target;
use super::transfer::{Moved, Outgoing};
use crate::cli::recipes::hide_webhook_keys;
use crate::cli::{ExitCode, Failure, Session, StoreChoice, runtime};
use crate::journal::{Access, Journal, Record};
use crate::run::MirroredToken;
use crate::secret::Redactor;
use crate::workspace::Store;

/// The format of the lines. Since 2, there are alerts; those of 1 are read as well.
pub(super) const FORMAT: u32 = 2;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Heading {
    /// The format of the lines that follow.
    pub(super) hob_export: u32,
    /// Secrets are masked, so it cannot be imported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) redacted: bool,
    /// The store and its fingerprint.
    #[serde(flatten)]
    pub(super) source: ImportSource,
}

/// The last line: without it, the export is incomplete.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Closing {
    /// The number of records before it.
    pub(super) records: u64,
}

/// Write everything in the store to a file, one line of JSON per record
#[derive(Debug, Args)]
#[command(
    after_help = "Works also while hob runs: the file holds the store as it is at this moment, with everything \
that came in and went out, as it was. Only its owner may read it; keep it as safe as the store. With --redact, \
secrets of the workspace are masked: such a file can be shown, and cannot be imported.\n\nExamples:\n  hob store export backup.jsonl\n  hob store export - | gzip > backup.jsonl.gz"
)]
pub struct Export {
    /// The file to write; - for standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Mask the workspace's secrets
    #[arg(long)]
    redact: bool,
    #[command(flatten)]
    store: StoreChoice,
}

impl Export {
    /// Writes the file, which appears only once it is complete.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.store)?;
        hide_webhook_keys(session, &workspace)?;
        let redactor = self.redact.then(|| session.streams.redactor.clone());
        let moved = Moved::new(session.streams.errors_is_terminal);
        let to_output = self.file.as_os_str() == "-";
        let place = session.path(&self.file);
        let mut target = if to_output { None } else { Some(Target::open(&place).map_err(Failure::usage)?) };
        let output: &mut dyn Write = match &mut target {
            Some(target) => target,
            None => &mut session.streams.output,
        };
        let records = runtime::block_on(async {
            let Some(journal) = open_existing(&workspace, Access::Client).await? else {
                return Err(Failure::usage(anyhow!("there is no store yet; `hob run` creates it")));
            };
            let written =
                write(journal.as_ref(), &workspace.store, BufWriter::new(output), redactor.as_ref(), moved)
                    .await;
            journal.close().await;
            written
        })??;
        if let Some(target) = target {
            target.finish(true).map_err(Failure::unavailable)?;
            session.streams.say(format!("wrote {records} records into {}", session.shown(&place)))?;
        }
        Ok(ExitCode::Fine)
    }
}

async fn write(
    journal: &dyn Journal,
    store: &Store,
    mut output: impl Write,
    redactor: Option<&Redactor>,
    mut moved: Moved,
) -> Result<u64, Failure> {
    if let Some(redactor) = redactor {
        learn_tokens(journal, store, redactor).await?;
    }
    let mut outgoing = Outgoing::snapshot(journal, store).await?;
    line(
        &mut output,
        &Heading { hob_export: FORMAT, redacted: redactor.is_some(), source: outgoing.source().clone() },
    )?;
    while let Some(records) = outgoing.next().await? {
        moved.add(records.len());
        records.iter().try_for_each(|record| masked(&mut output, redactor, record))?;
    }
    line(&mut output, &Closing { records: moved.records })?;
    output.flush()?;
    moved.end();
    Ok(moved.records)
}

/// Learns tokens of runs of other processes: records that contain them may precede the entries that list them.
async fn learn_tokens(journal: &dyn Journal, store: &Store, redactor: &Redactor) -> Result<(), Failure> {
    let mut outgoing = Outgoing::snapshot(journal, store).await?;
    while let Some(records) = outgoing.next().await? {
        for record in records {
            if let Record::Run { entries, .. } = record {
                redactor.add(entries.iter().flat_map(|entry| &entry.tokens).map(MirroredToken::secret));
            }
        }
    }
    Ok(())
}

fn masked(output: &mut impl Write, redactor: Option<&Redactor>, record: &Record) -> Result<(), Failure> {
    let Some(redactor) = redactor else { return line(output, record) };
    let value = serde_json::to_value(record).map_err(std::io::Error::from)?;
    line(output, &redactor.value(&value))
}

fn line(output: &mut impl Write, value: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer(&mut *output, value).map_err(std::io::Error::from)?;
    Ok(output.write_all(b"\n")?)
}
