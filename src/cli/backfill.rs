//! `hob backfill`: sends a recipe the records that its list has already.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::connected_accounts::ConnectedAccounts;
use super::dry_run::temporary_store;
use super::recipes::{Recipes, unset_variables};
use super::runs::Since;
use super::runtime::StopSignal;
use super::{ExitCode, Failure, Format, Output, Session, StoreChoice, runtime, store};
use crate::check::CheckedRecipe;
use crate::clock::Clock;
use crate::engine::{JournalLimits, Options};
use crate::journal::{Access, Error, Journal, PauseSubject, RunFilter, last_pause, pause_reason};
use crate::run::RunState;
use crate::trigger::{
    Backfill as ListBackfill, BackfillError, BackfillOptions, Claims, OnPage, Polled, TriggerContext,
};
use crate::workspace::Workspace;

/// Shortest pause before a reading that has to wait is continued.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// Send a recipe the records that exist already
#[derive(Debug, Args)]
#[command(
    after_help = "Reads the list of the recipe's trigger to its end and stores an event for every record about which \
the recipe has no run yet. The runs begin at once if hob runs, otherwise with the next `hob run`; live events go before \
them, and so do other polls at the API. The recipe's own poller keeps its position.\n\n\
Every page is stored with its events. Stop it at any time: the same command continues where it stopped, and no record \
comes twice.\n\n\
Examples:\n  hob backfill clients-to-contacts --dry-run\n  hob backfill clients-to-contacts\n  \
hob backfill clients-to-contacts --since 30d"
)]
pub struct Backfill {
    /// The recipe's name
    #[arg(value_name = "RECIPE")]
    recipe: String,
    /// Only records made or changed since then: an age such as 30d or 1y, `yesterday`, a date, or a time
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Also records about which the recipe has a run
    #[arg(long)]
    again: bool,
    /// Begin anew instead of continuing an interrupted backfill
    #[arg(long)]
    restart: bool,
    /// Read the list and count, but store nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    store: StoreChoice,
    #[command(flatten)]
    output: Output,
}

/// The result. Scripts rely on these fields.
#[derive(Debug, Default, Serialize)]
struct Summary {
    recipe: String,
    /// Whether every list was read to its end.
    finished: bool,
    /// Records read by this command.
    records: u64,
    /// Of these, those about which the recipe has a run.
    known: usize,
    /// Of these, those whose last run was filtered.
    filtered: usize,
    /// Events stored, or, in a dry run, that would be.
    events: usize,
    dry_run: bool,
    /// Why it stopped before the end.
    error: Option<String>,
}

impl Backfill {
    /// Reads and stores.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.store)?;
        let recipes = Recipes::load(session, &[], &workspace.catalog, Some(&workspace))?;
        let recipe = recipes.find(&self.recipe, session)?;
        if let Some(reason) = unset_variables(&recipe, &workspace).filter(|_| !self.store.sandbox) {
            session.show(&workspace.unset);
            let reason = anyhow!("`{}` cannot read: {reason}; set them, or use --sandbox", recipe.name());
            return Err(Failure::problem(reason));
        }
        let bar = progress_bar(session.streams.errors_is_terminal);
        let (summary, paused) = runtime::block_on(self.read(session, &workspace, &recipe, &bar))??;
        match self.output.format {
            Format::Json => session.streams.json(&summary)?,
            Format::Text => {
                session.streams.say(summary.line())?;
                session.streams.note(summary.advice(paused));
            }
        }
        Ok(if summary.finished { ExitCode::Fine } else { ExitCode::Problems })
    }

    async fn read(
        &self,
        session: &mut Session,
        workspace: &Workspace,
        recipe: &CheckedRecipe,
        bar: &ProgressBar,
    ) -> Result<(Summary, bool), Failure> {
        let connected = match self.store.sandbox {
            true => ConnectedAccounts::to_sandbox(workspace).await?,
            false => ConnectedAccounts::to_apis(session, workspace)?,
        };
        let journal = store::open(workspace, Access::Client).await?;
        connected.share_limits((!self.store.sandbox).then(|| JournalLimits::shared(&journal)));
        let (target, _folder) = match self.dry_run {
            true => {
                let (copy, folder) = temporary_store(workspace, false).await?;
                (copy, Some(folder))
            }
            false => (Arc::clone(&journal), None),
        };
        let settings = Options::default();
        let context = TriggerContext {
            services: connected.services(session, workspace, Arc::clone(&target)),
            claims: Claims::new(settings.owner, settings.lease),
            on_page: on_page(bar),
        };
        let read = self.read_all(session, recipe, &context, journal.as_ref(), bar).await;
        bar.finish_and_clear();
        connected.finish_token_requests().await;
        connected.save_counters().await;
        let pause = last_pause(journal.as_ref(), &PauseSubject::recipe(recipe.name())).await;
        let pause = pause.map_err(Failure::unavailable);
        target.close().await;
        journal.close().await;
        Ok((read?, pause?.is_some_and(|pause| pause.is_paused())))
    }

    /// The options that choose records, as they were written.
    fn asked(&self) -> String {
        let since = self.since.as_ref().map(|since| format!(" --since {since}")).unwrap_or_default();
        let again = if self.again { " --again" } else { "" };
        format!("{since}{again}")
    }

    async fn read_all(
        &self,
        session: &mut Session,
        recipe: &CheckedRecipe,
        context: &TriggerContext,
        journal: &dyn Journal,
        bar: &ProgressBar,
    ) -> Result<Summary, Failure> {
        let options = BackfillOptions {
            since: self.since.map(|since| since.before(Clock::system().now())),
            again: self.again,
            asked: self.asked(),
            restart: self.restart || self.dry_run,
        };
        let lists = ListBackfill::all(recipe, &options, context).await.map_err(|error| match error {
            BackfillError::Journal(error) => Failure::unavailable(error),
            other => Failure::usage(other),
        })?;
        let mut summary = Summary {
            recipe: recipe.name().to_owned(),
            finished: true,
            dry_run: self.dry_run,
            ..Summary::default()
        };
        let mut stop = Box::pin(StopSignal::listen()?.requested());
        if let Some(begun) = lists.first().and_then(ListBackfill::continues) {
            let begun = begun.format("%Y-%m-%d %H:%M:%SZ");
            session.streams.note(format!("continues the backfill begun at {begun}"));
        }
        for list in &lists {
            let before = summary.events;
            let reading = read_to_the_end(list, context, &mut summary, bar);
            tokio::select! {
                ended = reading => ended.map_err(Failure::unavailable)?,
                () = &mut stop => summary.error = Some("stopped".to_owned()),
            }
            if summary.error.is_some() {
                summary.finished = false;
                break;
            }
            if self.dry_run && !self.again {
                let (found, events) = (context.services.journal.as_ref(), summary.events - before);
                let (known, filtered) =
                    known_in(list, found, events, journal).await.map_err(Failure::unavailable)?;
                (summary.known, summary.events) = (summary.known + known, summary.events - known);
                summary.filtered += filtered;
            }
        }
        Ok(summary)
    }
}

