//! Which step of a recipe as it was is which of the recipe as it is now.

use std::collections::HashMap;

use crate::check::CheckedRecipe;
use crate::recipe::Action;
use crate::run::StepKey;

/// The steps of two versions of a recipe that correspond.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct StepMap {
    /// Now → then.
    before: HashMap<String, String>,
    /// Then → now.
    after: HashMap<String, String>,
}

impl StepMap {
    /// Of two versions. Steps that were given the same id correspond; the others, whose ids come from their places,
    /// and those whose ids are on one side only, by operation and inputs, and then by operation, in order.
    pub(super) fn of(then: &CheckedRecipe, now: &CheckedRecipe) -> Self {
        let mut map = Self::default();
        let (old, new): (Vec<&Action>, Vec<&Action>) =
            (then.recipe().all_actions().collect(), now.recipe().all_actions().collect());
        let is_given = |action: &Action| action.given_id.is_some();
        map.pair(&old, &new, |old, new| old.id == new.id && (is_given(old) || is_given(new)));
        map.pair(&old, &new, |old, new| is_alike(old, new) && old.with.to_value() == new.with.to_value());
        map.pair(&old, &new, is_alike);
        map
    }

    /// Every step is the one of its own id.
    pub(super) fn same(recipe: &CheckedRecipe) -> Self {
        let ids = recipe.all_actions().map(|action| (action.id.clone(), action.id.clone()));
        let before: HashMap<String, String> = ids.collect();
        Self { after: before.clone(), before }
    }

    fn pair(&mut self, old: &[&Action], new: &[&Action], fits: impl Fn(&Action, &Action) -> bool) {
        for now in new {
            if self.before.contains_key(&now.id) {
                continue;
            }
            let then = old.iter().find(|then| !self.after.contains_key(&then.id) && fits(then, now));
            if let Some(then) = then {
                self.before.insert(now.id.clone(), then.id.clone());
                self.after.insert(then.id.clone(), now.id.clone());
            }
        }
    }

    /// The step as it was called then.
    pub(super) fn before(&self, now: &StepKey) -> Option<StepKey> {
        if now.action.starts_with('(') {
            return Some(now.clone());
        }
        Some(StepKey { action: self.before.get(&now.action)?.clone(), item: now.item })
    }

    /// The id of the action now.
    pub(super) fn after(&self, then: &str) -> Option<&str> {
        self.after.get(then).map(String::as_str)
    }
}

fn is_alike(old: &Action, new: &Action) -> bool {
    old.operation.value == new.operation.value && old.for_each.is_some() == new.for_each.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::recipe;

    fn map(then: &str, now: &str) -> Vec<(String, String)> {
        let steps = |lines: &str| recipe(&format!("actions:\n{lines}"));
        let (then, now) = (steps(then), steps(now));
        let map = StepMap::of(&then, &now);
        let ids = now.all_actions().filter_map(|action| {
            Some((action.id.clone(), map.before(&StepKey::new(action.id.as_str()))?.action))
        });
        ids.collect()
    }

    #[test]
    fn steps_correspond_by_given_id_then_by_what_they_do() {
        let pairs = |expected: &[(&str, &str)]| -> Vec<(String, String)> {
            expected.iter().map(|(now, then)| ((*now).to_owned(), (*then).to_owned())).collect()
        };
        let (a, b) =
            ("- { do: things.create, with: { name: a } }\n", "- { do: things.create, with: { name: b } }\n");
        // A step in front: the ids made of places are those of others now.
        let inserted = format!("- {{ do: things.get, with: {{ id: x }} }}\n{a}{b}");
        assert_eq!(
            map(&format!("{a}{b}"), &inserted),
            pairs(&[("create-2", "create-1"), ("create-3", "create-2")])
        );
        assert_eq!(
            map(&format!("{a}{b}"), &format!("{b}{a}")),
            pairs(&[("create-1", "create-2"), ("create-2", "create-1")])
        );
        let renamed = "- { id: made, do: things.create, with: { name: a } }\n";
        assert_eq!(map(a, renamed), pairs(&[("made", "create-1")]));
        // The same id is the same step, also if it does something else now.
        let other = "- { id: made, do: things.shout, with: { text: t } }\n";
        assert_eq!(map(renamed, other), pairs(&[("made", "made")]));
        let changed = "- { do: things.create, with: { name: c } }\n";
        assert_eq!(map(a, changed), pairs(&[("create-1", "create-1")]));
        assert_eq!(map(a, "- { do: things.shout, with: { text: t } }\n"), pairs(&[]));
    }
}
