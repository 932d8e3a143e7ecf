//! What an intervention came to for many runs, counted.

use std::cmp::Reverse;

use indexmap::IndexMap;
use serde::Serialize;

use super::apply::{Outcome, Versions};
use crate::run::RunState;

/// Counts of outcomes.
#[derive(Debug, Clone, Default)]
pub struct OutcomeCounts {
    /// The number of runs that were changed, or would be, by recipe.
    pub done: IndexMap<String, usize>,
    left: IndexMap<(RunState, String), (usize, String)>,
    continued: IndexMap<String, Continued>,
}

/// Runs of a recipe that go on with it as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Continued {
    /// The recipe.
    pub recipe: String,
    /// Its version now.
    pub version: String,
    /// The number of runs that had another version before.
    pub changed: usize,
    /// The number of runs that had this one already.
    pub same: usize,
    /// One of the other versions.
    pub before: Option<String>,
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
        if let (None, Some(versions)) = (&outcome.refused, &outcome.versions) {
            self.add_versions(&outcome.recipe, versions);
        }
        match outcome.refused {
            None => *self.done.entry(outcome.recipe).or_default() += 1,
            Some(reason) => {
                self.left.entry((outcome.state, reason)).or_insert((0, outcome.id)).0 += 1;
            }
        }
    }

    fn add_versions(&mut self, recipe: &str, Versions { before, now }: &Versions) {
        let new = || Continued {
            recipe: recipe.to_owned(),
            version: now.clone(),
            changed: 0,
            same: 0,
            before: None,
        };
        let continued = self.continued.entry(recipe.to_owned()).or_insert_with(new);
        match before {
            Some(before) if before == now => continued.same += 1,
            // What had not begun has nothing to differ from.
            None => {}
            Some(before) => {
                continued.changed += 1;
                continued.before = Some(before.clone());
            }
        }
    }

    /// With which versions the changed runs go on.
    pub fn continued(&self) -> Vec<Continued> {
        self.continued.values().cloned().collect()
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
            versions: None,
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
        assert_eq!(counts.continued(), []);
    }

    #[test]
    fn runs_that_go_on_are_told_by_whether_their_recipe_has_changed() {
        let mut counts = OutcomeCounts::default();
        for (before, refused) in [
            (Some("old"), None),
            (Some("older"), None),
            (Some("new"), None),
            (None, None),
            (Some("old"), Some("why")),
        ] {
            counts.add(Outcome {
                id: "1".to_owned(),
                recipe: "leads".to_owned(),
                state: RunState::Waiting,
                refused: refused.map(str::to_owned),
                versions: Some(Versions { before: before.map(str::to_owned), now: "new".to_owned() }),
            });
        }
        let leads = Continued {
            recipe: "leads".to_owned(),
            version: "new".to_owned(),
            changed: 2,
            same: 1,
            before: Some("older".to_owned()),
        };
        assert_eq!(counts.continued(), [leads]);
    }
}
