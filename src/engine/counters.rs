//! What an engine has done since it began, for summaries and metrics.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::run::{Accounts, RunState};

/// Counts since the engine began.
#[derive(Debug, Default)]
pub struct RunCounters {
    ended: Mutex<HashMap<EndedRun, u64>>,
}

/// Runs that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EndedRun {
    /// Their recipe.
    pub recipe: String,
    /// Their connections, in the order of the recipe.
    pub connections: Vec<String>,
    /// What became of them.
    pub state: RunState,
}

impl RunCounters {
    pub(super) fn count(&self, recipe: &str, accounts: &Accounts, state: RunState) {
        let connections = accounts.values().cloned().collect();
        let ended = EndedRun { recipe: recipe.to_owned(), connections, state };
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner).entry(ended).or_default() += 1;
    }

    /// Runs that ended or were parked, by the name of their state.
    pub fn runs(&self) -> BTreeMap<&'static str, u64> {
        let mut runs = BTreeMap::new();
        for (ended, count) in self.by_recipe() {
            *runs.entry(ended.state.name()).or_default() += count;
        }
        runs
    }

    /// Runs that ended or were parked.
    pub fn by_recipe(&self) -> Vec<(EndedRun, u64)> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<(EndedRun, u64)> =
            ended.iter().map(|(ended, count)| (ended.clone(), *count)).collect();
        let key = |ended: &EndedRun| (ended.recipe.clone(), ended.connections.clone(), ended.state.name());
        all.sort_by_key(|(ended, _)| key(ended));
        all
    }
}
