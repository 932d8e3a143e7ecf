//! What the store says of recipes: how often they ran, what their runs sent, and how many pages their polls read.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use crate::check::CheckedRecipe;
use crate::event::Priority;
use crate::journal::{Error, Journal, RunDetail, RunFilter, paused};
use crate::plan::{HYDRATE, PollHistory, RecipeHistory};
use crate::recipe::Trigger;
use crate::run::{Entry, RunState, StepKey};

/// How far back the history is read.
const WINDOW: TimeDelta = TimeDelta::days(7);
/// Most runs that are counted per recipe.
const MOST_RUNS: usize = 20_000;
/// Runs per recipe whose steps are counted, the newest.
const SAMPLE: usize = 50;

/// The history of a workspace.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) recipes: BTreeMap<String, RecipeHistory>,
    pub(super) polls: BTreeMap<String, PollHistory>,
}

impl History {
    /// Reads what `journal` has of these recipes.
    pub(super) async fn read(
        journal: &dyn Journal,
        recipes: &[CheckedRecipe],
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let mut history = Self::default();
        let oldest = journal.info().await?.oldest;
        for recipe in recipes {
            history.recipes.insert(recipe.name().to_owned(), past(journal, recipe, oldest, now).await?);
        }
        let paused = paused(journal).await?;
        for waiting in
            journal.unfinished(None).await?.into_iter().filter(|runs| runs.state != RunState::Parked)
        {
            if let Some(known) = history.recipes.get_mut(&waiting.recipe) {
                known.waiting += waiting.count;
            }
        }
        for recipe in recipes {
            let Some(known) = history.recipes.get_mut(recipe.name()) else { continue };
            known.is_paused = paused.contains_key(recipe.name());
            if known.waiting > 0 {
                known.waiting_hydrated = hydrated(journal, recipe).await?.min(known.waiting);
            }
        }
        let polls = journal.cursors().await?.into_iter();
        history.polls = polls
            .map(|cursor| {
                let (pages, whole) = (cursor.pages, cursor.over.whole);
                (cursor.key.0, PollHistory { is_begun: cursor.baseline_done, pages, whole })
            })
            .collect();
        Ok(history)
    }
}

async fn past(
    journal: &dyn Journal,
    recipe: &CheckedRecipe,
    oldest: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<RecipeHistory, Error> {
    let since = now - WINDOW;
    let filter = RunFilter {
        recipe: Some(recipe.name().to_owned()),
        since: Some(since),
        // Records that existed before say nothing of a day.
        priority: Some(Priority::Poll),
        limit: Some(MOST_RUNS),
        ..RunFilter::default()
    };
    let runs = journal.runs(&filter).await?;
    // A store that is younger, or has too many runs, says something of a shorter time.
    let began = match runs.last() {
        Some(last) if runs.len() == MOST_RUNS => last.created,
        _ => oldest.map_or(since, |oldest| oldest.max(since)),
    };
    let mut past = RecipeHistory {
        runs: runs.len() as u64,
        days: ((now - began).num_seconds() as f64 / 86_400.0).max(1.0),
        ..RecipeHistory::default()
    };
    let ended = runs.iter().filter(|run| run.finished.is_some());
    for row in ended.take(SAMPLE) {
        let Some(run) = journal.run(&row.id).await? else { continue };
        // Another version of the recipe may have had other steps. A run that was filtered out has none.
        let is_current = run.run.version.as_deref().is_none_or(|version| version == recipe.version());
        if is_current && counts(row.state) {
            past.sampled += 1;
            for (step, times) in performed(&run) {
                *past.steps.entry(step).or_default() += times as f64;
            }
        }
    }
    let sampled = past.sampled.max(1) as f64;
    past.steps.values_mut().for_each(|times| *times /= sampled);
    Ok(past)
}

/// Runs that wait and whose record is read whole first: those of a poll, and those that a webhook told of.
async fn hydrated(journal: &dyn Journal, recipe: &CheckedRecipe) -> Result<u64, Error> {
    let priority = match recipe.trigger() {
        Trigger::Poll(_) => Priority::Backfill,
        // Records that a sweep or a backfill found were read from the API just now.
        _ => Priority::Webhook,
    };
    let mut count = 0;
    for state in [RunState::Waiting, RunState::Running] {
        let filter = RunFilter {
            recipe: Some(recipe.name().to_owned()),
            state: Some(state),
            priority: Some(priority),
            limit: Some(MOST_RUNS),
            ..RunFilter::default()
        };
        count += journal.runs(&filter).await?.len() as u64;
    }
    Ok(count)
}

/// Whether a run says what the next one sends: a failed one may have stopped early, or sent more often.
fn counts(state: RunState) -> bool {
    matches!(state, RunState::Succeeded | RunState::Filtered | RunState::Suppressed)
}

/// How often a run performed each of its steps.
fn performed(run: &RunDetail) -> HashMap<String, u64> {
    let mut attempts: HashMap<&StepKey, (u64, u64)> = HashMap::new();
    for stamped in &run.entries {
        match &stamped.entry {
            // Reads have no intent.
            Entry::Intent { step, .. } => attempts.entry(step).or_default().0 += 1,
            Entry::StepSucceeded { step, .. } | Entry::StepFailed { step, .. } => {
                attempts.entry(step).or_default().1 += 1;
            }
            _ => {}
        }
    }
    let mut steps = HashMap::new();
    for (step, (intents, outcomes)) in attempts {
        let name = if step.is_hydrate() { HYDRATE.to_owned() } else { step.action.clone() };
        *steps.entry(name).or_default() += intents.max(outcomes);
    }
    steps
}
