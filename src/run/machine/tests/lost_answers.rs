//! Steps with lost answers.

use chrono::TimeDelta;
use serde_json::json;

use super::SteppedRun;
use crate::run::testing::time;
use crate::run::{Command, Entry, Finding, RunState, StepCall, StepError, StepKey, StepResult};

#[test]
fn a_lost_create_with_a_probe_is_looked_into() {
    let lines = "actions: [{ id: a, do: things.create, with: { name: ann, at: '{{ now() }}' } }]\n";
    for found in [Finding::Happened(json!({ "id": "t1" })), Finding::DidNotHappen] {
        let mut stepped = SteppedRun::new(lines, json!({}));
        let sent = stepped.execute();
        stepped.now = time(60);
        stepped.restart();
        let Command::Probe(probe) = stepped.decide() else { panic!("not probed") };
        assert_eq!((&probe.inputs, probe.sent), (&sent.inputs, time(0)), "the same step as was sent");
        stepped.record(probe.entry(found.clone(), stepped.now));
        if found == Finding::DidNotHappen {
            let again = stepped.execute();
            assert_eq!(again.attempt, 1, "that hob stopped uses up no attempt");
            stepped.answer(&again, StepResult::Done(json!({ "id": "t1" })));
        }
        assert_eq!(stepped.finish().0, RunState::Succeeded);
    }
}

