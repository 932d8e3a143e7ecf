//! Runs that go on from their first step when a step is tried again.

use serde_json::json;

use super::{SteppedRun, again};
use crate::check::CheckedRecipe;
use crate::run::testing::time;
use crate::run::{Command, OperatorAction, RunState, StepError, StepKey, StepResult, plan_intervention};

/// Reads a record, makes another one of it unless it has one, and writes what was read to both.
const LINES: &str = "retry: { from: start }\nactions:\n- { id: read, do: things.get, with: { id: a } }\n\
    - { id: twice, do: set, with: { n: '{{ steps.read.n * 2 }}' } }\n\
    - { id: made, do: things.create, if: '{{ not steps.read.other }}', with: { name: '{{ steps.twice.n }}' } }\n\
    - { id: written, do: things.update, if: '{{ steps.twice.n != 6 }}', with: { id: b, n: '{{ steps.twice.n }}' } }\n\
    - { id: last, do: things.update, with: { id: c, n: '{{ steps.twice.n }}' } }\n";

/// The run up to `last`, with the record as it is first.
fn up_to_last() -> SteppedRun {
    let mut stepped = SteppedRun::new(LINES, json!({}));
    stepped.done("read", json!({ "id": "a" }), json!({ "n": 1 }));
    stepped.done("made", json!({ "name": 2 }), json!({ "id": "m" }));
    stepped.done("written", json!({ "id": "b", "n": 2 }), json!(null));
    stepped
}

#[test]
fn what_was_read_is_read_again_before_a_step_is_tried_again() {
    let mut stepped = up_to_last();
    let first = stepped.execute();
    stepped.answer(&first, again("503"));
    let Command::Sleep { until, .. } = stepped.decide() else { panic!("no pause") };
    stepped.now = until;
    stepped.done("read", json!({ "id": "a" }), json!({ "n": 2 }));
    // What was made is not made again, and what was written is written anew.
    stepped.done("written", json!({ "id": "b", "n": 4 }), json!(null));
    let second = stepped.execute();
    assert_eq!((second.step.to_string().as_str(), second.attempt), ("last", 2));
    assert_eq!(second.inputs["n"], 4);
    // Its attempts count, or it would be tried for ever.
    for attempt in 3..=5 {
        let last = if attempt == 3 { second.clone() } else { stepped.execute() };
        stepped.answer(&last, again("503"));
        let Command::Sleep { until, .. } = stepped.decide() else { panic!("no pause") };
        stepped.now = until;
        // Conditions are asked again: 6 is not written.
        stepped.done("read", json!({ "id": "a" }), json!({ "n": 3 }));
    }
    let last = stepped.execute();
    assert_eq!((last.attempt, last.may_try_again, &last.inputs["n"]), (5, false, &json!(6)));
    stepped.answer(&last, again("503"));
    assert_eq!(stepped.finish().0, RunState::Failed);
}

#[test]
fn a_crash_begins_again_and_an_answer_does_not() {
    let mut stepped = up_to_last();
    assert_eq!(stepped.execute().step, StepKey::new("last"));
    stepped.restart();
    stepped.done("read", json!({ "id": "a" }), json!({ "n": 5 }));
    stepped.done("written", json!({ "id": "b", "n": 10 }), json!(null));
    stepped.restart();
    stepped.done("last", json!({ "id": "c", "n": 10 }), json!(null));
    assert_eq!(stepped.finish().0, RunState::Succeeded);
    let begun = stepped.kinds().into_iter().filter(|kind| kind == "begun_again").count();
    assert_eq!(begun, 1, "{:?}", stepped.kinds());
}

#[test]
fn a_create_that_may_have_happened_is_not_decided_again() {
    let mut stepped = SteppedRun::new(LINES, json!({}));
    stepped.done("read", json!({ "id": "a" }), json!({ "n": 1 }));
    let made = stepped.execute();
    stepped.answer(&made, StepResult::InDoubt { reason: "lost".into(), status: None });
    stepped.restart();
    stepped.now = time(3600);
    assert!(matches!(stepped.decide(), Command::Probe(_)));
    // One that was refused for now is: there may be another one meanwhile.
    let mut stepped = SteppedRun::new(LINES, json!({}));
    stepped.done("read", json!({ "id": "a" }), json!({ "n": 1 }));
    let made = stepped.execute();
    stepped.answer(&made, again("425"));
    stepped.now = time(3600);
    stepped.done("read", json!({ "id": "a" }), json!({ "n": 3, "other": "o" }));
    stepped.done("last", json!({ "id": "c", "n": 6 }), json!(null));
    assert_eq!(stepped.finish().0, RunState::Succeeded);
}

#[test]
fn a_person_who_retries_the_run_has_it_read_again() {
    let mut stepped = up_to_last();
    let last = stepped.execute();
    stepped.answer(&last, StepResult::Refused(StepError::new("422")));
    assert_eq!(stepped.finish().0, RunState::Failed);
    let retry = |recipe: &CheckedRecipe| {
        plan_intervention(&OperatorAction::Retry, RunState::Failed, &stepped.history, Some(recipe), None)
    };
    let entries = retry(&stepped.recipe).unwrap().entries;
    assert_eq!(entries.len(), 2, "{entries:?}");
    // What is done again may have changed in the recipe, what is not may not.
    let edited = LINES.replace(
        "id: twice, do: set, with: { n: '{{ steps.read.n * 2 }}' }",
        "id: twice, do: log, with: { message: m }",
    );
    let edited = edited.replace("steps.twice.n", "steps.read.n");
    assert!(retry(&crate::run::testing::recipe(&edited)).is_ok());
    let edited = LINES.replace("id: made, do: things.create", "id: made, do: rows.create");
    assert!(retry(&crate::run::testing::recipe(&edited)).is_err());
    entries.into_iter().for_each(|entry| stepped.record(entry));
    stepped.restart();
    stepped.done("read", json!({ "id": "a" }), json!({ "n": 7 }));
    stepped.done("written", json!({ "id": "b", "n": 14 }), json!(null));
    stepped.done("last", json!({ "id": "c", "n": 14 }), json!(null));
    assert_eq!(stepped.finish().0, RunState::Succeeded);
}

#[test]
fn a_record_that_is_not_there_is_null_where_the_recipe_goes_on() {
    let lines = "actions:\n- { id: a, do: things.get, with: { id: x }, on_missing: continue }\n\
                 - { id: b, do: things.get, if: '{{ not steps.a }}', with: { id: y } }\n";
    let mut stepped = SteppedRun::new(lines, json!({}));
    let call = stepped.execute();
    stepped.answer(&call, StepResult::Gone(StepError::new("404")));
    let next = stepped.execute();
    assert_eq!(next.step, StepKey::new("b"));
    stepped.answer(&next, StepResult::Gone(StepError::new("404")));
    assert_eq!(stepped.finish().0, RunState::Failed, "unless it says so, the step fails");
}
