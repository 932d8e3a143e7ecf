//! Runs recorded with one recipe and replayed with another.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Change, ReplayedRun, Report, RunReplay, What};
use crate::check::CheckedRecipe;
use crate::journal::{RunDetail, RunRow};
use crate::run::testing::{event, recipe, run, time};
use crate::run::{
    Command, Entry, Machine, RunContext, RunId, RunState, StampedEntry, StepCall, StepError, StepResult,
};

/// An API that knows every record: a `things.get` shows the id that it is given, writes show an id and what was sent.
fn world(call: &StepCall) -> StepResult {
    let mut shown = call.inputs.clone();
    match call.operation.id.as_str() {
        "things.get" => StepResult::Done(json!({ "id": call.inputs["id"], "name": "Ada", "level": 3 })),
        "things.list" => StepResult::Done(json!([{ "id": "a" }, { "id": "b" }])),
        "state.get" => StepResult::Done(json!(7)),
        _ => {
            shown.entry("id").or_insert_with(|| json!("new-1"));
            shown.insert("new".to_owned(), json!(true));
            StepResult::Done(Value::Object(shown))
        }
    }
}

/// A run of `recipe` on an event with this payload, a second for each decision and answer.
fn record(
    recipe: &CheckedRecipe,
    payload: Value,
    mut answer: impl FnMut(&StepCall) -> StepResult,
) -> RunDetail {
    let run = crate::run::Run { version: Some(recipe.version().to_owned()), ..run() };
    let event = event(payload);
    let mut machine = Machine::new(recipe.clone(), run.clone(), &event, &[], &context());
    let (mut entries, mut now): (Vec<StampedEntry>, _) = (Vec::new(), time(0));
    let (state, error) = loop {
        now += TimeDelta::seconds(1);
        let decision = machine.decide(now);
        entries.extend(decision.entries);
        now += TimeDelta::seconds(1);
        match decision.command {
            Command::Execute(call) => {
                let entry = StampedEntry::new(now, call.entry(&run.id, answer(&call), now));
                machine.apply(&entry);
                entries.push(entry);
            }
            Command::Sleep { until, .. } => now = until,
            Command::Finish { state, reason } => break (state, reason),
            other => panic!("{other:?}"),
        }
    };
    let row = RunRow {
        id: run.id.clone(),
        recipe: recipe.name().to_owned(),
        state,
        record: event.record.clone(),
        created: run.created,
        finished: Some(now),
        error,
        entries: entries.len(),
    };
    RunDetail { row, run, event, entries }
}

fn context() -> RunContext {
    RunContext::default()
}

fn replay(then: &str, now: &str) -> RunReplay {
    replay_of(json!({ "id": "e1", "name": "Ada", "list": ["x", "y", "z"] }), then, now, world)
}

fn replay_of(
    payload: Value,
    then: &str,
    now: &str,
    answer: impl FnMut(&StepCall) -> StepResult,
) -> RunReplay {
    let (then, now) = (recipe(then), recipe(now));
    RunReplay::of(&record(&then, payload, answer), Some(&then), &now, &context())
}

/// Each change in short: `changed update-2 name`.
fn told(replay: &RunReplay) -> Vec<String> {
    let what = |change: &Change| match &change.what {
        What::Ends { before, after } => format!("{before} {after}"),
        other => format!("{other:?}").to_lowercase(),
    };
    let one = |change: &Change| {
        let fields: Vec<&str> = change.fields.iter().map(|field| field.path.as_str()).collect();
        let step = change.step.clone().unwrap_or_default();
        format!("{} {step} {}", what(change), fields.join(",")).trim_end().to_owned()
    };
    replay.changes.iter().map(one).collect()
}

fn uncertainties(replay: &RunReplay) -> Vec<String> {
    let one = |uncertainty: &super::Uncertainty| {
        format!("{}: {}", uncertainty.step.clone().unwrap_or_default(), uncertainty.reason)
    };
    replay.uncertainties.iter().map(one).collect()
}

const READ: &str = "- { id: read, do: things.get, with: { id: \"{{ event.id }}\" } }\n";
const WRITE: &str = "- { id: write, do: things.update, with: { id: \"{{ steps.read.id }}\", name: \"{{ event.name }}\", at: \"{{ now() }}\" } }\n";
const SHOUT: &str = "- { id: shout, do: things.shout, with: { text: \"{{ steps.read.level }}\" } }\n";

fn lines(actions: &[&str]) -> String {
    format!("actions:\n{}", actions.concat())
}

