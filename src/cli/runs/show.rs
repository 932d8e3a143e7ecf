//! `hob runs show`: one run with everything known of it.

use anyhow::anyhow;
use clap::Args;

use super::history::page;
use crate::cli::store::open_existing;
use crate::cli::{ExitCode, Failure, Format, Output, Session, runtime};
use crate::journal::{Access, Error, Journal, RunDetail, RunFilter};
use crate::run::RunId;

/// Newest runs among which a shortened id is looked for.
const LOOKED_AT: usize = 100_000;

/// Show a run: its event, each step with inputs, attempts and outcomes
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hob runs show run_0199d2c4\n  hob runs show 0199d2c4 --format json")]
pub struct Show {
    /// The run's id, or its beginning
    #[arg(value_name = "RUN")]
    id: String,
    #[command(flatten)]
    output: Output,
}

impl Show {
    /// Prints it.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace(&[])?;
        let Some(journal) = open_existing(&workspace, Access::Client)? else {
            return Err(Failure::usage(anyhow!("no run `{}`: there is no history yet", self.id)));
        };
        let found = runtime::block_on(find(journal.as_ref(), &self.id))?.map_err(Failure::world)?;
        let detail = match found {
            Found::One(detail) => detail,
            Found::None => {
                return Err(Failure::usage(anyhow!("no run `{}`; `hob runs list` lists them", self.id)));
            }
            Found::Several(ids) => {
                let reason = format!("`{}` is the beginning of several runs: {}", self.id, ids.join(", "));
                return Err(Failure::usage(anyhow!(reason)));
            }
        };
        match self.output.format {
            Format::Json => session.streams.json(&detail)?,
            Format::Text => session.streams.output.write_all(page(&detail).as_bytes())?,
        }
        Ok(ExitCode::Fine)
    }
}

enum Found {
    One(Box<RunDetail>),
    None,
    Several(Vec<String>),
}

async fn find(journal: &dyn Journal, id: &str) -> Result<Found, Error> {
    let id = if id.starts_with("run_") { id.to_owned() } else { format!("run_{id}") };
    if let Some(detail) = journal.run(&RunId(id.clone())).await? {
        return Ok(Found::One(Box::new(detail)));
    }
    let filter = RunFilter { limit: Some(LOOKED_AT), ..RunFilter::default() };
    let rows = journal.runs(&filter).await?;
    let fitting: Vec<RunId> =
        rows.into_iter().map(|row| row.id).filter(|run| run.0.starts_with(&id)).collect();
    match fitting.as_slice() {
        [] => Ok(Found::None),
        [one] => Ok(journal.run(one).await?.map_or(Found::None, |detail| Found::One(Box::new(detail)))),
        several => Ok(Found::Several(several.iter().take(5).map(RunId::to_string).collect())),
    }
}
