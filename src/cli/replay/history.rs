//! Reads recorded runs a page at a time, with their recipes as they were, and replays them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use indexmap::IndexMap;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};

use crate::check::CheckedRecipe;
use crate::cli::backfill::progress_bar;
use crate::cli::connected_accounts::ConnectedAccounts;
use crate::cli::runs::find;
use crate::cli::store::open_existing;
use crate::cli::{Failure, Session};
use crate::clock::Clock;
use crate::connection::Connection;
use crate::engine::RecipeVersions;
use crate::journal::{Access, Journal, RunDetail, RunFilter};
use crate::recipe_test::{recorded_context, unconnected};
use crate::replay::{NotReplayed, ReplayedRun, Report, RunReplay, links_before, reads_links};
use crate::run::{MirroredToken, RunContext};
use crate::workspace::Workspace;

/// Runs read at a time.
const PAGE: usize = 200;

/// Runs of a recipe that is not in the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) recipe: String,
    pub(super) runs: u64,
    /// The file that it was in.
    pub(super) file: Option<String>,
    /// The recipe that is in that file now.
    pub(super) now: Option<String>,
}

impl Gone {
    /// What is wrong, and what to do.
    pub(super) fn complaint(&self) -> String {
        let Self { recipe, runs, file, now } = self;
        let runs = if *runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") };
        let file = file.as_ref().map(|file| format!(" (it was in {file})")).unwrap_or_default();
        let remedy = match now {
            Some(now) => format!("if it is called `{now}` now, give it its former name to replay them"),
            None => "name the recipes to replay if it was removed on purpose".to_owned(),
        };
        format!("error: {runs} of `{recipe}`, which no sound recipe is called any more{file}: {remedy}")
    }
}

/// The runs of a workspace, as they are replayed.
pub(super) struct History<'w> {
    pub(super) report: Report,
    /// Recipes of runs that are not there any more.
    pub(super) gone: Vec<Gone>,
    /// Former names of recipes that have no runs, and their names now.
    pub(super) renamed: Vec<(String, String)>,
    workspace: &'w Workspace,
    recipes: HashMap<&'w str, &'w CheckedRecipe>,
    earlier: HashMap<(String, String), Option<CheckedRecipe>>,
    versions: RecipeVersions,
    connections: Arc<IndexMap<String, Arc<Connection>>>,
    env: Map<String, Value>,
    /// Recipe → its runs and a version.
    unknown: BTreeMap<String, (u64, Option<String>)>,
}

impl<'w> History<'w> {
    /// Those of `workspace`, with `recipes` as they are now, and at most `examples` of each difference.
    pub(super) fn new(workspace: &'w Workspace, recipes: &'w [CheckedRecipe], examples: usize) -> Self {
        let versions = RecipeVersions::default().with_checker(workspace.catalog.clone(), workspace.info());
        Self {
            report: Report::keeping(examples),
            gone: Vec::new(),
            renamed: Vec::new(),
            workspace,
            recipes: recipes.iter().map(|recipe| (recipe.name(), recipe)).collect(),
            earlier: HashMap::new(),
            versions,
            connections: Arc::default(),
            env: workspace.env_values(),
            unknown: BTreeMap::new(),
        }
    }