#[test]
fn a_recipe_that_does_the_same_does_the_same() {
    let then = lines(&[READ, WRITE, SHOUT]);
    let each = "- { for_each: \"{{ event.list }}\", do: things.shout, with: { text: \"{{ item }} {{ now() }}\" } }\n";
    for (then, now) in [
        (then.clone(), then.clone()),
        (then.clone(), format!("# a comment\n{then}")),
        (then.clone(), then.replace("id: read", "id: found").replace("steps.read", "steps.found")),
        (then.clone(), then.replace("id: shout, ", "id: shout, retry: { attempts: 2 }, ")),
        (lines(&[READ, each]), lines(&[READ, "- { do: log, with: { message: m } }\n", each])),
        // The answer is the same in another order of reads.
        (lines(&[READ, &READ.replace("id: read", "id: twice"), SHOUT]), lines(&[READ, SHOUT])),
        (
            lines(&[READ, "- { do: wait, with: { for: 10m } }\n", WRITE]),
            lines(&[READ, "- { do: wait, with: { for: 5m } }\n", WRITE]),
        ),
    ] {
        let replay = replay(&then, &now);
        assert!(replay.is_same() && replay.assumed.is_empty(), "{now}\n{replay:?}");
    }
}

#[test]
fn what_is_sent_otherwise_is_told_with_its_fields() {
    let then = lines(&[READ, WRITE, SHOUT]);
    let changed =
        replay(&then, &then.replace("name: \"{{ event.name }}\"", "name: \"{{ event.name | upper }}\""));
    assert_eq!(told(&changed), ["changed write name"]);
    let field = &changed.changes[0].fields[0];
    assert_eq!((&field.expected, &field.found), (&Some(json!("Ada")), &Some(json!("ADA"))));
    assert_eq!(changed.changes[0].record.as_deref(), Some("e1"));
    assert!(changed.uncertainties.is_empty());
    assert_eq!(told(&replay(&then, &lines(&[READ, SHOUT]))), ["removed write id,name,at"]);
    assert_eq!(told(&replay(&lines(&[READ, SHOUT]), &then)), ["added write id,name,at"]);
    assert_eq!(told(&replay(&then, &lines(&[READ, SHOUT, WRITE]))), ["moved write"]);
    let unless = then.replace("id: shout, ", "id: shout, if: \"{{ steps.read.level > 3 }}\", ");
    assert_eq!(told(&replay(&then, &unless)), ["removed shout text"]);
    // To another record: what it answers is not known at all.
    let other = then.replace(
        "id: write, do: things.update, with: { id: \"{{ steps.read.id }}\"",
        "id: write, do: things.update, with: { id: other",
    );
    assert_eq!(told(&replay(&then, &other)), ["changed write id"]);
}

#[test]
fn runs_that_end_otherwise_are_told() {
    let then = lines(&[READ, SHOUT]);
    let filtered = replay(&then, &format!("when: \"{{{{ event.name == 'Bo' }}}}\"\n{then}"));
    assert_eq!(told(&filtered), ["succeeded filtered  reason", "removed shout text"]);
    let fails = then.replace("steps.read.level", "steps.read.missing");
    let failed = replay(&then, &fails);
    assert_eq!(told(&failed), ["succeeded failed shout reason", "removed shout text"]);
    // What a filtered run would do is not recorded, except where nothing needs to be read.
    let then = format!(
        "when: \"{{{{ event.name == 'Bo' }}}}\"\n{}",
        lines(&["- { id: shout, do: things.shout, with: { text: hi } }\n"])
    );
    let before = recipe(&then);
    let mut detail = record(&before, json!({ "name": "Ada" }), world);
    detail.run.version = None;
    let now = recipe(&then.replace("'Bo'", "'Ada'"));
    let begins = RunReplay::of(&detail, None, &now, &context());
    assert_eq!(told(&begins), ["filtered succeeded", "added shout text"]);
    assert!(RunReplay::of(&detail, None, &before, &context()).is_same());
}

