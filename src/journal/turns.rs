//! Whose turn it was last. Of each priority, the recipes that have runs to be leased take turns, and so do the accounts
//! of a recipe, and the runs of both that have waited for a time and those that have not: so that no number of runs of
//! one holds up another. Only a hint, which a store forgets when it is closed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::event::Priority;

use super::event_row::rank;

/// Runs that share a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turn {
    /// Their recipe.
    pub(super) recipe: String,
    /// Their accounts, as they are stored.
    pub(super) accounts: String,
    /// Their `due`: whether they have waited for a time.
    pub(super) due: i64,
}

impl Turn {
    /// Comes before every turn.
    pub(super) const START: Turn = Turn { recipe: String::new(), accounts: String::new(), due: -1 };
}

/// Of each priority, whose turn it was last.
#[derive(Debug)]
pub(super) struct Turns(Mutex<[Turn; Priority::ALL.len()]>);

impl Default for Turns {
    fn default() -> Self {
        Self(Mutex::new(Priority::ALL.map(|_| Turn::START)))
    }
}

impl Turns {
    /// Of each priority, whose turn it was last.
    pub(super) fn last(&self) -> [Turn; Priority::ALL.len()] {
        self.list().clone()
    }

    /// Whose turn it was last among runs of `priority`.
    pub(super) fn last_of(&self, priority: Priority) -> Turn {
        self.list()[rank(priority)].clone()
    }

    /// Notes whose turn it is among runs of `priority`.
    pub(super) fn set(&self, priority: Priority, turn: Turn) {
        self.list()[rank(priority)] = turn;
    }

    fn list(&self) -> MutexGuard<'_, [Turn; Priority::ALL.len()]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
