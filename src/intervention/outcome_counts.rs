//! What an intervention came to for many runs, counted.

use std::cmp::Reverse;

use indexmap::IndexMap;
use serde::Serialize;

use super::apply::Outcome;
use crate::run::RunState;

/// Counts of outcomes.
#[derive(Debug, Clone, Default)]
pub struct OutcomeCounts {
    /// The number of runs that were changed, or would be, by recipe.
    pub done: IndexMap<String, usize>,
    left: IndexMap<(RunState, String), (usize, String)>,
}

/// Runs that are left as they are for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Their number.
    pub runs: usize,
    /// Their state.
    pub state: RunState,
    /// Why.
    pub reason: String,
    /// One of them.
    pub example: String,
}

impl OutcomeCounts {
    /// Counts an outcome.
    pub fn add(&mut self, outcome: Outcome) {
        match outcome.refused {
            None => *self.done.entry(outcome.recipe).or_default() += 1,
            Some(reason) => {
                self.left.entry((outcome.state, reason)).or_insert((0, outcome.id)).0 += 1;
            }
        }
    }

    /// The number of runs that were changed, or would be.
    pub fn changed(&self) -> usize {
        self.done.values().sum()
    }

    /// The number of runs that were looked at.
    pub fn seen(&self) -> usize {
        self.changed() + self.left.values().map(|(runs, _)| runs).sum::<usize>()
    }

    /// Those that are left as they are, the most frequent reason first.
    pub fn left(&self) -> Vec<Left> {
        let left = self.left.iter().map(|((state, reason), (runs, example))| Left {
            runs: *runs,
            state: *state,
            reason: reason.clone(),
            example: example.clone(),
        });
        let mut left: Vec<Left> = left.collect();
        left.sort_by_key(|left| Reverse(left.runs));
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_stay_are_told_by_reason() {
        let outcome = |id: &str, refused: Option<&str>| Outcome {
            id: id.to_owned(),
            recipe: "leads".to_owned(),
            state: RunState::Parked,
            refused: refused.map(str::to_owned),
        };
        let mut counts = OutcomeCounts::default();
        for (id, refused) in [("1", None), ("2", Some("a")), ("3", Some("b")), ("4", Some("b")), ("5", None)]
        {
            counts.add(outcome(id, refused));
        }
        assert_eq!((counts.changed(), counts.seen()), (2, 5));
        let left: Vec<(usize, String, String)> =
            counts.left().into_iter().map(|left| (left.runs, left.reason, left.example)).collect();
        assert_eq!(left, [(2, "b".to_owned(), "3".to_owned()), (1, "a".to_owned(), "2".to_owned())]);
    }
}