#[test]
fn reads_that_were_not_recorded_are_never_guessed() {
    let then = lines(&[READ, WRITE, SHOUT]);
    let more = "- { id: more, do: things.get, with: { id: other } }\n";
    // Steps that do not need it are compared all the same.
    let beside = replay(&then, &lines(&[READ, more, &WRITE.replace("event.name", "event.id"), SHOUT]));
    assert_eq!(told(&beside), ["changed write name"]);
    assert_eq!(uncertainties(&beside), ["more: things.get was not read with these inputs"]);
    let needed = lines(&[READ, more, WRITE, &SHOUT.replace("steps.read.level", "steps.more.level")]);
    let needed = replay(&then, &needed);
    assert!(told(&needed).is_empty(), "{needed:?}");
    assert!(
        uncertainties(&needed)[1].starts_with("shout: it reads `steps.more.level`"),
        "{:?}",
        uncertainties(&needed)
    );
    // A default is no answer, and neither is a condition.
    for text in ["steps.more.level | default(3)", "steps.more.level is defined"] {
        let now = lines(&[READ, more, WRITE, &SHOUT.replace("steps.read.level", text)]);
        assert_eq!(replay(&then, &now).uncertainties.len(), 2, "{text}");
    }
    let stops = "- { if: \"{{ steps.more.level > 1 }}\", do: stop }\n";
    let stopped = replay(&then, &lines(&[READ, more, stops, WRITE, SHOUT]));
    assert!(
        told(&stopped).is_empty() && stopped.uncertainties.len() == 2,
        "what follows depends on it: {stopped:?}"
    );
    let value = "- { id: value, do: state.get, with: { key: a } }\n- { do: things.shout, with: { text: \"{{ steps.value }}\" } }\n";
    assert!(replay(&lines(&[value]), &lines(&["# x\n", value])).is_same());
    let other = replay(&lines(&[value]), &lines(&[&value.replace("key: a", "key: b")]));
    assert_eq!(other.uncertainties.len(), 2, "{other:?}");
}

#[test]
fn of_the_answer_to_another_request_only_ids_are_taken() {
    let then = "- { id: made, do: things.create, with: { name: \"{{ event.name }}\" } }\n";
    let uses = |path: &str| {
        format!("- {{ id: use, do: things.shout, with: {{ text: \"{{{{ steps.made.{path} }}}}\" }} }}\n")
    };
    let now = then.replace("event.name", "event.id");
    let by_id = replay(&lines(&[then, &uses("id")]), &lines(&[&now, &uses("id")]));
    assert_eq!(
        (told(&by_id), by_id.assumed.clone()),
        (vec!["changed made name".to_owned()], vec!["made".to_owned()])
    );
    assert!(by_id.uncertainties.is_empty());
    let by_field = replay(&lines(&[then, &uses("new")]), &lines(&[&now, &uses("new")]));
    assert_eq!(told(&by_field), ["changed made name"]);
    assert!(uncertainties(&by_field)[0].starts_with("use: it reads `steps.made.new`"), "{by_field:?}");
    // A write that was not there has no id either.
    let added = replay(&lines(&[READ]), &lines(&[READ, then, &uses("id")]));
    assert_eq!((told(&added), added.uncertainties.len()), (vec!["added made name".to_owned()], 1));
}

#[test]
fn reads_after_writes_that_differ_are_not_trusted() {
    let again = "- { id: again, do: things.get, with: { id: e1 } }\n";
    let name = "- { id: name, do: things.shout, with: { text: \"{{ steps.again.name }}\" } }\n";
    let then = lines(&[READ, WRITE, again, name]);
    let now = then.replace("event.name", "event.id");
    let replayed = replay(&then, &now);
    assert_eq!(told(&replayed), ["changed write name"]);
    assert!(uncertainties(&replayed)[0].starts_with("name: it reads `steps.again.name`"), "{replayed:?}");
    let without = replay(&then, &lines(&[READ, again, name]));
    assert_eq!(without.uncertainties.len(), 1, "the read before showed what was there before: {without:?}");
    // Another record is as it was.
    let elsewhere = then
        .replace("id: again, do: things.get, with: { id: e1 }", "id: again, do: things.get, with: { id: b }");
    let replayed = replay(&elsewhere, &elsewhere.replace("event.name", "event.id"));
    assert!(replayed.uncertainties.is_empty(), "{replayed:?}");
}

#[test]
fn members_of_a_list_are_compared_by_what_they_are() {
    let each = |list: &str| {
        lines(&[&format!(
            "- {{ id: each, for_each: \"{{{{ {list} }}}}\", do: things.update, with: {{ id: \"{{{{ item }}}}\", name: n }} }}\n"
        )])
    };
    let then = each("event.list");
    assert_eq!(told(&replay(&then, &each("event.list[1:]"))), ["removed each id,name"]);
    assert_eq!(told(&replay(&each("event.list[1:]"), &then)), ["added each id,name"]);
    assert!(replay(&then, &each("event.list | list")).is_same());
    let renamed = replay(&then, &then.replace("name: n", "name: m"));
    assert_eq!(told(&renamed), ["changed each name"; 3]);
    let records: Vec<_> = renamed.changes.iter().filter_map(|change| change.record.clone()).collect();
    assert_eq!(records, ["x", "y", "z"]);
}

