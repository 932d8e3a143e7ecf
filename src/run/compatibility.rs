//! Whether a run can continue with another version of its recipe than it started with.

use std::collections::HashMap;

use super::entry::{Entry, StampedEntry, StepKey};
use super::status::{Phase, Status};
use crate::check::CheckedRecipe;
use crate::recipe::Recipe;

/// A completed step that `recipe` lacks or has changed: the run would repeat it, or use its result as another step's.
/// Steps after `from` and those of `anew` are ignored; they will be forgotten. `began` is the recipe that the run started with, if known.
/// Returns the problem and its remedy.
pub fn incompatibility(
    history: &[StampedEntry],
    from: Option<&StepKey>,
    anew: &[StepKey],
    began: Option<&Recipe>,
    recipe: &CheckedRecipe,
) -> Option<String> {
    let status = Status::fold(history);
    let sent = sent(history);
    let upto = from.and_then(|from| status.steps.get_index_of(from)).unwrap_or(usize::MAX);
    let kept = status.steps.iter().take(upto).filter(|(_, step)| !matches!(step.phase, Phase::Failed(_)));
    let mut kept = kept.filter(|(key, _)| !key.action.starts_with('(') && !anew.contains(key));
    kept.find_map(|(key, step)| {
        let id = key.action.as_str();
        let present = recipe.all_actions().find(|action| action.id == id);
        let now = present.map(|action| action.operation.id.as_str());
        let was = sent.get(id).copied().or_else(|| operation(began?, id));
        let does = if matches!(step.phase, Phase::Done(_)) { "is done" } else { "has begun" };
        let keep = "give it that `id` in the recipe, or do everything again with `--from-start`";
        match (was, now) {
            (_, None) => Some(format!("its step `{id}` {does} and is not in the recipe any more: {keep}")),
            (Some(was), Some(now)) if was != now => {
                Some(format!("its step `{id}` {does} as {was}, and in the recipe it is {now}: {keep}"))
            }
            _ => None,
        }
    })
}

/// Operations of steps that sent something.
fn sent(history: &[StampedEntry]) -> HashMap<&str, &str> {
    let mut sent = HashMap::new();
    for stamped in history {
        match &stamped.entry {
            Entry::Restarted {} => sent.clear(),
            Entry::Intent { step, operation, .. } => {
                sent.insert(step.action.as_str(), operation.as_str());
            }
            _ => {}
        }
    }
    sent
}

fn operation<'a>(recipe: &'a Recipe, id: &str) -> Option<&'a str> {
    recipe.all_actions().find(|action| action.id == id).map(|action| action.operation.value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::{done_step, failed_step, history_of, recipe};
    use serde_json::json;

    fn intent(id: &str, operation: &str) -> Entry {
        let (step, operation) = (StepKey::new(id), operation.to_owned());
        Entry::Intent { step, attempt: 1, operation, inputs: json!({}) }
    }

    const CREATE: &str = "- { do: things.create, with: { name: n } }\n";
    const GET: &str = "- { do: things.get, with: { id: a } }\n";
    const SHOUT: &str = "- { do: things.shout, with: { text: t } }\n";

    #[test]
    fn steps_named_by_their_places_do_not_pass_for_others() {
        let before = recipe(&format!("actions:\n{CREATE}{SHOUT}"));
        let history = history_of(vec![
            intent("create-1", "things.create"),
            done_step("create-1"),
            failed_step("shout-2"),
        ]);
        let from = StepKey::new("shout-2");
        let fits = |lines: &str, began: Option<&Recipe>| {
            incompatibility(&history, Some(&from), &[], began, &recipe(&format!("actions:\n{lines}")))
        };
        for began in [Some(before.recipe()), None] {
            assert_eq!(fits(&format!("{CREATE}{SHOUT}"), began), None);
            assert_eq!(fits(&format!("{CREATE}{GET}{SHOUT}"), began), None, "something new is done then");
            let told = fits(&format!("{GET}{CREATE}{SHOUT}"), began).unwrap();
            assert!(told.contains("`create-1` is done and is not in the recipe"), "{told}");
            let other = "- { id: create-1, do: things.shout, with: { text: t } }\n";
            let told = fits(&format!("{other}{SHOUT}"), began).unwrap();
            assert!(told.contains("as things.create, and in the recipe it is things.shout"), "{told}");
        }
    }

    #[test]
    fn reads_are_known_by_the_recipe_that_the_run_began_with() {
        let before = recipe(&format!("actions:\n- {{ id: a, do: things.get, with: {{ id: x }} }}\n{SHOUT}"));
        let history = history_of(vec![done_step("a"), failed_step("shout-2")]);
        let after = recipe(&format!("actions:\n- {{ id: a, do: log, with: {{ message: x }} }}\n{SHOUT}"));
        let from = StepKey::new("shout-2");
        assert_eq!(incompatibility(&history, Some(&from), &[], Some(before.recipe()), &before), None);
        assert!(incompatibility(&history, Some(&from), &[], Some(before.recipe()), &after).is_some());
        assert_eq!(
            incompatibility(&history, Some(&from), &[], None, &after),
            None,
            "nobody knows what it was"
        );
    }

    #[test]
    fn steps_that_a_restart_forgets_may_differ() {
        let after = recipe(&format!("actions:\n{GET}"));
        let history = history_of(vec![intent("a", "things.create"), done_step("a"), Entry::Restarted {}]);
        assert_eq!(incompatibility(&history, None, &[], None, &after), None);
    }
}
