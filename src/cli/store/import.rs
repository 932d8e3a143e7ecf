//! `hob store import`: imports what `export` wrote.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;

use super::export::{Closing, FORMAT, Heading};
use super::import_marker::{ImportSource, begin_import, end};
use super::open::open_store;
use super::transfer::Moved;
use crate::cli::{ExitCode, Failure, Session, runtime};
use crate::journal::{Access, Journal, Record};

/// Records per transaction.
const BATCH: usize = 500;

/// Load what `hob store export` wrote
#[derive(Debug, Args)]
#[command(
    after_help = "The workspace's store must be empty. If an import was interrupted, run the same command \
again.\n\nExamples:\n  hob store import backup.jsonl\n  gunzip < backup.jsonl.gz | hob store import -"
)]
pub struct Import {
    /// The file to read; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Import {
    /// Imports the file.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace(&[])?;
        let moved = Moved::new(session.streams.errors_is_terminal);
        let input: Box<dyn Read + Send> = if self.file.as_os_str() == "-" {
            std::mem::replace(&mut session.streams.input, Box::new(std::io::empty()))
        } else {
            let path = session.path(&self.file);
            let file = File::open(&path).with_context(|| format!("cannot read {}", session.shown(&path)));
            Box::new(file.map_err(Failure::usage)?)
        };
        let mut lines = Lines { input: BufReader::new(input), number: 0, text: String::new() };
        let heading: Heading = lines.next()?.ok_or_else(|| lines.wrong("is empty"))?;
        if heading.hob_export > FORMAT {
            return Err(lines.wrong("was written by a newer hob; use a newer hob"));
        }
        if heading.redacted {
            return Err(lines
                .wrong("was made with --redact: secrets in it are masked, so it is no copy of the store"));
        }
        let records = runtime::block_on(async {
            let journal = open_store(&workspace.store, Access::Runner).await?;
            let begun = begin_import(journal.as_ref(), &workspace.store, &heading.source).await;
            let read = match begun {
                Ok(true) => read(lines, journal.as_ref(), &heading.source, moved).await.map(Some),
                Ok(false) => Ok(None),
                Err(failure) => Err(failure),
            };
            journal.close().await;
            read
        })??;
        let to = &workspace.store;
        match records {
            Some(records) => session.streams.say(format!("imported {records} records into {to}"))?,
            None => session.streams.say(format!("everything of this export is in {to} already"))?,
        }
        Ok(ExitCode::Fine)
    }
}

async fn read(
    mut lines: Lines<impl BufRead>,
    journal: &dyn Journal,
    source: &ImportSource,
    mut moved: Moved,
) -> Result<u64, Failure> {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let Some(line) = lines.text()? else {
            return Err(lines.wrong("is incomplete: its last line, with the number of records, is missing"));
        };
        if let Ok(closing) = serde_json::from_str::<Closing>(line) {
            moved.add(batch.len());
            journal.import(batch).await.map_err(Failure::unavailable)?;
            if closing.records != moved.records {
                let reason = format!("holds {} of {} records", moved.records, closing.records);
                return Err(lines.wrong(&reason));
            }
            end(journal, source).await?;
            moved.end();
            return Ok(moved.records);
        }
        let record: Record = serde_json::from_str(line)
            .with_context(|| format!("line {} of the export is not a record", lines.number))
            .map_err(Failure::usage)?;
        batch.push(record);
        if batch.len() == BATCH {
            moved.add(batch.len());
            journal.import(std::mem::take(&mut batch)).await.map_err(Failure::unavailable)?;
        }
    }
}

/// The lines of an export.
struct Lines<R> {
    input: R,
    number: usize,
    text: String,
}

impl<R: BufRead> Lines<R> {
    fn text(&mut self) -> Result<Option<&str>, Failure> {
        self.text.clear();
        self.number += 1;
        let read = self.input.read_line(&mut self.text).context("cannot read the export");
        let read = read.map_err(Failure::usage)?;
        Ok((read > 0).then_some(self.text.as_str()))
    }

    fn next<T: serde::de::DeserializeOwned>(&mut self) -> Result<Option<T>, Failure> {
        let Some(text) = self.text()? else { return Ok(None) };
        let value = serde_json::from_str(text)
            .context("this file is not an export of hob")
            .map_err(Failure::usage)?;
        Ok(Some(value))
    }

    fn wrong(&self, what: &str) -> Failure {
        Failure::usage(anyhow!("the export {what} (line {})", self.number))
    }
}