    /// Replays the runs that match `filter`: those of the recipes `named`, or of all, or only those with the ids `runs`.
    pub(super) async fn read(
        &mut self,
        session: &mut Session,
        filter: &RunFilter,
        named: Option<&BTreeSet<&str>>,
        runs: &[String],
    ) -> Result<(), Failure> {
        let Some(journal) = open_existing(self.workspace, Access::Client).await? else {
            let there = !self.workspace.is_sandbox() && self.workspace.has_sandbox_store();
            let hint = if there { "; --sandbox replays the runs of the sandbox" } else { "" };
            return Err(Failure::usage(anyhow!("there is no history yet{hint}")));
        };
        let sandbox = match self.workspace.is_sandbox() {
            true => Some(ConnectedAccounts::to_sandbox(self.workspace).await?),
            false => None,
        };
        // Only their settings matter, which templates read.
        self.connections = match &sandbox {
            Some(sandbox) => Arc::clone(&sandbox.connections),
            None => {
                let accounts = self.workspace.accounts.values();
                Arc::new(unconnected(accounts, &Clock::system()).map_err(Failure::unavailable)?)
            }
        };
        let bar = progress_bar(session.streams.errors_is_terminal);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} runs {per_sec}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        let read = self.read_all(session, journal.as_ref(), filter, named, runs, &bar).await;
        bar.finish_and_clear();
        let found = match read {
            Ok(()) => self.find_gone(journal.as_ref(), filter, named).await,
            Err(failure) => Err(failure),
        };
        journal.close().await;
        found
    }

    async fn read_all(
        &mut self,
        session: &mut Session,
        journal: &dyn Journal,
        filter: &RunFilter,
        named: Option<&BTreeSet<&str>>,
        runs: &[String],
        bar: &ProgressBar,
    ) -> Result<(), Failure> {
        for id in runs {
            let row = find(journal, id).await?;
            let detail = journal.run(&row.id).await.map_err(Failure::unavailable)?;
            let detail = detail.ok_or_else(|| Failure::usage(anyhow!("run `{}` is gone", row.id)))?;
            if named.is_some_and(|named| !named.contains(detail.row.recipe.as_str())) {
                return Err(Failure::usage(anyhow!("run `{}` is one of `{}`", row.id, row.recipe)));
            }
            self.replay(session, journal, detail).await?;
        }
        let names: Vec<Option<String>> = match named {
            _ if !runs.is_empty() => Vec::new(),
            Some(named) => named.iter().map(|name| Some((*name).to_owned())).collect(),
            None => vec![None],
        };
        for recipe in names {
            let filter = RunFilter { recipe, limit: Some(PAGE), ..filter.clone() };
            let mut after = None;
            loop {
                let page = journal.histories(&filter, after).await.map_err(Failure::unavailable)?;
                let is_last = page.len() < PAGE;
                for (place, detail) in page {
                    after = Some(place);
                    bar.inc(1);
                    self.replay(session, journal, detail).await?;
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn replay(
        &mut self,
        session: &mut Session,
        journal: &dyn Journal,
        detail: RunDetail,
    ) -> Result<(), Failure> {
        let tokens = detail.entries.iter().flat_map(|entry| &entry.tokens);
        session.streams.redactor.add_short_lived(tokens.map(MirroredToken::secret));
        let name = detail.row.recipe.as_str();
        let Some(now) = self.recipes.get(name).copied() else {
            let (runs, version) = self.unknown.entry(name.to_owned()).or_default();
            *runs += 1;
            *version = detail.run.version.clone().or(version.take());
            return Ok(());
        };
        if let Some(reason) = NotReplayed::of(&detail) {
            self.report.leave_out(reason);
            return Ok(());
        }
        let then = match &detail.run.version {
            Some(version) => match self.version(journal, now, version).await? {
                Some(then) => Some(then),
                None => {
                    self.report.add(&replayed(&detail), RunReplay::unreadable(version));
                    return Ok(());
                }
            },
            None => None,
        };
        let context = self.context(journal, &detail, then.as_ref(), now).await?;
        let replay = RunReplay::of(&detail, then.as_ref(), now, &context);
        self.report.add(&replayed(&detail), replay);
        Ok(())
    }

    /// The recipe in the version that a run began with.
    async fn version(
        &mut self,
        journal: &dyn Journal,
        now: &CheckedRecipe,
        version: &str,
    ) -> Result<Option<CheckedRecipe>, Failure> {
        if now.version() == version {
            return Ok(Some(now.clone()));
        }
        let key = (now.name().to_owned(), version.to_owned());
        if let Some(known) = self.earlier.get(&key) {
            return Ok(known.clone());
        }
        let stored = journal.recipe(now.name(), version).await.map_err(Failure::unavailable)?;
        let then = stored.and_then(|stored| self.versions.read(&stored));
        self.earlier.insert(key, then.clone());
        Ok(then)
    }

    async fn context(
        &self,
        journal: &dyn Journal,
        detail: &RunDetail,
        then: Option<&CheckedRecipe>,
        now: &CheckedRecipe,
    ) -> Result<RunContext, Failure> {
        let mut context = recorded_context(&self.connections, &self.env, &detail.run.accounts);
        let is_linked = reads_links(now) || then.is_some_and(reads_links);
        if let Some(record) = detail.event.record.as_ref().filter(|_| is_linked) {
            let links = journal.links_by_record(record).await.map_err(Failure::unavailable)?;
            context.links = links_before(detail, now, links)
                .into_iter()
                .map(|link| {
                    let other = if link.from == *record { link.to } else { link.from };
                    (link.name, Value::from(other))
                })
                .collect();
        }
        Ok(context)
    }

    /// What is known of recipes that have runs and are not there any more, or are called otherwise.
    async fn find_gone(
        &mut self,
        journal: &dyn Journal,
        filter: &RunFilter,
        named: Option<&BTreeSet<&str>>,
    ) -> Result<(), Failure> {
        for (recipe, (runs, version)) in std::mem::take(&mut self.unknown) {
            let file = self.file(journal, &recipe, version.as_deref()).await?;
            let now = file.as_deref().and_then(|file| self.in_file(file)).map(str::to_owned);
            self.gone.push(Gone { recipe, runs, file, now });
        }
        let nothing = self.report.counts.replayed == 0 && self.report.not_replayed.is_empty();
        if named.is_some() && nothing && self.gone.is_empty() {
            let newest = RunFilter { limit: Some(PAGE), ..filter.clone() };
            let rows = journal.runs(&newest).await.map_err(Failure::unavailable)?;
            let others: BTreeSet<String> = rows.into_iter().map(|row| row.recipe).collect();
            for old in others.iter().filter(|name| !self.recipes.contains_key(name.as_str())) {
                let of_it = RunFilter { recipe: Some(old.clone()), ..newest.clone() };
                let page = journal.histories(&of_it, None).await.map_err(Failure::unavailable)?;
                let version = page.iter().rev().find_map(|(_, detail)| detail.run.version.clone());
                let file = self.file(journal, old, version.as_deref()).await?;
                if let Some(new) = file.as_deref().and_then(|file| self.in_file(file)) {
                    self.renamed.push((old.clone(), new.to_owned()));
                }
            }
        }
        Ok(())
    }

    /// The file that a recipe was in.
    async fn file(
        &self,
        journal: &dyn Journal,
        recipe: &str,
        version: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        let Some(version) = version else { return Ok(None) };
        let stored = journal.recipe(recipe, version).await.map_err(Failure::unavailable)?;
        Ok(stored.map(|stored| stored.file))
    }

    fn in_file(&self, file: &str) -> Option<&'w str> {
        let is_in = |recipe: &&&CheckedRecipe| recipe.recipe().file.name() == file;
        self.recipes.values().find(is_in).map(|recipe| recipe.name())
    }
}

fn replayed(detail: &RunDetail) -> ReplayedRun {
    let row = &detail.row;
    ReplayedRun { id: row.id.clone(), recipe: row.recipe.clone(), record: row.record.clone() }
}
