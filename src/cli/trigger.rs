//! `hob trigger`: an event of your own for a recipe.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::{Value, json};

use super::connected::Connected;
use super::recipes::Recipes;
use super::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime, store};
use crate::check::CheckedRecipe;
use crate::clock::Clock;
use crate::diagnostic::closest;
use crate::journal::{Access, Batch, pause_of, why_paused};
use crate::trigger::{Claims, Surroundings, manual};

/// It claims nothing.
const NO_TENURE: Duration = Duration::ZERO;

/// Give a recipe an event of your own
#[derive(Debug, Args)]
#[command(
    after_help = "The event is stored at once; a running `hob run` picks it up, otherwise the next one does. \
Works for every recipe, whatever its own trigger.\n\n\
Examples:\n  hob trigger weekly-report\n  hob trigger clients-to-contacts --event client.json\n  \
echo '{\"email\": \"ada@example.com\"}' | hob trigger form-to-contact --event -"
)]
pub struct Trigger {
    /// The recipe's name
    #[arg(value_name = "RECIPE")]
    recipe: String,
    /// File with the event as JSON; - is standard input [default: an empty object]
    #[arg(long, value_name = "FILE|-")]
    event: Option<PathBuf>,
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
        let recipe = self.find(recipes, session)?;
        let payload = self.payload(session).map_err(Failure::usage)?;
        let connected = Connected::without_asking(&workspace)?;
        let (id, ids, rests) = runtime::block_on(async {
            let journal = store::open(&workspace, Access::Client).await?;
            let around = Surroundings {
                journal: Arc::clone(&journal),
                client: connected.client,
                clock: Clock::system(),
                connections: Arc::new(connected.connections),
                env: Arc::new(workspace.env_values()),
                claims: Claims::new("hob trigger", NO_TENURE),
                on_page: Default::default(),
            };
            let (event, runs) = manual::event(&recipe, payload, &around);
            let ids: Vec<String> = runs.iter().map(|run| run.id.to_string()).collect();
            let id = event.id.to_string();
            let batch = Batch { events: vec![(event, runs)], progress: None };
            journal.append(batch).await.map_err(Failure::world)?;
            let pause = pause_of(journal.as_ref(), recipe.name()).await.map_err(Failure::world)?;
            journal.close().await;
            Ok::<_, Failure>((id, ids, pause.is_some_and(|pause| pause.is_paused())))
        })??;
        match self.output.format {
            Format::Json => session.streams.json(&json!({ "event": id, "runs": ids }))?,
            Format::Text => {
                session.streams.say(format!("event {id}"))?;
                ids.iter().try_for_each(|id| session.streams.say(format!("run   {id}")))?;
                session.streams.note(match rests {
                    true => format!("stored; {}", why_paused(recipe.name())),
                    false => "stored; a running `hob run` picks it up at once, otherwise the next one does"
                        .to_owned(),
                });
            }
        }
        Ok(ExitCode::Fine)
    }

    fn find(&self, recipes: Recipes, session: &mut Session) -> Result<CheckedRecipe, Failure> {
        if let Some(recipe) = recipes.sound.iter().find(|recipe| recipe.name() == self.recipe) {
            return Ok(recipe.clone());
        }
        let broken: Vec<_> = recipes.reports.iter().filter(|report| report.has_errors()).collect();
        broken.iter().for_each(|report| session.show(report));
        let name = &self.recipe;
        let reason = match closest(name, recipes.sound.iter().map(CheckedRecipe::name)) {
            Some(suggestion) => anyhow!("no recipe `{name}`; {suggestion}"),
            None if broken.is_empty() => anyhow!("no recipe `{name}` in this workspace"),
            None => anyhow!("no recipe `{name}` without mistakes"),
        };
        Err(Failure::usage(reason))
    }

    fn payload(&self, session: &mut Session) -> anyhow::Result<Value> {
        let Some(path) = &self.event else { return Ok(json!({})) };
        let mut text = String::new();
        if path.as_os_str() == "-" {
            session.streams.input.read_to_string(&mut text).context("cannot read standard input")?;
        } else {
            let path = session.path(path);
            text =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        }
        serde_json::from_str(&text).context("the event is not JSON")
    }
}
