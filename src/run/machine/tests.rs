use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::*;
use crate::run::testing::{event, recipe, run, time};
use crate::run::{Entry, KnownBy, StepCall, StepError, StepResult};
use crate::value::Value;

/// A run that is stepped by stepped.
struct SteppedRun {
    machine: Machine,
    history: Vec<StampedEntry>,
    now: DateTime<Utc>,
    recipe: CheckedRecipe,
    payload: Value,
    run_context: RunContext,
}

impl SteppedRun {
    fn new(lines: &str, payload: Value) -> Self {
        let run_context =
            RunContext { env: Arc::new(json!({ "KEY": "k3y-secret" })), ..RunContext::default() };
        Self::with(lines, payload, run_context)
    }

    fn with(lines: &str, payload: Value, run_context: RunContext) -> Self {
        let recipe = recipe(lines);
        let machine = Machine::new(recipe.clone(), run(), &event(payload.clone()), &[], &run_context);
        Self { machine, history: vec![], now: time(0), recipe, payload, run_context }
    }

    fn decide(&mut self) -> Command {
        let decision = self.machine.decide(self.now);
        self.history.extend(decision.entries);
        decision.command
    }

    fn record(&mut self, entry: Entry) {
        let stamped = StampedEntry::new(self.now, entry);
        self.machine.apply(&stamped);
        self.history.push(stamped);
    }

    /// Restarts from the history alone, as after a crash.
    fn restart(&mut self) {
        let event = event(self.payload.clone());
        self.machine = Machine::new(self.recipe.clone(), run(), &event, &self.history, &self.run_context);
    }

