//! What would be sent otherwise, and how runs would end otherwise.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;

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
