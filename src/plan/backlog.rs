//! Runs that come once, when hob starts: those that wait, and those for the records that exist at the first poll.

use super::Estimate;
use super::input::{Input, Period};
use super::model::Note;
use super::polls::Poll;
use crate::check::CheckedRecipe;
use crate::recipe::{Start, Trigger};

/// Runs of a recipe that come once.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// On each account combination.
    waiting: f64,
    /// Those of them whose record is read whole first, if the recipe hydrates.
    hydrated: f64,
    /// For existing records, by account combination.
    records: Vec<Estimate>,
}

impl Backlog {
    /// What comes in addition to the events of a day. The events of one `hob run --once` include it.
    pub(super) fn new(recipe: &CheckedRecipe, input: &Input<'_>) -> Self {
        let history = input.history.get(recipe.name());
        if input.period == Period::Once || history.is_some_and(|history| history.is_paused) {
            return Self::default();
        }
        let accounts = recipe.accounts();
        let each = 1.0 / accounts.len().max(1) as f64;
        let polls = |accounts| Poll::on(recipe, accounts, input.polls);
        let records = |polls: Vec<Poll>| polls.iter().map(|poll| existing(poll, input)).sum();
        Self {
            waiting: history.map_or(0, |history| history.waiting) as f64 * each,
            hydrated: history.map_or(0, |history| history.waiting_hydrated) as f64 * each,
            records: accounts.iter().map(polls).map(records).collect(),
        }
    }

    /// Runs on the account combination at this place, or those whose record is read whole.
    pub(super) fn runs(&self, combination: usize, hydrated: bool) -> Estimate {
        let records = self.records.get(combination).copied().unwrap_or(Estimate::ZERO);
        Estimate::exactly(if hydrated { self.hydrated } else { self.waiting }) + records
    }

    /// What is said where the number of existing records is not known.
    pub(super) fn note(&self, recipe: &CheckedRecipe) -> Option<Note> {
        let Trigger::Poll(poll) = recipe.trigger() else { return None };
        if self.records.iter().all(Estimate::is_exact) {
            return None;
        }
        let (records, assume) = match poll.start {
            Start::At(_) => ("each record since its `start`", Vec::new()),
            _ => {
                let lists =
                    poll.over.as_ref().map(|over| &over.operation).into_iter().chain([&poll.operation]);
                ("each record that exists", lists.map(|list| format!("{list}=2000")).collect())
            }
        };
        Some(Note {
            about: recipe.name().to_owned(),
            assumed: format!(
                "its first poll starts a run for {records}; how many these are is not known, and none is counted"
            ),
            assume,
        })
    }
}

/// The runs that the first poll starts.
fn existing(poll: &Poll, input: &Input<'_>) -> Estimate {
    let records = match &poll.over {
        Some(over) => over.records(&poll.operation, input.assumptions),
        None => input.assumptions.records(&poll.operation.id),
    };
    match (poll.start, records) {
        _ if poll.history.is_begun => Estimate::ZERO,
        (Start::All, Some(records)) => Estimate::exactly(records),
        (Start::All | Start::At(_), records) => Estimate::between(0.0, 0.0, records),
        (Start::Now, _) => Estimate::ZERO,
    }
}