#[test]
fn failures_are_as_they_were_as_far_as_it_is_known() {
    let refused = |call: &StepCall| match call.operation.id.as_str() {
        "things.shout" => StepResult::Refused(StepError { status: Some(422), ..StepError::new("too loud") }),
        _ => world(call),
    };
    let alert = "on_failure:\n- { id: alert, do: things.create, with: { name: \"{{ error.message }}\" } }\n";
    let then = format!("{}{alert}", lines(&[READ, SHOUT]));
    let replayed = |now: &str| replay_of(json!({ "id": "e1" }), &then, now, refused);
    assert!(replayed(&format!("# same\n{then}")).is_same());
    let fixed = replayed(&then.replace("steps.read.level", "steps.read.name"));
    assert_eq!(told(&fixed), ["changed shout text"], "{fixed:?}");
    assert!(uncertainties(&fixed)[0].contains("it failed, and whether the other request would"), "{fixed:?}");
    let goes_on = replayed(&then.replace("id: shout, ", "id: shout, on_error: continue, "));
    assert_eq!(told(&goes_on), ["failed succeeded", "removed alert name"]);
}

#[test]
fn fewer_attempts_fail_where_more_were_needed() {
    let then = lines(&[READ, SHOUT]);
    let flaky = || {
        let mut left = 2;
        move |call: &StepCall| {
            if call.operation.id == "things.shout" && left > 0 {
                left -= 1;
                let error = StepError { status: Some(503), ..StepError::new("busy") };
                return StepResult::Again { error, not_before: None, lost: false };
            }
            world(call)
        }
    };
    let attempts =
        |count: u32| then.replace("id: shout, ", &format!("id: shout, retry: {{ attempts: {count} }}, "));
    let replayed = |then: &str, now: &str| replay_of(json!({ "id": "e1" }), then, now, flaky());
    assert!(replayed(&then, &attempts(3)).is_same());
    assert_eq!(told(&replayed(&then, &attempts(2))), ["succeeded failed shout reason"]);
    let more = replayed(&attempts(2), &then);
    assert!(uncertainties(&more)[0].contains("whether one more attempt would succeed"), "{more:?}");
}

#[test]
fn a_run_that_cannot_be_repeated_is_inconclusive() {
    let then = lines(&[READ, "- { id: shout, do: things.shout, with: { text: \"{{ env.KEY }}\" } }\n"]);
    let recipe_then = recipe(&then);
    let with_key = |key: &str| RunContext { env: std::sync::Arc::new(json!({ "KEY": key })), ..context() };
    let mut detail = record(&recipe(&lines(&[READ, SHOUT])), json!({ "id": "e1" }), world);
    detail.entries.iter_mut().for_each(|stamped| {
        if let Entry::Intent { inputs, .. } = &mut stamped.entry {
            inputs["text"] = json!("one");
        }
    });
    let now = recipe(&then.replace("env.KEY", "event.id"));
    let known = RunReplay::of(&detail, Some(&recipe_then), &now, &with_key("one"));
    assert_eq!(told(&known), ["changed shout text"]);
    let unknown = RunReplay::of(&detail, Some(&recipe_then), &now, &with_key("two"));
    assert!(told(&unknown).is_empty());
    assert!(uncertainties(&unknown)[0].contains("`text` differs"), "{unknown:?}");
}

#[test]
fn results_that_were_not_kept_are_not_known() {
    let (then, now) = (recipe(&lines(&[READ])), recipe(&lines(&[READ, SHOUT])));
    let mut detail = record(&then, json!({ "id": "e1" }), world);
    for stamped in &mut detail.entries {
        if let Entry::StepSucceeded { truncated, result, .. } = &mut stamped.entry {
            (*truncated, *result) = (true, std::sync::Arc::new(json!("(cut)")));
        }
    }
    let replayed = RunReplay::of(&detail, Some(&then), &now, &context());
    assert!(told(&replayed).is_empty() && replayed.uncertainties.len() == 1, "{replayed:?}");
}

#[test]
fn a_run_that_was_retried_counts_as_it_ended() {
    let then = lines(&[READ, WRITE, SHOUT]);
    let before = recipe(&then);
    let refused = |call: &StepCall| match call.operation.id.as_str() {
        "things.update" => StepResult::Refused(StepError::new("no")),
        _ => world(call),
    };
    let failed = record(&before, json!({ "id": "e1", "name": "Ada" }), refused);
    let whole = record(&before, json!({ "id": "e1", "name": "Ada" }), world);
    let mut detail = failed;
    detail
        .entries
        .push(StampedEntry::new(time(90), Entry::Resumed { from: crate::run::StepKey::new("write") }));
    let again = whole.entries.iter().skip_while(|stamped| !matches!(&stamped.entry, Entry::Intent { .. }));
    detail.entries.extend(again.cloned());
    detail.row.state = RunState::Succeeded;
    let now = recipe(&then.replace("event.name", "event.id"));
    let replayed = RunReplay::of(&detail, Some(&before), &now, &context());
    assert_eq!((told(&replayed), uncertainties(&replayed)), (vec!["changed write name".to_owned()], vec![]));
}

