//! The arguments of `hob replay`, and its course.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use clap::Args;

use super::history::History;
use super::page::Page;
use super::text::text;
use crate::cli::recipes::{Recipes, hide_webhook_keys};
use crate::cli::runs::Since;
use crate::cli::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime};
use crate::clock::Clock;
use crate::journal::RunFilter;
use crate::run::RunState;

/// Examples of each difference without `--limit`.
const EXAMPLES: usize = 3;

/// Replay recorded runs with recipes as they are now, and show what would be different
#[derive(Debug, Args)]
#[command(
    after_help = "Each recorded run is decided once more with the recipe as it is now. What it reads is answered from the \
recording, nothing is sent, and nothing is stored; hob may run meanwhile. Shown are, by record, requests that would be sent \
otherwise, that would be sent and were not, and the other way round, and runs that would end otherwise.\n\n\
What the recording does not tell is inconclusive, never guessed: a read that was not made then, what depends on the answer \
to a request that would be another one (of which only the ids are taken to be the same, and that is told), a run that the \
recipe as it was does not repeat. Runs that have not ended and echoes are not replayed.\n\n\
Exits with 0 only if every replayed run would do the same for certain, and with 1 if anything would be different or is \
inconclusive.\n\n\
Examples:\n  hob replay --since 24h\n  hob replay new-client --since 7d --all\n  hob replay recipes/new-client.yaml \
--state failed\n  hob replay --run run_0199d2c4\n  hob replay new-client --format json"
)]
pub struct Replay {
    /// Recipe files or folders, or names of recipes or syncs [default: all recipes of the workspace]
    #[arg(value_name = "RECIPE")]
    recipes: Vec<PathBuf>,
    /// Only runs created since then: an age such as 24h, a date, or a time [default: 24h]
    #[arg(long, value_name = "TIME", conflicts_with = "run")]
    since: Option<Since>,
    /// Only runs created until then
    #[arg(long, value_name = "TIME", conflicts_with = "run")]
    until: Option<Since>,
    /// Only runs that are in this state
    #[arg(long, value_name = "STATE", conflicts_with = "run")]
    state: Option<RunState>,
    /// Only this run, by its id or the beginning of it; may be repeated
    #[arg(long, value_name = "ID")]
    run: Vec<String>,
    /// Show at most this many records of each difference [default: 3]
    #[arg(long, value_name = "COUNT", conflicts_with = "all")]
    limit: Option<usize>,
    /// Show every record of each difference
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    store: StoreChoice,
    #[command(flatten)]
    output: Output,
}

impl Replay {
    /// Replays and shows.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&self.recipes, self.store)?;
        hide_webhook_keys(session, &workspace)?;
        let recipes = Recipes::load_chosen(session, &self.recipes, &workspace.catalog, &workspace)?;
        recipes.reports.iter().filter(|report| report.has_errors()).for_each(|report| session.show(report));
        for broken in &recipes.broken {
            session.streams.note(format!("left out: {broken}"));
        }
        if recipes.sound.is_empty() {
            return match recipes.broken.is_empty() {
                true => Err(Failure::usage(anyhow!("there are no recipes here"))),
                false => Err(Failure::shown()),
            };
        }
        let filter = self.filter(Clock::system().now());
        let named: Option<BTreeSet<&str>> =
            (!self.recipes.is_empty()).then(|| recipes.sound.iter().map(|recipe| recipe.name()).collect());
        let mut history = History::new(&workspace, &recipes.sound, self.most());
        runtime::block_on(history.read(session, &filter, named.as_ref(), &self.run))??;
        let History { report, gone, .. } = &history;
        let page = Page { report, gone, filter: &filter, recipes: &recipes.sound };
        match self.output.format {
            Format::Json => session.streams.json(&page.json())?,
            Format::Text => session.streams.print(&text(&page, self.all))?,
        }
        self.hints(session, &history, &filter, named.as_ref());
        let is_same = report.is_same() && gone.is_empty() && recipes.broken.is_empty();
        Ok(if is_same { ExitCode::Fine } else { ExitCode::Problems })
    }

    fn filter(&self, now: DateTime<Utc>) -> RunFilter {
        let usual = || Since::Ago(chrono::TimeDelta::hours(24));
        RunFilter {
            since: Some(self.since.unwrap_or_else(usual).before(now)).filter(|_| self.run.is_empty()),
            until: self.until.map(|until| until.before(now)),
            state: self.state,
            ..RunFilter::default()
        }
    }

    /// Most examples of a difference.
    fn most(&self) -> usize {
        if self.all { usize::MAX } else { self.limit.unwrap_or(EXAMPLES) }
    }

    fn hints(
        &self,
        session: &mut Session,
        history: &History<'_>,
        filter: &RunFilter,
        named: Option<&BTreeSet<&str>>,
    ) {
        for gone in &history.gone {
            session.streams.note(gone.complaint());
        }
        for (old, new) in &history.renamed {
            session.streams.note(format!(
                "hint: `{new}` has no runs, and its file was that of `{old}`, which has some: if that is its former name, \
                 give it back to replay them"
            ));
        }
        let is_empty = history.report.counts.replayed == 0 && history.report.not_replayed.is_empty();
        if is_empty && history.gone.is_empty() {
            let of =
                named.map(|names| format!(" of {}", names.iter().copied().collect::<Vec<_>>().join(", ")));
            let since = filter.since.map(|since| format!(" since {}", since.format("%Y-%m-%d %H:%M:%SZ")));
            let (of, since) = (of.unwrap_or_default(), since.unwrap_or_default());
            session.streams.note(format!("there are no such runs{of}{since}; --since looks further back"));
        }
    }
}
