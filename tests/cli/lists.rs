//! Lists read by steps, and values that the API drops.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::hob;
use crate::stand_in::StandIn;

/// A workspace on `stand_in` with one recipe that is started manually.
fn workspace(stand_in: &StandIn, actions: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    let recipe = format!("name: r\ntrigger: {{ manual: {{}} }}\nactions:\n{actions}");
    fs::write(folder.path().join("recipes/r.yaml"), recipe).unwrap();
    folder
}

/// Runs the recipe once; returns the run from `runs show`.
fn run(folder: &Path, state: &str) -> Value {
    hob(folder, &["trigger", "r"]).code(0);
    hob(folder, &["run", "--once"]).code(i32::from(state != "succeeded"));
    let listed = hob(folder, &["runs", "list", "--format", "json"]).code(0).json();
    assert_eq!(listed[0]["state"], state, "{listed}");
    let id = listed[0]["id"].as_str().unwrap();
    hob(folder, &["runs", "show", id, "--format", "json"]).code(0).json()
}

/// Entries of this kind.
fn entries<'a>(shown: &'a Value, kind: &str) -> Vec<&'a Value> {
    shown["entries"].as_array().unwrap().iter().filter(|entry| entry["entry"] == kind).collect()
}

fn message(entry: &Value) -> &str {
    entry["message"].as_str().unwrap()
}

#[test]
fn a_cut_list_says_so_and_pages_all_reads_the_whole() {
    let stand_in = StandIn::start();
    let all = stand_in.sandbox.counts("highlevel")["contacts"];
    let folder = workspace(
        &stand_in,
        "  - { id: some, do: contacts.list }\n  - { id: all, do: contacts.list, pages: all }\n\
         \x20 - { id: three, do: contacts.list, with: { limit: 3 }, pick: '$.contacts[*].id' }\n\
         \x20 - { do: log, with: { message: \"{{ steps.some | length }} {{ steps.all | map(attribute='id') | unique | length }} {{ steps.three | length }} {{ run.more | join('+') }}\" } }\n",
    );
    let shown = run(folder.path(), "succeeded");
    let cut = entries(&shown, "more_records");
    let steps: Vec<&Value> = cut.iter().map(|entry| &entry["step"]["action"]).collect();
    assert_eq!(steps, [&json!("some"), &json!("three")]);
    assert!(
        message(cut[0]).contains(&format!("of {all}")) && message(cut[0]).contains("pages: all"),
        "{cut:?}"
    );
    let logged: Vec<&str> = entries(&shown, "remark").into_iter().map(message).collect();
    assert_eq!(logged, [format!("20 {all} 3 some+three")]);
}

#[test]
fn dropped_custom_fields_are_reported() {
    let stand_in = StandIn::start();
    let folder = workspace(
        &stand_in,
        "  - id: contact\n    do: contacts.upsert\n    with:\n      email: zoe@example.com\n      customFields:\n\
         \x20       - { key: training_goal, field_value: Marathon }\n        - { key: shoe_size, field_value: '42' }\n\
         \x20       - { id: no-such-id, field_value: x }\n        - { key: emptied, field_value: '' }\n",
    );
    let shown = run(folder.path(), "succeeded");
    let told = entries(&shown, "not_kept");
    assert_eq!(told.len(), 1, "{shown:#}");
    let dropped = json!([
        { "field": "customFields[shoe_size]", "sent": "42", "got": null },
        { "field": "customFields[no-such-id]", "sent": "x", "got": null }
    ]);
    assert_eq!(told[0]["fields"], dropped);
}

/// The `customFields` that were sent, in order of requests.
fn sent_fields(stand_in: &StandIn) -> Vec<Value> {
    let requests = stand_in.sandbox.log();
    requests
        .iter()
        .map(|request| request.body["customFields"].clone())
        .filter(|fields| !fields.is_null())
        .collect()
}

#[test]
fn custom_fields_go_out_under_the_name_of_the_version() {
    let stand_in = StandIn::start();
    let fields = "customFields: [{ key: training_goal, fieldValue: Marathon }, { key: training_goal, field_value: Hyrox }]";
    let step = |version: &str| {
        format!(
            "  - do: contacts.upsert\n    version: {version}\n    with:\n      email: zoe@example.com\n      {fields}\n"
        )
    };
    let folder = workspace(&stand_in, &(step("v2") + &step("v3")));
    run(folder.path(), "succeeded");
    let named = |name: &str| json!([{ "key": "training_goal", name: "Marathon" }, { "key": "training_goal", name: "Hyrox" }]);
    assert_eq!(sent_fields(&stand_in), [named("field_value"), named("fieldValue")]);
}

#[test]
fn a_label_that_comes_with_the_event_fails_before_it_is_sent() {
    let stand_in = StandIn::start();
    for (member, complaint) in [
        ("key: \"{{ 'Training goal' | trim }}\", field_value: x", "a label, not a key"),
        ("id: \"{{ ' ' ~ '' }}\", field_value: x", "is blank"),
        ("id: \"{{ event.nothing | default(none) }}\", field_value: x", "needs one of `id`, `key`"),
    ] {
        let actions = format!(
            "  - do: contacts.upsert\n    with: {{ email: zoe@example.com, customFields: [{{ {member} }}] }}\n"
        );
        let folder = workspace(&stand_in, &actions);
        let shown = run(folder.path(), "failed");
        let failed = entries(&shown, "step_failed");
        let said = failed[0]["error"].to_string();
        assert!(said.contains(complaint), "{said}");
    }
    assert_eq!(sent_fields(&stand_in), [Value::Null; 0]);
}
