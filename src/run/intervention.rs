//! What a person does about a run that hob cannot continue.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::begun_again::{begun_again, repeatable};
use super::compatibility::incompatibility;
use super::entry::{Entry, StampedEntry, StepKey};
use super::status::{Phase, Status, StepStatus};
use super::{KnownBy, RunState};
use crate::check::CheckedRecipe;
use crate::recipe::{OnError, Recipe};

/// An intervention in a run.
#[derive(Debug, Clone, PartialEq)]
pub enum OperatorAction {
    /// Continue from the failed step; completed steps stay.
    Retry,
    /// Start again from the first step.
    Restart,
    /// Give the run up.
    Skip,
    /// The step in doubt was carried out, with this result.
    Happened(Value),
    /// The step in doubt was not carried out; send it again.
    DidNotHappen,
}

/// The consequences of an intervention.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervened {
    /// Entries to add to the run's history.
    pub entries: Vec<Entry>,
    /// The new state of the run.
    pub state: RunState,
    /// Why, for a run that has ended.
    pub reason: Option<String>,
}

/// An intervention that is impossible in the run's state; says why, and which one is possible.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidIntervention(String);

/// Reason of a skipped run.
const SKIPPED: &str = "skipped by a person";

/// The consequences of `action` for a run in `state` with `history`. `recipe` is the current recipe, with which the
/// run continues; `began` is the one it started with, if known.
pub fn plan_intervention(
    action: &OperatorAction,
    state: RunState,
    history: &[StampedEntry],
    recipe: Option<&CheckedRecipe>,
    began: Option<&Recipe>,
) -> Result<Intervened, InvalidIntervention> {
    let status = Status::fold(history);
    let again = |entry| Intervened { entries: vec![entry], state: RunState::Waiting, reason: None };
    match (action, state) {
        (_, RunState::Running) => Err(invalid("it is in progress right now")),
        (
            OperatorAction::Skip,
            RunState::Succeeded | RunState::Filtered | RunState::Suppressed | RunState::Skipped,
        ) => Err(invalid(format!("it is {state}: there is nothing to skip"))),
        (OperatorAction::Skip, _) => {
            let reason = Some(SKIPPED.to_owned());
            let entry = Entry::Finished { state: RunState::Skipped, reason: reason.clone(), step: None };
            Ok(Intervened { entries: vec![entry], state: RunState::Skipped, reason })
        }
        (OperatorAction::Retry, RunState::Parked) if is_parked_at_start(&status) => {
            Ok(again(Entry::Resumed { from: StepKey::start() }))
        }
        (OperatorAction::Retry | OperatorAction::Restart, RunState::Parked)
            if !is_parked_at_start(&status) =>
        {
            Err(invalid(
                "it is parked: hob cannot tell whether a step happened. Check in the app, then run `hob runs resolve \
             RUN` with --happened or --did-not",
            ))
        }
        (OperatorAction::Retry | OperatorAction::Restart, RunState::Waiting) => {
            Err(invalid("it is waiting and will continue by itself"))
        }
        (OperatorAction::Retry | OperatorAction::Restart, _) if recipe.is_none() => {
            Err(invalid("its recipe is not in this workspace, or has mistakes"))
        }
        (OperatorAction::Retry, RunState::Failed | RunState::Skipped) => {
            let from = find_failed_step(&status, began.or(recipe.map(CheckedRecipe::recipe)));
            let from = from.unwrap_or_else(StepKey::start);
            let anew = recipe.and_then(|recipe| anew(recipe, &status, &from)).unwrap_or_default();
            match recipe.and_then(|recipe| incompatibility(history, Some(&from), &anew, began, recipe)) {
                Some(reason) => Err(invalid(reason)),
                None => {
                    let mut intervened = again(Entry::Resumed { from });
                    intervened.entries.extend((!anew.is_empty()).then(|| begun_again(anew)));
                    Ok(intervened)
                }
            }
        }
        (OperatorAction::Retry, _) => Err(invalid(format!(
            "it is {state}: none of its steps failed; --from-start does everything again"
        ))),
        (OperatorAction::Restart, _) => Ok(again(Entry::Restarted {})),
        (OperatorAction::Happened(_) | OperatorAction::DidNotHappen, _) => {
            let parked = status
                .steps
                .iter()
                .find(|(key, step)| !key.is_start() && matches!(step.phase, Phase::Parked { .. }));
            let Some((step, known)) = parked.filter(|_| state == RunState::Parked) else {
                return Err(invalid(format!("it is {state}: only a run parked at a step can be resolved")));
            };
            // A step that did not happen may differ in the current recipe; one that did is as it was.
            let place = status.steps.get_index_of(step).unwrap_or_default();
            let open = if *action == OperatorAction::DidNotHappen { place } else { place + 1 };
            // Nothing is forgotten if a person only completes a result.
            let open = status.steps.get_index(open).map(|(key, _)| key).filter(|_| known.known.is_none());
            if let Some(reason) = recipe.and_then(|recipe| incompatibility(history, open, &[], began, recipe))
            {
                return Err(invalid(reason));
            }
            let result = match action {
                OperatorAction::Happened(result) => Some(complete_result(step, known, result)?),
                _ if known.known.is_some() => {
                    return Err(invalid(format!(
                        "step `{step}` did happen; only a part of its result is unknown. Say it with --happened \
                         --result"
                    )));
                }
                _ => None,
            };
            let (step, attempt, known_by) = (step.clone(), known.attempts, KnownBy::Person);
            Ok(again(match result {
                Some(result) => {
                    let (result, known_by) = (result.into(), Some(known_by));
                    Entry::StepSucceeded { step, attempt, result, known_by, truncated: false }
                }
                None => Entry::DidNotHappen { step, attempt, known_by },
            }))
        }
    }
}