    fn execute(&mut self) -> StepCall {
        match self.decide() {
            Command::Execute(call) => *call,
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, call: &StepCall, step_result: StepResult) {
        let entry = call.entry(&run().id, step_result, self.now);
        self.record(entry);
    }

    /// Performs the next step, which must be `step` with these inputs.
    fn done(&mut self, step: &str, inputs: Value, result: Value) {
        let call = self.execute();
        assert_eq!((call.step.to_string().as_str(), Value::Object(call.inputs.clone())), (step, inputs));
        self.answer(&call, StepResult::Done(result));
    }

    fn finish(&mut self) -> (RunState, String) {
        match self.decide() {
            Command::Finish { state, reason } => (state, reason.unwrap_or_default()),
            other => panic!("{other:?}"),
        }
    }

    fn kinds(&self) -> Vec<String> {
        let kind = |stamped: &StampedEntry| {
            let entry = serde_json::to_value(&stamped.entry).unwrap();
            entry["entry"].as_str().unwrap().to_owned()
        };
        self.history.iter().map(kind).collect()
    }
}

fn again(message: &str) -> StepResult {
    StepResult::Again { error: StepError::new(message), not_before: None, lost: false }
}

#[test]
fn steps_see_event_vars_and_results() {
    let mut stepped = SteppedRun::new(
        "vars: { name: '{{ event.name | upper }}', twice: '{{ vars.name }}{{ vars.name }}' }\nactions:\n\
         - { id: made, do: things.create, with: { name: '{{ vars.twice }}', account: '{{ connection.x.name }}' } }\n\
         - { do: things.get, if: '{{ steps.made.old }}', with: { id: a } }\n\
         - { id: last, do: things.get, with: { id: '{{ steps.made.id }}-{{ run.event.record }}' } }\n",
        json!({ "name": "ann" }),
    );
    stepped.run_context.connections.insert("x".into(), json!({ "name": "acme" }));
    stepped.restart();
    let sent = json!({ "name": "ANNANN", "account": "acme" });
    stepped.done("made", sent.clone(), json!({ "id": "t1", "old": false }));
    stepped.done("last", json!({ "id": "t1-rec-1" }), json!(null));
    assert_eq!(stepped.finish(), (RunState::Succeeded, String::new()));
    let expected = ["started", "intent", "step_succeeded", "step_skipped", "step_succeeded", "finished"];
    assert_eq!(stepped.kinds(), expected, "a read needs no intent");
    assert!(matches!(&stepped.history[1].entry, Entry::Intent { inputs, .. } if *inputs == sent));
    assert!(matches!(&stepped.history[3].entry, Entry::StepSkipped { reason, .. }
        if reason == "`if` is not met: {{ steps.made.old }} is false"));
}

#[test]
fn a_result_that_was_not_kept_is_never_read_as_something_else() {
    let get = "- { id: a, do: things.get, with: { id: x } }\n";
    for reading in [
        "- { id: b, do: things.get, with: { id: '{{ steps[\"a\"].id }}' } }\n",
        "- { id: b, do: things.get, if: '{{ steps.a }}', with: { id: x } }\n",
        "- { id: b, do: things.get, for_each: '{{ steps. a }}', with: { id: '{{ item }}' } }\n",
    ] {
        let mut stepped = SteppedRun::new(&format!("actions:\n{get}"), json!({}));
        assert_eq!(stepped.execute().step.to_string(), "a");
        let (step, result) = (StepKey::new("a"), json!("(more than 256 KiB, not kept)").into());
        stepped.record(Entry::StepSucceeded { step, attempt: 1, result, known_by: None, truncated: true });
        let mut edited = stepped;
        edited.recipe = recipe(&format!("actions:\n{get}{reading}"));
        edited.restart();
        let (state, reason) = edited.finish();
        assert_eq!(state, RunState::Failed, "{reading}");
        assert!(reason.contains("step `a`, which was larger than 256 KiB and was not kept"), "{reason}");
        let failed = edited.history.iter().find_map(|stamped| match &stamped.entry {
            Entry::Finished { step, .. } => step.clone(),
            _ => None,
        });
        assert_eq!(failed, Some(StepKey::new("b")), "the history names the step that failed");
    }
}

#[test]
fn an_event_that_does_not_fit_is_filtered_with_the_reason() {
    for (payload, reason) in [
        (json!({ "email": null }), "`when` is not met: {{ event.email }} is null"),
        (json!({}), "`when` is not met: {{ event.email }} is missing"),
    ] {
        let mut stepped = SteppedRun::new(
            "when: '{{ event.email }}'\nactions: [{ do: things.get, with: { id: a } }]\n",
            payload,
        );
        assert_eq!(stepped.finish(), (RunState::Filtered, reason.to_owned()));
    }
}

#[test]
fn a_template_that_fails_names_its_place() {
    let mut stepped = SteppedRun::new(
        "actions:\n- { id: a, do: things.get, with: { id: '{{ event.nmae }}' } }\n",
        json!({ "name": "x" }),
    );
    let (state, reason) = stepped.finish();
    assert_eq!(state, RunState::Failed);
    assert!(reason.starts_with("step `a`: r.yaml:4:"), "{reason}");
    let Some(Entry::StepFailed { error, .. }) = stepped.history.get(1).map(|stamped| &stamped.entry) else {
        panic!("{:?}", stepped.history)
    };
    assert!(error.excerpt.as_ref().unwrap().contains("^^^^^^^^^^"), "{error:?}");
    assert_eq!(error.help.as_deref(), Some("did you mean `event.name`?"));
}

#[test]
fn vars_that_fail_fail_the_run_and_can_be_resumed() {
    let lines = "vars: { a: '{{ event.n + 1 }}' }\nactions: [{ do: things.get, with: { id: a } }]\n";
    let mut stepped = SteppedRun::new(lines, json!({ "n": {} }));
    assert_eq!(stepped.finish().0, RunState::Failed);
    stepped.record(Entry::Resumed { from: StepKey::start() });
    stepped.payload = json!({ "n": 1 });
    stepped.restart();
    assert_eq!(stepped.execute().step, StepKey::new("get-1"));
}

#[test]
fn steps_waiting_for_a_held_connection_continue_when_leased_again() {
    let mut stepped =
        SteppedRun::new("actions:\n- { id: a, do: things.update, with: { id: b } }\n", json!({}));
    let first = stepped.execute();
    let (wait, reason) = (std::time::Duration::from_secs(300), "held".to_owned());
    stepped.answer(&first, StepResult::Held { wait, reason: reason.clone() });
    assert_eq!(stepped.decide(), Command::Sleep { until: time(300), reason });
    stepped.restart();
    let again = stepped.execute();
    assert_eq!((again.attempt, again.deferred), (1, true));
}

#[test]
fn a_parked_run_is_as_loud_as_a_failed_one() {
    let mut stepped = SteppedRun::new(
        "actions:\n- { id: a, do: things.shout, with: { text: t } }\n- { id: b, do: things.get, with: { id: x } }\n\
         on_failure:\n- { id: tell, do: things.update, with: { id: \"{{ error.parked }} {{ error.step }}\" } }\n",
        json!({}),
    );
    let first = stepped.execute();
    stepped.answer(&first, StepResult::InDoubt { reason: "lost".into(), status: None });
    for _ in 0..2 {
        stepped.done("tell", json!({ "id": "true a" }), json!(1));
        let Command::Park { reason } = stepped.decide() else { panic!("not parked") };
        assert!(reason.contains("`a` may have happened: lost"), "{reason}");
        stepped.restart();
        assert!(matches!(stepped.decide(), Command::Park { .. }), "it is told once");
        // A person says that it did not happen, and the answer is lost again.
        let (step, attempt, known_by) = (StepKey::new("a"), first.attempt, KnownBy::Person);
        stepped.record(Entry::DidNotHappen { step, attempt, known_by });
        stepped.restart();
        let again = stepped.execute();
        stepped.answer(&again, StepResult::InDoubt { reason: "lost".into(), status: None });
    }
    stepped.done("tell", json!({ "id": "true a" }), json!(1));
    let (step, attempt, known_by) = (StepKey::new("a"), first.attempt, Some(KnownBy::Person));
    let result = json!({ "id": 1 }).into();
    stepped.record(Entry::StepSucceeded { step, attempt, result, known_by, truncated: false });
    stepped.restart();
    let next = stepped.execute();
    stepped.answer(&next, StepResult::Refused(StepError::new("gone")));
    stepped.done("tell", json!({ "id": "false b" }), json!(1));
    assert_eq!(stepped.finish().0, RunState::Failed);
}

#[test]
fn attempts_are_counted_and_a_deferral_is_none() {
    let mut stepped = SteppedRun::new(
        "actions:\n- { id: a, do: things.update, with: { id: b }, retry: { attempts: 2, backoff: 2s..5m } }\n",
        json!({}),
    );
    let first = stepped.execute();
    assert_eq!((first.attempt, first.may_try_again), (1, true));
    stepped.answer(
        &first,
        StepResult::Later { wait: std::time::Duration::from_secs(5), reason: "429".into(), kind: None },
    );
    assert_eq!(stepped.decide(), Command::Sleep { until: time(5), reason: "429".into() });
    stepped.now = time(5);
    let first = stepped.execute();
    assert_eq!(first.attempt, 1);
    stepped.answer(&first, again("503"));
    let Command::Sleep { until, .. } = stepped.decide() else { panic!("no pause") };
    assert!(until >= time(5) && until <= time(7), "{until}");
    stepped.now = until;
    let second = stepped.execute();
    assert_eq!((second.attempt, second.may_try_again), (2, false));
    stepped.answer(&second, again("503"));
    assert_eq!(stepped.finish(), (RunState::Failed, "step `a`: gave up after 2 attempts: 503".to_owned()));
    stepped.record(Entry::Resumed { from: StepKey::new("a") });
    stepped.restart();
    let third = stepped.execute();
    assert_eq!((third.attempt, third.may_try_again), (3, true), "attempts count anew");
}

#[test]
fn a_step_is_done_for_each_member() {
    let mut stepped = SteppedRun::new(
        "actions:\n- { id: a, do: things.get, for_each: '{{ event.list }}', as: one, if: '{{ one.yes }}', \
         with: { id: '{{ one.id }}' }, on_error: continue }\n- { id: b, do: things.update, with: { id: z, got: '{{ steps.a }}' } }\n",
        json!({ "list": [{ "id": "1", "yes": true }, { "id": "2", "yes": false }, { "id": "3", "yes": true }] }),
    );
    stepped.done("a[0]", json!({ "id": "1" }), json!("one"));
    stepped.restart();
    let third = stepped.execute();
    assert_eq!(third.step.to_string(), "a[2]");
    stepped.answer(&third, StepResult::Refused(StepError::new("404")));
    stepped.done("b", json!({ "id": "z", "got": ["one", null, null] }), json!(1));
    assert_eq!(stepped.finish().0, RunState::Succeeded);
}

#[test]
fn an_empty_or_missing_list_has_no_steps() {
    for (list, ok) in [(json!([]), true), (json!(null), true), (json!({ "a": 1 }), false)] {
        let mut stepped = SteppedRun::new(
            "actions: [{ id: a, do: things.get, for_each: '{{ event.list }}', with: { id: '{{ item }}' } }]\n",
            json!({ "list": list }),
        );
        assert_eq!(stepped.finish().0 == RunState::Succeeded, ok, "{list}");
    }
}

#[test]
fn a_failure_runs_on_failure_and_skips_the_rest() {
    let mut stepped = SteppedRun::new(
        "actions:\n- { id: a, do: things.get, with: { id: x } }\n- { id: b, do: things.get, with: { id: y } }\n\
         on_failure:\n- { id: tell, do: things.shout, with: { text: '{{ error.step }}: {{ error.message }}' } }\n\
         - { id: more, do: things.get, with: { id: z } }\n",
        json!({}),
    );
    let a = stepped.execute();
    stepped.answer(&a, StepResult::Refused(StepError::new("404 Not Found")));
    let tell = stepped.execute();
    assert_eq!(tell.inputs["text"], "a: 404 Not Found");
    stepped.answer(&tell, StepResult::InDoubt { reason: "timed out".into(), status: None });
    stepped.done("more", json!({ "id": "z" }), json!(null));
    assert_eq!(stepped.finish(), (RunState::Failed, "step `a`: 404 Not Found".to_owned()));
}

#[test]
fn secrets_in_vars_survive_a_history_without_them() {
    let lines = "vars: { key: 'Bearer {{ env.KEY }}' }\nactions: [{ id: a, do: things.get, with: { id: '{{ vars.key }}' } }]\n";
    let mut stepped = SteppedRun::new(lines, json!({}));
    stepped.decide();
    let Entry::Started { vars, .. } = &mut stepped.history[0].entry else { panic!("not started") };
    vars.insert("key".into(), json!("Bearer ***"));
    stepped.restart();
    assert_eq!(stepped.execute().inputs["id"], "Bearer k3y-secret");
}

#[test]
fn waits_stops_and_lines_are_history_only() {
    let lines = "actions:\n- { do: log, with: { message: 'n {{ event.n }}' } }\n- { id: w, do: wait, with: { for: 1h } }\n\
        - { do: stop, if: '{{ event.n }}', with: { reason: enough } }\n- { do: things.get, with: { id: a } }\n";
    let mut stepped = SteppedRun::new(lines, json!({ "n": 1 }));
    assert_eq!(stepped.decide(), Command::Sleep { until: time(3600), reason: "waits".into() });
    stepped.restart();
    stepped.now = time(3599);
    assert!(matches!(stepped.decide(), Command::Sleep { .. }));
    stepped.now = time(3600);
    assert_eq!(stepped.finish(), (RunState::Succeeded, "enough".to_owned()));
    let run_context = RunContext { skip_waits: true, ..RunContext::default() };
    let mut stepped = SteppedRun::with(lines, json!({ "n": 0 }), run_context);
    assert_eq!(stepped.execute().step.action, "get-4");
}

#[test]
fn a_run_ends_with_its_time() {
    let lines = "timeout: 10s\nactions:\n- { do: things.get, with: { id: a } }\n- { do: things.get, with: { id: b } }\n";
    let mut stepped = SteppedRun::new(lines, json!({}));
    stepped.done("get-1", json!({ "id": "a" }), json!(1));
    stepped.now = time(11);
    assert!(stepped.finish().1.contains("`timeout`"));
}

mod beginning_again;
mod found_links;
mod hydrating;
mod lost_answers;
mod stopping;
