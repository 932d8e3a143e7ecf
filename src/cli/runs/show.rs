//! `hob runs show`: a run with its event and history.

use anyhow::anyhow;
use clap::Args;

use super::run_selector::find;
use super::trace::waterfall;
use crate::check::CheckedRecipe;
use crate::cli::recipes::hide_webhook_keys;
use crate::cli::store::open_existing;
use crate::cli::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime};
use crate::journal::Access;
use crate::overview::{Trace, history_page};
use crate::run::MirroredToken;

/// Show a run: its event, each step with inputs, attempts and outcomes
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hob runs show run_0199d2c4\n  hob runs show 0199d2c4 --format json\n  \
hob runs show 0199d2c4 --trace")]
pub struct Show {
    /// The run's id, or its beginning
    #[arg(value_name = "RUN")]
    id: String,
    /// Show the path that it took instead: how long each step was tried and waited, and for what, and why it did not run
    #[arg(long)]
    trace: bool,
    #[command(flatten)]
    store: StoreChoice,
    #[command(flatten)]
    output: Output,
}

impl Show {
    /// Prints it.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.store)?;
        let recipes = hide_webhook_keys(session, &workspace)?;
        let (detail, ahead) = runtime::block_on(async {
            match open_existing(&workspace, Access::Client).await? {
                Some(journal) => {
                    let row = find(journal.as_ref(), &self.id).await?;
                    let detail = journal.run(&row.id).await.map_err(Failure::unavailable)?;
                    let detail = detail.ok_or_else(|| Failure::usage(anyhow!("run `{}` is gone", row.id)))?;
                    let ahead = journal.lane_head(&row.recipe, &detail.run.lane).await;
                    Ok((detail, ahead.map_err(Failure::unavailable)?))
                }
                None => Err(Failure::usage(anyhow!("no run `{}`: there is no history yet", self.id))),
            }
        })??;
        let tokens = detail.entries.iter().flat_map(|entry| &entry.tokens);
        session.streams.redactor.add_short_lived(tokens.map(MirroredToken::secret));
        if self.trace {
            let recipe = recipes.sound.iter().find(|recipe| recipe.name() == detail.row.recipe);
            let recipe = recipe.map(CheckedRecipe::recipe);
            let trace = Trace::new(&detail, recipe, ahead.as_ref());
            match self.output.format {
                Format::Json => session.streams.json(&trace)?,
                Format::Text => {
                    let page = waterfall(&trace, &session.streams.redactor);
                    session.streams.print(&page)?;
                }
            }
            return Ok(ExitCode::Fine);
        }
        match self.output.format {
            Format::Json => session.streams.json(&detail)?,
            Format::Text => {
                let page = history_page(&detail, &session.streams.redactor);
                session.streams.print(&page)?;
            }
        }
        Ok(ExitCode::Fine)
    }
}