/// The steps that a retry from `from` does anew, where the recipe has it go on from the first step.
fn anew(recipe: &CheckedRecipe, status: &Status, from: &StepKey) -> Option<Vec<StepKey>> {
    let mut resumed = status.clone();
    resumed.apply(&StampedEntry::new(DateTime::<Utc>::MIN_UTC, Entry::Resumed { from: from.clone() }));
    repeatable(recipe, &resumed)
}

/// Whether the run is parked before its first step, because it continues a loop.
fn is_parked_at_start(status: &Status) -> bool {
    matches!(status.step(&StepKey::start()).phase, Phase::Parked { .. })
}

/// The complete result of a step: the known parts and those given by a person.
fn complete_result(step: &StepKey, status: &StepStatus, given: &Value) -> Result<Value, InvalidIntervention> {
    let (Some(known), Some(unknown)) = (&status.known, &status.unknown) else { return Ok(given.clone()) };
    let whole = match (known.as_ref(), given) {
        (Value::Object(known), Value::Object(given)) => {
            let fields = known.iter().chain(given).map(|(name, value)| (name.clone(), value.clone()));
            Value::Object(fields.collect())
        }
        (_, given) => given.clone(),
    };
    // Which members of a list have a field is for the person to know.
    let lacks = |field: &&String| match field.as_str() {
        "" => whole.is_null(),
        field => {
            !field.contains("[]") && field.split('.').try_fold(&whole, |at, name| at.get(name)).is_none()
        }
    };
    match unknown.fields.iter().find(lacks) {
        Some(field) if field.is_empty() => {
            Err(invalid(format!("the result of step `{step}` is unknown: give it with --result")))
        }
        Some(field) => Err(invalid(format!(
            "`{field}` of step `{step}` is unknown: give it with --result, which adds to what is known"
        ))),
        None => Ok(whole),
    }
}

fn invalid(reason: impl Into<String>) -> InvalidIntervention {
    InvalidIntervention(reason.into())
}

