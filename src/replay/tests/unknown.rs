//! What a recording does not tell is never guessed.

use serde_json::json;

use super::*;

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
