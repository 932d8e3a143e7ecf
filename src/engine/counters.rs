//! Counts of an engine since its start, for summaries and metrics.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::run::{Accounts, RunState};

/// Counts since the engine started.
#[derive(Debug, Default)]
pub struct RunCounters {
    ended: Mutex<HashMap<EndedRun, u64>>,
}

/// A group of ended runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EndedRun {
    /// Their recipe.
    pub recipe: String,
    /// Their connections, in the order of the recipe.
    pub connections: Vec<String>,
    /// Their state.
    pub state: RunState,
}

impl RunCounters {
    pub(super) fn count(&self, recipe: &str, accounts: &Accounts, state: RunState) {
        let connections = accounts.values().cloned().collect();
        let ended = EndedRun { recipe: recipe.to_owned(), connections, state };
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner).entry(ended).or_default() += 1;
    }

    /// Numbers of runs that ended or were parked, by the name of their state.
    pub fn runs(&self) -> BTreeMap<&'static str, u64> {
        let mut runs = BTreeMap::new();
        for (ended, count) in self.by_recipe() {
            *runs.entry(ended.state.name()).or_default() += count;
        }
        runs
    }

    /// Numbers of runs that ended or were parked, by group.
    pub fn by_recipe(&self) -> Vec<(EndedRun, u64)> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<(EndedRun, u64)> =
            ended.iter().map(|(ended, count)| (ended.clone(), *count)).collect();
        let key = |ended: &EndedRun| (ended.recipe.clone(), ended.connections.clone(), ended.state.name());
        all.sort_by_key(|(ended, _)| key(ended));
        all
    }
}
