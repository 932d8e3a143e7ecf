//! `hob trigger`: sends an event to a recipe.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::{Value, json};

use super::connected_accounts::ConnectedAccounts;
use super::dry_run::{self, DryRow};
use super::recipes::{Recipes, unset_variables};
use super::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime, store};
use crate::check::CheckedRecipe;
use crate::clock::Clock;
use crate::engine::{Engine, Options, RecipeVersions};
use crate::journal::{Access, Batch, all_paused, pause_reason};
use crate::run::Accounts;
use crate::trigger::{Schedule, manual};
use crate::value::read_json;
use crate::workspace::Workspace;

/// Send an event to a recipe
#[derive(Debug, Args)]
#[command(
    after_help = "The event is stored at once; a running `hob run` picks it up, otherwise the next one does. \
Works for every recipe, whatever its own trigger.\n\n\
Examples:\n  hob trigger weekly-report\n  hob trigger weekly-report --dry-run\n  hob trigger clients-to-contacts --event client.json\n  \
echo '{\"email\": \"ada@example.com\"}' | hob trigger form-to-contact --event -"
)]
pub struct Trigger {
    /// The recipe's name
    #[arg(value_name = "RECIPE")]
    recipe: String,
    /// File with the event as JSON; - is standard input [default: what its schedule would give now, else an
    /// empty object]
    #[arg(long, value_name = "FILE|-")]
    event: Option<PathBuf>,
    /// Show what would be sent for it, but send nothing that changes anything and store nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    store: StoreChoice,
    #[command(flatten)]
    output: Output,
}

impl Trigger {
    /// Stores the event.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.store)?;
        let recipes = Recipes::load(session, &[], &workspace.catalog, Some(&workspace))?;
        let recipe = recipes.find(&self.recipe, session)?;
        let payload = self.payload(session, &recipe).map_err(Failure::usage)?;
        if self.dry_run {
            return self.run_dry(session, &workspace, recipe, payload);
        }
        let connected = ConnectedAccounts::ignoring_unset_variables(&workspace)?;
        let (id, ids, rests) = runtime::block_on(async {
            let journal = store::open(&workspace, Access::Client).await?;
            let services = connected.services(session, &workspace, Arc::clone(&journal));
            let (event, runs) = manual::event(&recipe, payload, &services);
            let ids: Vec<String> = runs.iter().map(|run| run.id.to_string()).collect();
            let accounts: Vec<Accounts> = runs.iter().map(|run| run.accounts.clone()).collect();
            let id = event.id.to_string();
            let batch = Batch { events: vec![(event, runs)], progress: None };
            journal.append(batch).await.map_err(Failure::unavailable)?;
            let paused = all_paused(journal.as_ref()).await.map_err(Failure::unavailable)?;
            let rests = accounts.iter().find_map(|accounts| paused.of(recipe.name(), accounts.values()));
            journal.close().await;
            Ok::<_, Failure>((id, ids, rests.map(|(what, _)| what)))
        })??;
        match self.output.format {
            Format::Json => session.streams.json(&json!({ "event": id, "runs": ids }))?,
            Format::Text => {
                session.streams.say(format!("event {id}"))?;
                ids.iter().try_for_each(|id| session.streams.say(format!("run   {id}")))?;
                session.streams.note(match rests {
                    Some(what) => format!("stored; {}", pause_reason(&what)),
                    None => "stored; a running `hob run` picks it up at once, otherwise the next one does"
                        .to_owned(),
                });
            }
        }
        Ok(ExitCode::Fine)
    }

    /// Runs the recipe as a dry run and prints the result.
    fn run_dry(
        &self,
        session: &mut Session,
        workspace: &Workspace,
        recipe: CheckedRecipe,
        payload: Value,
    ) -> Result<ExitCode, Failure> {
        // Reads are sent, and without a credential they would only fail.
        if let Some(reason) = unset_variables(&recipe, workspace).filter(|_| !self.store.sandbox) {
            session.show(&workspace.unset);
            let reason = anyhow!("`{}` cannot run: {reason}; set them, or use --sandbox", recipe.name());
            return Err(Failure::problem(reason));
        }
        let rows = runtime::block_on(async {
            let connected = match self.store.sandbox {
                true => ConnectedAccounts::to_sandbox(workspace).await?,
                false => ConnectedAccounts::to_apis(session, workspace)?,
            };
            let (journal, _folder) = dry_run::temporary_store(workspace, false).await?;
            let services = connected.services(session, workspace, Arc::clone(&journal));
            let batch = Batch { events: vec![manual::event(&recipe, payload, &services)], progress: None };
            journal.append(batch).await.map_err(Failure::unavailable)?;
            let options = Options { dry_run: true, isolated: self.store.sandbox, ..Options::default() };
            let recipes = RecipeVersions::new([recipe]);
            let idle = Engine::new(services, recipes.clone(), options).run_until_idle().await;
            connected.finish_token_requests().await;
            let rows = match idle {
                Ok(_) => dry_run::rows(journal.as_ref(), &recipes, None).await,
                Err(error) => Err(error),
            };
            journal.close().await;
            rows.map_err(Failure::unavailable)
        })??;
        match self.output.format {
            Format::Json => session.streams.json(&rows)?,
            Format::Text => {
                dry_run::print(&rows, &mut session.streams)?;
                session
                    .streams
                    .note("a dry run: nothing is sent that changes anything, and nothing is stored");
            }
        }
        Ok(if rows.iter().any(DryRow::is_bad) { ExitCode::Problems } else { ExitCode::Fine })
    }

    fn payload(&self, session: &mut Session, recipe: &CheckedRecipe) -> anyhow::Result<Value> {
        let Some(path) = &self.event else {
            let now = Clock::system().now();
            return Ok(
                Schedule::for_recipe(recipe).map_or_else(|| json!({}), |schedule| schedule.payload(now))
            );
        };
        let mut bytes = Vec::new();
        if path.as_os_str() == "-" {
            session.streams.input.read_to_end(&mut bytes).context("cannot read standard input")?;
        } else {
            let path = session.path(path);
            bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        }
        read_json(&bytes, None).context("the event is not JSON")
    }
}
