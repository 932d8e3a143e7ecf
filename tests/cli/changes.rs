//! `event.changed` and `event.before`: what changed of a record since hob saw it last.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::hob;
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, workspace};

const POLL: &str = r#"
name: poll
trigger: { poll: fitr.clients.list, every: 1s, emit: [new, changed], start: all }
when: "{{ event.id == 'cl_81d5kq2v' }}"
vars: { was: "{{ event.before.phone | default('unknown') }}" }
actions:
- { do: log, with: { message: "was {{ vars.was }}" } }
- { id: told, do: state.put, if: "{{ 'phone' in event.changed }}", with: { key: told, value: "{{ [vars.was, event.phone, event.changed] }}" } }
"#;
const ROSA: &str = "cl_81d5kq2v";

/// Runs what is due until the poll was, and there are so many runs about the record; the entries of the newest.
fn poll(folder: &Path, runs: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        hob(folder, &ONCE).code(0);
        let listed = hob(folder, &["runs", "list", "--record", ROSA, "--format", "json"]).code(0).json();
        let listed = listed.as_array().unwrap().clone();
        if listed.len() >= runs {
            let id = listed[0]["id"].as_str().unwrap();
            let shown = hob(folder, &["runs", "show", id, "--format", "json"]).code(0).json();
            return shown["entries"].as_array().unwrap().clone();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{listed:?}");
    }
}

fn entry<'e>(entries: &'e [Value], name: &str) -> &'e Value {
    entries.iter().find(|entry| entry["entry"] == name).unwrap_or_else(|| panic!("{name}: {entries:?}"))
}

#[test]
fn a_poll_tells_what_changed_since_the_record_was_seen() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[POLL]);
    let change = |fields: Value| {
        let mut with = json!({ "id": ROSA });
        with.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        hob(folder.path(), &["call", "fitr.clients.update", "--with", &with.to_string()]).code(0);
    };
    let first = poll(folder.path(), 1);
    let compared = entry(&first, "compared");
    assert_eq!(compared["before"], Value::Null);
    let all = compared["changed"].as_array().unwrap();
    assert!(
        all.contains(&json!("phone")) && all.contains(&json!("email")),
        "all fields at the first sight: {all:?}"
    );

    change(json!({ "phone": "+447700900333" }));
    let second = poll(folder.path(), 2);
    let compared = entry(&second, "compared");
    assert_eq!(compared["changed"], json!(["phone"]));
    let was = compared["before"]["phone"].clone();
    let told = entry(&second, "intent")["inputs"]["value"].clone();
    assert_eq!(told, json!([was, "+447700900333", ["phone"]]));

    change(json!({ "status": "Pending" }));
    let third = poll(folder.path(), 3);
    assert_eq!(entry(&third, "compared")["changed"], json!(["status"]));
    assert_eq!(entry(&third, "compared")["before"]["phone"], "+447700900333");
    let left_out = entry(&third, "step_skipped");
    assert!(left_out["reason"].as_str().unwrap().contains("is false"), "{left_out}");
}

#[test]
fn an_event_by_hand_was_never_seen_before() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[POLL]);
    let event = json!({ "id": ROSA, "phone": "+447700900333" }).to_string();
    let told =
        crate::program::hob_with(folder.path(), &["trigger", "poll", "--event", "-", "--dry-run"], &event);
    assert!(told.output.contains("was unknown"), "{}", told.output);
}