#[test]
fn what_a_person_resolved_counts_and_what_followed_the_parking_does_not() {
    let alert = "on_failure:\n- { id: alert, do: things.create, with: { name: parked } }\n";
    let then = format!("{}{alert}", lines(&[READ, SHOUT]));
    let before = recipe(&then);
    let mut detail = record(&before, json!({ "id": "e1" }), world);
    let step = crate::run::StepKey::new("shout");
    let done = detail.entries.iter().position(
        |stamped| matches!(&stamped.entry, Entry::StepSucceeded { step: known, .. } if *known == step),
    );
    let intent = |id: &str, operation: &str, inputs: Value| Entry::Intent {
        step: crate::run::StepKey::new(id),
        attempt: 1,
        operation: operation.to_owned(),
        inputs,
    };
    let succeeded = |id: &str, known_by| Entry::StepSucceeded {
        step: crate::run::StepKey::new(id),
        attempt: 1,
        result: std::sync::Arc::new(json!({ "id": "s1" })),
        known_by,
        truncated: false,
    };
    let at = time(50);
    let parked = [
        Entry::Parked { step: step.clone(), reason: "may have happened".to_owned() },
        intent("alert", "things.create", json!({ "name": "parked" })),
        succeeded("alert", None),
        succeeded("shout", Some(crate::run::KnownBy::Person)),
    ];
    detail.entries.splice(done.unwrap()..=done.unwrap(), parked.map(|entry| StampedEntry::new(at, entry)));
    let replayed = RunReplay::of(&detail, Some(&before), &recipe(&format!("# x\n{then}")), &context());
    assert!(replayed.is_same(), "{replayed:?}");
    // Not resolved: it is parked still, as far as that step.
    let place =
        detail.entries.iter().position(|stamped| matches!(stamped.entry, Entry::Parked { .. })).unwrap();
    detail.entries.truncate(place + 1);
    detail.row.state = RunState::Parked;
    let same = RunReplay::of(&detail, Some(&before), &recipe(&format!("# x\n{then}")), &context());
    assert!(same.is_same(), "{same:?}");
    let other =
        RunReplay::of(&detail, Some(&before), &recipe(&then.replace("read.level", "read.name")), &context());
    assert_eq!(told(&other), ["changed shout text"]);
    assert!(uncertainties(&other)[0].contains("its answer was never known"), "{other:?}");
    let without = RunReplay::of(&detail, Some(&before), &recipe(&lines(&[READ])), &context());
    assert_eq!(told(&without), ["parked succeeded", "removed shout text"]);
}

#[test]
fn planted_changes_are_counted_exactly() {
    let then = "actions:\n- { id: write, do: things.update, with: { id: \"{{ event.id }}\", tag: lead } }\n";
    let now = then.replace("tag: lead", "tag: \"{{ 'client' if event.paid else 'lead' }}\"");
    let (before, after) = (recipe(then), recipe(&now));
    let mut report = Report::keeping(3);
    for number in 0..200 {
        // Each third contact has two runs.
        for again in 0..=usize::from(number % 3 == 0) {
            let payload = json!({ "id": format!("c{number}"), "paid": number % 5 == 1 && number < 185 });
            let detail = record(&before, payload, world);
            let id = RunId(format!("run_{number}_{again}"));
            let replay = RunReplay::of(&detail, Some(&before), &after, &context());
            report.add(&ReplayedRun { id, recipe: "r".into(), record: None }, replay);
        }
    }
    assert_eq!(report.groups.len(), 1);
    let group = &report.groups[0];
    assert_eq!((group.records(), group.examples.len(), group.values.len()), (37, 3, 1));
    let runs = (0..185).filter(|n| n % 5 == 1).map(|n| 1 + u64::from(n % 3 == 0)).sum::<u64>();
    assert_eq!((group.runs, report.counts.different, report.counts.inconclusive), (runs, runs, 0));
    let fields: BTreeMap<&str, _> =
        group.values[0].fields.iter().map(|field| (field.path.as_str(), &field.found)).collect();
    assert_eq!(fields, BTreeMap::from([("tag", &Some(json!("client")))]));
    assert!(!report.is_same());
}