/// Reads the list; what the API asks to wait for is waited for.
async fn read_to_the_end(
    list: &ListBackfill,
    context: &TriggerContext,
    summary: &mut Summary,
    bar: &ProgressBar,
) -> Result<(), Error> {
    loop {
        let Polled { fresh, known, filtered, events, finished, error, held, .. } = list.read(context).await?;
        summary.records += fresh;
        summary.known += known;
        summary.filtered += filtered;
        summary.events += events;
        match (finished, held) {
            (true, _) => return Ok(()),
            (false, Some(wait)) => {
                // A refused credential would be tried again for ever.
                if let Some(reason) = list.hold() {
                    summary.error = Some(format!("{}: {reason}", list.connection()));
                    return Ok(());
                }
                let reason = error.unwrap_or_default();
                tracing::warn!(connection = list.connection(), "the backfill waits: {reason}");
                bar.set_message(format!("{} waits: {reason}", list.connection()));
                tokio::time::sleep(wait.max(SHORTEST_PAUSE)).await;
            }
            (false, None) => {
                summary.error = Some(error.unwrap_or_else(|| "the list cannot be read".to_owned()));
                return Ok(());
            }
        }
    }
}

/// How many of the last events of a dry run, in `found`, are about records that have a run in `journal`, and how many of
/// these runs were filtered.
async fn known_in(
    list: &ListBackfill,
    found: &dyn Journal,
    events: usize,
    journal: &dyn Journal,
) -> Result<(usize, usize), Error> {
    let (mut known, mut filtered) = (0, 0);
    for run in found.runs(&RunFilter { limit: Some(events), ..RunFilter::default() }).await? {
        if let Some(record) = &run.record {
            let state = list.last_run(journal, record).await?;
            known += usize::from(state.is_some());
            filtered += usize::from(state == Some(RunState::Filtered));
        }
    }
    Ok((known, filtered))
}

impl Summary {
    fn line(&self) -> String {
        let Self { recipe, records, known, filtered, events, .. } = self;
        let events = match self.dry_run {
            true => format!("{events} would be sent to it"),
            false => format!("{events} stored for it"),
        };
        let filtered = match filtered {
            0 => String::new(),
            filtered => format!(", of which {filtered} were filtered"),
        };
        format!("{recipe}: {records} records read, {events}, {known} had a run already{filtered}")
    }

    fn advice(&self, paused: bool) -> String {
        match &self.error {
            Some(error) if self.dry_run => format!("stopped before the end of the list: {error}"),
            Some(error) => {
                format!("stopped before the end of the list: {error}; the same command continues from there")
            }
            None if self.dry_run => "a dry run: nothing is stored".to_owned(),
            None if self.events == 0 && self.known > 0 => {
                "nothing new; --again sends them once more".to_owned()
            }
            None if self.events == 0 => "nothing to do".to_owned(),
            None if paused => format!("stored; {}", pause_reason(&PauseSubject::recipe(&self.recipe))),
            None => "a running `hob run` does the runs now, otherwise the next one does".to_owned(),
        }
    }
}

pub(super) fn progress_bar(visible: bool) -> ProgressBar {
    if visible { ProgressBar::no_length() } else { ProgressBar::hidden() }
}

/// Shows every page.
pub(super) fn on_page(bar: &ProgressBar) -> OnPage {
    let bar = bar.clone();
    OnPage::new(move |page| {
        // Falls back to the default style if a template is invalid.
        let template = match page.total {
            Some(_) => "{pos}/{len} records [{bar:30}] {per_sec} {eta} {msg}",
            None => "{spinner} {pos} records {per_sec} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if let Some(total) = page.total {
            bar.set_length(total);
        }
        bar.set_message("");
        bar.set_position(page.total.map_or(page.items, |total| page.items.min(total)));
    })
}