#[test]
fn a_missing_record_counts_only_once_it_must_be_visible() {
    let mut stepped =
        SteppedRun::new("actions: [{ id: a, do: things.create, with: { name: x } }]\n", json!({}));
    let sent = stepped.execute();
    stepped.answer(&sent, StepResult::InDoubt { reason: "lost".into(), status: None });
    let (shown, mut looks) = (stepped.now + TimeDelta::seconds(30), vec![]);
    loop {
        stepped.restart();
        match stepped.decide() {
            Command::Probe(probe) if stepped.now < shown => {
                looks.push((stepped.now - time(0)).num_seconds());
                let finding = Finding::NotYet { shown, reason: "not there".into() };
                stepped.record(probe.entry(finding, stepped.now));
            }
            Command::Probe(probe) => break stepped.record(probe.entry(Finding::DidNotHappen, stepped.now)),
            Command::Sleep { until, .. } => stepped.now = until,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        (looks.as_slice(), stepped.now),
        (&[0, 1, 3, 7, 15][..], shown),
        "the last look is when it must be shown"
    );
    assert_eq!(stepped.execute().attempt, 2);
}

#[test]
fn a_refusal_that_names_the_record_is_an_answer_after_a_lost_one() {
    let lines = "actions: [{ id: a, do: things.create, with: { name: x }, retry: { attempts: 3 } }]\n";
    let exists =
        || StepResult::Exists(StepError { status: Some(400), ..StepError::new("double") }, "t9".into());
    let mut stepped = SteppedRun::new(lines, json!({}));
    let first = stepped.execute();
    stepped.answer(&first, exists());
    assert_eq!(stepped.finish().0, RunState::Failed, "at the first try it is a refusal like others");
    for found in [Finding::Happened(json!({ "id": "t9" })), Finding::DidNotHappen] {
        let mut stepped = SteppedRun::new(lines, json!({}));
        let first = stepped.execute();
        stepped.answer(&first, StepResult::InDoubt { reason: "lost".into(), status: None });
        let Command::Probe(probe) = stepped.decide() else { panic!("not probed") };
        stepped.record(probe.entry(Finding::DidNotHappen, stepped.now));
        stepped.now = time(40);
        let second = stepped.execute();
        stepped.answer(&second, exists());
        stepped.restart();
        let Command::Probe(probe) = stepped.decide() else { panic!("not looked into") };
        assert_eq!((probe.existing.as_deref(), probe.sent), (Some("t9"), time(0)), "since the first attempt");
        let state = if found == Finding::DidNotHappen { RunState::Failed } else { RunState::Succeeded };
        stepped.record(probe.entry(found, stepped.now));
        assert_eq!(stepped.finish().0, state);
    }
}

#[test]
fn gone_is_done_where_the_answer_to_a_removal_was_lost() {
    let gone = || StepResult::Gone(StepError { status: Some(404), ..StepError::new("404") });
    let again = |lost| StepResult::Again { error: StepError::new("no answer"), not_before: None, lost };
    let request = "do: http.request, with: { method: DELETE, url: 'http://x/1' }";
    for (action, reports, state) in [
        (request, vec![gone()], RunState::Failed),
        (request, vec![again(false), gone()], RunState::Failed),
        (request, vec![again(true), gone()], RunState::Succeeded),
        (request, vec![again(true), again(false), gone()], RunState::Succeeded),
        ("do: things.update, with: { id: x }", vec![again(true), gone()], RunState::Failed),
    ] {
        let lines = format!("actions: [{{ id: a, {action}, retry: {{ attempts: 5 }} }}]\n");
        let mut stepped = SteppedRun::new(&lines, json!({}));
        for step_result in reports {
            let call = loop {
                stepped.restart();
                match stepped.decide() {
                    Command::Execute(call) => break call,
                    Command::Sleep { until, .. } => stepped.now = until,
                    other => panic!("{other:?}"),
                }
            };
            stepped.answer(&call, step_result);
        }
        assert_eq!(stepped.finish().0, state, "{action}: {:?}", stepped.history);
    }
}

#[test]
fn hob_may_stop_in_the_same_create_any_number_of_times() {
    let mut stepped =
        SteppedRun::new("actions: [{ id: a, do: things.create, with: { name: x } }]\n", json!({}));
    for _ in 0..20 {
        assert_eq!(stepped.execute().attempt, 1);
        stepped.restart();
        let Command::Probe(probe) = stepped.decide() else { panic!("{:?}", stepped.history) };
        stepped.record(probe.entry(Finding::DidNotHappen, stepped.now));
    }
}

#[test]
fn a_probe_that_cannot_tell_parks() {
    let mut stepped =
        SteppedRun::new("actions: [{ id: a, do: things.create, with: { name: ann } }]\n", json!({}));
    let sent = stepped.execute();
    stepped.answer(&sent, StepResult::InDoubt { reason: "503".into(), status: Some(503) });
    let Command::Probe(probe) = stepped.decide() else { panic!("not probed") };
    let wait = std::time::Duration::ZERO;
    stepped.record(probe.entry(Finding::Later { wait, reason: "no answer".into() }, stepped.now));
    assert!(matches!(stepped.decide(), Command::Sleep { .. }));
    stepped.now = time(10);
    let Command::Probe(probe) = stepped.decide() else { panic!("not probed again") };
    stepped.record(probe.entry(Finding::Unclear { reason: "two alike".into() }, stepped.now));
    assert!(matches!(stepped.decide(), Command::Park { .. }));
}

#[test]
fn a_lost_create_without_a_probe_waits_for_a_person() {
    let lines = "actions: [{ id: a, do: things.shout, with: { text: hi } }]\n";
    let mut stepped = SteppedRun::new(lines, json!({}));
    stepped.execute();
    stepped.restart();
    let Command::Park { reason } = stepped.decide() else { panic!("not parked") };
    assert!(reason.contains("step `a` may have happened"), "{reason}");
    stepped.restart();
    assert!(matches!(stepped.decide(), Command::Park { .. }), "and goes on waiting");
    let known_by = crate::run::KnownBy::Person;
    stepped.record(Entry::DidNotHappen { step: StepKey::new("a"), attempt: 1, known_by });
    assert_eq!(stepped.execute().attempt, 2);
}

#[test]
fn a_lost_idempotent_step_is_sent_again_as_it_was() {
    let mut stepped = SteppedRun::new(
        "actions: [{ id: a, do: things.update, with: { id: b, at: '{{ now() }}' } }]\n",
        json!({}),
    );
    let first = stepped.execute();
    stepped.now = time(500);
    stepped.restart();
    // The call says that the previous attempt may have been carried out.
    assert_eq!(stepped.execute(), StepCall { first_lost: Some(time(0)), ..first });
}

#[test]
fn a_write_counts_from_its_first_attempt_that_may_have_been_carried_out() {
    let lines =
        "actions: [{ id: a, do: things.update, with: { id: t1, name: x }, retry: { attempts: 3 } }]\n";
    let key = StepKey::new("a");
    let mut stepped = SteppedRun::new(lines, json!({}));
    for second in [0, 5, 9] {
        stepped.now = time(second);
        let call = stepped.execute();
        assert_eq!(stepped.machine.origin(&key, time(second)).sent, time(0));
        let result = StepResult::Again { error: StepError::new("no answer"), not_before: None, lost: true };
        stepped.answer(&call, result);
    }
    let mut refused = SteppedRun::new(lines, json!({}));
    let call = refused.execute();
    refused.answer(&call, super::again("busy"));
    refused.now = time(60);
    refused.execute();
    assert_eq!(refused.machine.origin(&key, time(60)).sent, time(60), "the first one was refused");
}
