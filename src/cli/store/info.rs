//! `hob store info`: what is stored, and how much of it.

use anyhow::anyhow;
use clap::Args;
use indicatif::HumanBytes;

use super::open_existing;
use crate::cli::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime};
use crate::journal::{Access, StoreInfo};

/// Show what is stored, and how much of it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hob store info\n  hob store info --format json")]
pub struct Info {
    #[command(flatten)]
    store: StoreChoice,
    #[command(flatten)]
    output: Output,
}

impl Info {
    /// Prints it.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.store)?;
        let info = runtime::block_on(async {
            let Some(journal) = open_existing(&workspace, Access::Client).await? else { return Ok(None) };
            let info = journal.info().await.map_err(Failure::unavailable);
            journal.close().await;
            info.map(Some)
        })??;
        let Some(info) = info else {
            return Err(Failure::usage(anyhow!("there is no store yet; `hob run` creates it")));
        };
        match self.output.format {
            Format::Json => session.streams.json(&info)?,
            Format::Text => session.streams.print(&page(&info))?,
        }
        Ok(ExitCode::Fine)
    }
}

fn page(info: &StoreInfo) -> String {
    let runs: u64 = info.totals.runs.values().sum();
    let states: Vec<String> =
        info.totals.runs.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let states = if states.is_empty() { String::new() } else { format!(" ({})", states.join(", ")) };
    let oldest = info.oldest.map(|at| format!(", the oldest from {}", at.format("%Y-%m-%d %H:%M:%SZ")));
    format!(
        "store     {} {}\nformat    {}\nsize      {}\nevents    {}{}\nruns      {runs}{states}\n\
         cursors   {}\nlinks     {}\n",
        info.kind,
        info.place,
        info.format,
        HumanBytes(info.bytes),
        info.totals.events,
        oldest.unwrap_or_default(),
        info.cursors,
        info.links
    )
}