/// The step whose failure ended the run. Skipped runs and histories of older versions do not name it: then the first
/// failed step without `on_error: continue`. Steps of `on_failure` come later.
fn find_failed_step(status: &Status, recipe: Option<&Recipe>) -> Option<StepKey> {
    let failed = status.steps.iter().filter(|(_, step)| matches!(step.phase, Phase::Failed(_)));
    let mut failed = failed.map(|(key, _)| key);
    let goes_on = |step: &StepKey| {
        let actions = recipe.into_iter().flat_map(|recipe| &recipe.actions);
        actions.filter(|action| action.id == step.action).any(|action| action.on_error == OnError::Continue)
    };
    let named = status.failed.as_ref().filter(|step| !step.is_start());
    named.or_else(|| failed.find(|key| !goes_on(key))).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::{done_step, failed_step, history_of, recipe};
    use serde_json::json;

    fn three() -> CheckedRecipe {
        recipe(
            "actions:\n- { id: a, do: log, with: { message: m }, on_error: continue }\n\
             - { id: b, do: log, with: { message: m } }\n- { id: c, do: log, with: { message: m } }\n\
             on_failure:\n- { id: f, do: log, with: { message: m } }\n",
        )
    }

    #[test]
    fn a_retry_continues_from_the_step_that_ended_the_run() {
        let history = history_of(vec![failed_step("a"), failed_step("b"), done_step("f")]);
        let intervened =
            plan_intervention(&OperatorAction::Retry, RunState::Failed, &history, Some(&three()), None)
                .unwrap();
        assert_eq!(intervened.entries, [Entry::Resumed { from: StepKey::new("b") }]);
        assert_eq!(intervened.state, RunState::Waiting);
        assert!(plan_intervention(&OperatorAction::Retry, RunState::Failed, &history, None, None).is_err());
        assert!(
            plan_intervention(&OperatorAction::Retry, RunState::Succeeded, &history, Some(&three()), None)
                .is_err()
        );
    }

    #[test]
    fn a_continuing_run_stays_valid_in_an_edited_recipe() {
        let mut history = history_of(vec![failed_step("a"), done_step("b"), failed_step("c")]);
        let reason = Some("step `c`: no".to_owned());
        let strict = recipe(
            "actions:\n- { id: a, do: log, with: { message: m } }\n- { id: b, do: log, with: { message: m } }\n\
             - { id: c, do: log, with: { message: m } }\n",
        );
        let from = |history: &[StampedEntry], began: Option<&Recipe>| {
            let intervened =
                plan_intervention(&OperatorAction::Retry, RunState::Failed, history, Some(&strict), began);
            intervened.map(|intervened| intervened.entries)
        };
        let expected = vec![Entry::Resumed { from: StepKey::new("c") }];
        let before = three();
        assert_eq!(from(&history, Some(before.recipe())).unwrap(), expected);
        let step = Some(StepKey::new("c"));
        history.extend(history_of(vec![Entry::Finished { state: RunState::Failed, reason, step }]));
        assert_eq!(from(&history, None).unwrap(), expected, "the end names it");
        let without = recipe("actions: [{ id: c, do: log, with: { message: m } }]\n");
        assert!(
            plan_intervention(&OperatorAction::Retry, RunState::Failed, &history, Some(&without), None)
                .is_err()
        );
    }

    #[test]
    fn a_restart_forgets_what_was_done() {
        let mut history = history_of(vec![done_step("a"), failed_step("b")]);
        let intervened =
            plan_intervention(&OperatorAction::Restart, RunState::Failed, &history, Some(&three()), None)
                .unwrap();
        history.extend(history_of(intervened.entries));
        assert_eq!(Status::fold(&history), Status::default());
    }

    #[test]
    fn a_step_in_doubt_is_resolved_by_a_person() {
        let parked = Entry::Parked { step: StepKey::new("b"), reason: "lost".into() };
        let mut history = history_of(vec![done_step("a"), parked]);
        assert!(
            plan_intervention(&OperatorAction::Retry, RunState::Parked, &history, Some(&three()), None)
                .is_err()
        );
        let intervened =
            plan_intervention(&OperatorAction::DidNotHappen, RunState::Parked, &history, None, None).unwrap();
        assert!(
            matches!(&intervened.entries[0], Entry::DidNotHappen { known_by, .. } if *known_by == KnownBy::Person)
        );
        let intervened = plan_intervention(
            &OperatorAction::Happened(json!({ "id": 7 })),
            RunState::Parked,
            &history,
            None,
            None,
        )
        .unwrap();
        history.extend(history_of(intervened.entries));
        assert_eq!(
            Status::fold(&history).step(&StepKey::new("b")).phase,
            Phase::Done(json!({ "id": 7 }).into())
        );
        assert!(
            plan_intervention(&OperatorAction::DidNotHappen, RunState::Failed, &history, None, None).is_err()
        );
    }

    #[test]
    fn a_resolved_run_may_continue_with_the_current_recipe() {
        let parked = Entry::Parked { step: StepKey::new("b"), reason: "lost".into() };
        let history = history_of(vec![done_step("a"), done_step("f"), parked]);
        let resolve = |action: OperatorAction, lines: &str| {
            let recipe = recipe(&format!("actions:\n{lines}"));
            plan_intervention(&action, RunState::Parked, &history, Some(&recipe), Some(three().recipe()))
        };
        let (a, b) =
            ("- { id: a, do: log, with: { message: m } }\n", "- { id: b, do: log, with: { message: n } }\n");
        assert!(resolve(OperatorAction::DidNotHappen, &format!("{a}{b}")).is_err(), "f is done and is gone");
        let f = "on_failure:\n- { id: f, do: log, with: { message: m } }\n";
        assert!(resolve(OperatorAction::DidNotHappen, &format!("{a}{b}{f}")).is_ok());
        assert!(
            resolve(
                OperatorAction::DidNotHappen,
                &format!("{a}- {{ id: b, do: things.get, with: {{ id: x }} }}\n{f}")
            )
            .is_ok()
        );
        assert!(resolve(OperatorAction::Happened(json!(1)), &format!("{a}{f}")).is_err(), "b is gone");
    }

    #[test]
    fn only_what_is_not_done_is_skipped() {
        assert_eq!(
            plan_intervention(&OperatorAction::Skip, RunState::Failed, &[], None, None).unwrap().state,
            RunState::Skipped
        );
        assert!(plan_intervention(&OperatorAction::Skip, RunState::Succeeded, &[], None, None).is_err());
        assert!(plan_intervention(&OperatorAction::Skip, RunState::Running, &[], None, None).is_err());
    }
}
