//! `hob pause` and `hob resume`: pauses recipes and resumes them.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::json;

use super::accept_removed;
use super::acts::User;
use super::recipes::{Recipes, meant, unknown_recipe};
use super::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime, store};
use crate::clock::Clock;
use crate::journal::{Access, Act, Journal, pause, paused, resume};

/// Pause recipes: they poll and start nothing, and their events wait
#[derive(Debug, Args)]
#[command(
    after_help = "Also works while hob runs, which notices within a second or two. A paused recipe keeps its \
position: its pollers continue from there when it is resumed. Webhooks for it are accepted, and their runs wait, as do \
those of `hob trigger`. Scheduled times during the pause are skipped. A run in progress finishes its \
current step and waits.\n\n\
Examples:\n  hob pause clients-to-contacts\n  hob pause --all"
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
Examples:\n  hob resume clients-to-contacts\n  hob resume --all\n  hob resume people --accept-removed 412")]
pub struct Resume {
    #[command(flatten)]
    names: RecipeNames,
    /// Accept that this many records, which a poll of RECIPE withholds, were removed
    #[arg(long, value_name = "COUNT", conflicts_with = "all")]
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
        let mut known = Recipes::load(session, &[], &workspace.catalog, Some(&workspace))?.names();
        let user = User::of(session);
        let told = runtime::block_on(async {
            let journal = store::open(&workspace, Access::Client).await?;
            let told = self.decide(journal.as_ref(), &mut known, rest, &user).await;
            journal.close().await;
            told
        })??;
        match self.output.format {
            Format::Json => {
                let rows = told
                    .iter()
                    .map(|(name, changed)| json!({ "recipe": name, "paused": rest, "changed": changed }));
                session.streams.json(&rows.collect::<Vec<_>>())?;
            }
            Format::Text if told.is_empty() => session.streams.note("no recipe is paused"),
            Format::Text => {
                for (name, changed) in &told {
                    let what = match (rest, changed) {
                        (true, true) => "paused",
                        (true, false) => "was paused already",
                        (false, true) => "goes on",
                        (false, false) => "was not paused",
                    };
                    session.streams.say(format!("{name}  {what}"))?;
                }
            }
        }
        Ok(ExitCode::Fine)
    }

    async fn decide(
        &self,
        journal: &dyn Journal,
        known: &mut BTreeSet<String>,
        rest: bool,
        user: &User,
    ) -> Result<Vec<(String, bool)>, Failure> {
        let resting = paused(journal).await.map_err(Failure::unavailable)?;
        // Even if its file is gone.
        known.extend(resting.keys().cloned());
        let mut names = BTreeSet::new();
        match self.all {
            true if rest => names.clone_from(known),
            true => names.extend(resting.into_keys()),
            false => {
                for name in &self.recipes {
                    let known = known.iter().map(String::as_str);
                    let meant = meant(name, known.clone());
                    if meant.is_empty() {
                        return Err(unknown_recipe(name, known));
                    }
                    names.extend(meant.into_iter().map(str::to_owned));
                }
            }
        }
        let now = Clock::system().now();
        let mut told = Vec::new();
        for name in names {
            let changed = match rest {
                true => pause(journal, &name, now).await,
                false => resume(journal, &name, now).await,
            };
            let changed = changed.map_err(Failure::unavailable)?;
            if changed {
                let act = if rest { Act::Pause } else { Act::Resume };
                user.did(journal, act, &format!("recipe {name}"), 0).await?;
            }
            told.push((name, changed));
        }
        Ok(told)
    }
}
