//! `hob pause` and `hob resume`: pauses recipes and resumes them, everywhere or on one connection.

use std::collections::BTreeSet;

use anyhow::anyhow;
use clap::Args;
use serde_json::json;

use super::accept_removed;
use super::acts::User;
use super::recipes::{Recipes, meant, unknown_recipe};
use super::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime, store};
use crate::clock::Clock;
use crate::diagnostic::closest;
use crate::journal::{Access, Act, Journal, PauseSubject, all_paused, pause, resume};
use crate::workspace::Workspace;

/// Pause recipes: they poll and start nothing, and their events wait
#[derive(Debug, Args)]
#[command(
    after_help = "Also works while hob runs, which notices within a second or two. A paused recipe keeps its \
position: its pollers continue from there when it is resumed. Webhooks for it are accepted, and their runs wait, as do \
those of `hob trigger`. Scheduled times during the pause are skipped. A run in progress finishes its \
current step and waits.\n\n\
With --connection, it rests for that connection alone and works for the others.\n\n\
Examples:\n  hob pause clients-to-contacts\n  hob pause clients-to-contacts --connection studio-1\n  hob pause --all"
)]
pub struct Pause {
    #[command(flatten)]
    names: RecipeNames,
}

/// Resume paused recipes
#[derive(Debug, Args)]
#[command(after_help = "Waiting runs continue at once, in order; pollers continue from their position.\n\n\
A poll of which too many known records are gone at once reports none of them as removed, because the answer may be \
faulty; `hob status` shows the number. --accept-removed with that number says that they were removed: the next poll \
reports those that are still gone, once. A later loss is judged anew.\n\n\
What was paused with --connection is resumed with it, or with --all.\n\n\
Examples:\n  hob resume clients-to-contacts\n  hob resume clients-to-contacts --connection studio-1\n  hob resume --all\n  hob resume people --accept-removed 412")]
pub struct Resume {
    #[command(flatten)]
    names: RecipeNames,
    /// Accept that this many records, which a poll of RECIPE withholds, were removed
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["all", "connection"])]
    accept_removed: Option<u64>,
}

/// The selected recipes.
#[derive(Debug, Args)]
pub(super) struct RecipeNames {
    /// Names of the recipes; that of a sync stands for all of its recipes
    #[arg(value_name = "RECIPE", required_unless_present = "all", conflicts_with = "all")]
    pub(super) recipes: Vec<String>,
    /// All recipes of the workspace
    #[arg(long)]
    all: bool,
    /// Only on this connection of hob.yaml
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    #[command(flatten)]
    pub(super) store: StoreChoice,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Pause {
    /// Pauses.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        self.names.each(session, true)
    }
}

impl Resume {
    /// Resumes.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        match self.accept_removed {
            Some(count) => {
                let RecipeNames { recipes, store, output, .. } = &self.names;
                accept_removed::run(session, recipes, count, *store, output.format)
            }
            None => self.names.each(session, false),
        }
    }
}

impl RecipeNames {
    /// Pauses or resumes them; does nothing if one is unknown.
    fn each(&self, session: &mut Session, rest: bool) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.store)?;
        let recipes = Recipes::load(session, &[], &workspace.catalog, Some(&workspace))?;
        let user = User::of(session);
        let told = runtime::block_on(async {
            let journal = store::open(&workspace, Access::Client).await?;
            let told = self.decide(journal.as_ref(), &recipes, &workspace, rest, &user).await;
            journal.close().await;
            told
        })??;
        match self.output.format {
            Format::Json => {
                let rows = told.iter().map(|(what, changed)| {
                    let PauseSubject { recipe, connection } = what;
                    json!({ "recipe": recipe, "connection": connection, "paused": rest, "changed": changed })
                });
                session.streams.json(&rows.collect::<Vec<_>>())?;
            }
            Format::Text if told.is_empty() => session.streams.note("no recipe is paused"),
            Format::Text => {
                for (what, changed) in &told {
                    let done = match (rest, changed) {
                        (true, true) => "paused",
                        (true, false) => "was paused already",
                        (false, true) => "goes on",
                        (false, false) => "was not paused",
                    };
                    session.streams.say(format!("{what}  {done}"))?;
                }
            }
        }
        Ok(ExitCode::Fine)
    }

    async fn decide(
        &self,
        journal: &dyn Journal,
        recipes: &Recipes,
        workspace: &Workspace,
        rest: bool,
        user: &User,
    ) -> Result<Vec<(PauseSubject, bool)>, Failure> {
        let resting = all_paused(journal).await.map_err(Failure::unavailable)?;
        let resting: BTreeSet<PauseSubject> = resting.iter().map(|(what, _)| what.clone()).collect();
        let now = Clock::system().now();
        let mut told = Vec::new();
        for what in self.subjects(recipes, workspace, &resting, rest)? {
            let changed = match rest {
                true => pause(journal, &what, now).await,
                false => resume(journal, &what, now).await,
            };
            let changed = changed.map_err(Failure::unavailable)?;
            if changed {
                let act = if rest { Act::Pause } else { Act::Resume };
                user.did(journal, act, &format!("recipe {what}"), 0).await?;
            }
            told.push((what, changed));
        }
        Ok(told)
    }

    /// What is meant.
    fn subjects(
        &self,
        recipes: &Recipes,
        workspace: &Workspace,
        resting: &BTreeSet<PauseSubject>,
        rest: bool,
    ) -> Result<BTreeSet<PauseSubject>, Failure> {
        let connection = self.connection.as_deref();
        if let Some(connection) = connection
            && !workspace.accounts.contains_key(connection)
            && !resting.iter().any(|what| what.connection.as_deref() == Some(connection))
        {
            let near = closest(connection, workspace.accounts.keys().map(String::as_str));
            let near = near.map(|near| format!("; {near}")).unwrap_or_default();
            return Err(Failure::usage(anyhow!("hob.yaml has no connection `{connection}`{near}")));
        }
        if self.all && !rest {
            let is_meant =
                |what: &&PauseSubject| connection.is_none() || what.connection.as_deref() == connection;
            return Ok(resting.iter().filter(is_meant).cloned().collect());
        }
        let subject = |recipe: &str| PauseSubject {
            recipe: recipe.to_owned(),
            connection: connection.map(str::to_owned),
        };
        let mut known = recipes.names();
        // Even if its file is gone.
        known.extend(resting.iter().map(|what| what.recipe.clone()));
        let runs_there = |recipe: &str| {
            connection.is_none_or(|connection| runs_on(recipes, recipe, connection))
                || resting.contains(&subject(recipe))
        };
        if self.all {
            return Ok(known
                .iter()
                .filter(|recipe| runs_there(recipe))
                .map(|recipe| subject(recipe))
                .collect());
        }
        let mut subjects = BTreeSet::new();
        for name in &self.recipes {
            let meant = meant(name, known.iter().map(String::as_str));
            if meant.is_empty() {
                return Err(unknown_recipe(name, known.iter().map(String::as_str)));
            }
            if let (Some(connection), false) = (connection, meant.iter().any(|recipe| runs_there(recipe))) {
                return Err(Failure::usage(anyhow!("{name} does not run on {connection}")));
            }
            subjects.extend(meant.into_iter().filter(|recipe| runs_there(recipe)).map(subject));
        }
        Ok(subjects)
    }
}

/// Whether a recipe runs on a connection, as far as its file tells.
fn runs_on(recipes: &Recipes, recipe: &str, connection: &str) -> bool {
    match recipes.sound.iter().find(|sound| sound.name() == recipe) {
        Some(sound) => sound.runs_on(connection),
        None => true,
    }
}
