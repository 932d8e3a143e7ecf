//! Interventions in runs that failed or were parked.

use std::fs;
use std::path::Path;

use hob::sandbox::{ChangeKind, Fault, FaultKind};
use serde_json::{Value, json};

use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;

const ONCE: [&str; 4] = ["run", "--once", "--format", "json"];

/// A workspace on `stand_in` with one recipe, started manually.
fn workspace(stand_in: &StandIn, actions: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
    recipe(folder.path(), actions);
    folder
}

fn recipe(folder: &Path, actions: &str) {
    let text = format!("name: hand\ntrigger: {{ manual: {{}} }}\nlane: one\nactions:\n{actions}");
    fs::write(folder.join("recipes/hand.yaml"), text).unwrap();
}

fn states(folder: &Path) -> Vec<String> {
    let listed = hob(folder, &["runs", "list", "--format", "json"]).code(0).json();
    let state = |run: &Value| run["state"].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().rev().map(state).collect()
}

fn trigger(folder: &Path, event: &Value) -> String {
    let arguments = ["trigger", "hand", "--event", "-", "--format", "json"];
    let stored = hob_with(folder, &arguments, &event.to_string()).code(0).json();
    stored["runs"][0].as_str().unwrap().to_owned()
}

fn created(stand_in: &StandIn, collection: &str) -> usize {
    let changes = stand_in.sandbox.log().into_iter().flat_map(|entry| entry.changes);
    changes.filter(|change| change.collection == collection && change.kind == ChangeKind::Created).count()
}

const FIRST: &str = "- { id: first, do: contacts.create, with: { email: \"{{ event.email }}\" } }\n";

#[test]
fn a_failed_run_continues_with_the_fixed_recipe() {
    let stand_in = StandIn::start();
    let wrong = format!("{FIRST}- {{ do: contacts.get, with: {{ contactId: nobody }} }}\n");
    let folder = workspace(&stand_in, &wrong);
    let run = trigger(folder.path(), &json!({ "email": "retry@example.com" }));
    hob(folder.path(), &ONCE).code(1);
    assert_eq!(states(folder.path()), ["failed"]);

    recipe(
        folder.path(),
        &format!("{FIRST}- {{ do: contacts.get, with: {{ contactId: \"{{{{ steps.first.id }}}}\" }} }}\n"),
    );
    let told = hob(folder.path(), &["runs", "retry", &run[..run.len() - 3]]).code(0);
    assert!(told.output.contains("waiting"), "{}", told.output);
    hob(folder.path(), &ONCE).code(0);
    assert_eq!(states(folder.path()), ["succeeded"]);
    assert_eq!(created(&stand_in, "contacts"), 1, "what was done is not done again");

    let refused = hob(folder.path(), &["runs", "retry", &run]).code(1);
    assert!(refused.errors.contains("it is succeeded"), "{}", refused.errors);
    let shown = hob(folder.path(), &["runs", "show", &run]).code(0).output;
    assert!(shown.contains("resumed from"), "{shown}");
}

/// Derived step ids depend on positions: an edited recipe must not confuse steps.
#[test]
fn a_done_step_is_neither_repeated_nor_taken_for_another() {
    let stand_in = StandIn::start();
    let create = "- { do: contacts.create, with: { email: \"{{ event.email }}\" } }\n";
    let fails = "- { id: last, do: contacts.get, with: { contactId: nobody } }\n";
    let folder = workspace(&stand_in, &format!("{create}{fails}"));
    let run = trigger(folder.path(), &json!({ "email": "places@example.com" }));
    hob(folder.path(), &ONCE).code(1);

    let works = "- { id: last, do: log, with: { message: done } }\n";
    recipe(folder.path(), &format!("- {{ do: log, with: {{ message: new }} }}\n{create}{works}"));
    let refused = hob(folder.path(), &["runs", "retry", &run]).code(1);
    assert!(refused.errors.contains("`create-1` is done and is not in the recipe"), "{}", refused.errors);
    let other = "- { id: create-1, do: log, with: { message: other } }\n";
    recipe(folder.path(), &format!("{other}{works}"));
    let refused = hob(folder.path(), &["runs", "retry", &run]).code(1);
    assert!(refused.errors.contains("`create-1` is done as contacts.create"), "{}", refused.errors);

    let named = create.replace("{ do:", "{ id: create-1, do:");
    recipe(folder.path(), &format!("- {{ do: log, with: {{ message: new }} }}\n{named}{works}"));
    hob(folder.path(), &["runs", "retry", &run]).code(0);
    // It continues with the recipe of that moment, whatever happens to the file.
    recipe(folder.path(), fails);
    hob(folder.path(), &ONCE).code(0);
    assert_eq!(states(folder.path()), ["succeeded"]);
    assert_eq!(created(&stand_in, "contacts"), 1);
}

#[test]
fn a_run_that_cannot_be_read_is_given_up_and_keeps_nothing_else_waiting() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, "- { do: contacts.get, with: { contactId: nobody } }\n");
    let (broken, sound) = (trigger(folder.path(), &json!({})), trigger(folder.path(), &json!({})));
    hob(folder.path(), &ONCE).code(1);
    let store = rusqlite::Connection::open(folder.path().join("state/hob.db")).unwrap();
    let id = broken.as_str();
    let sql =
        "UPDATE entries SET entry = 'no entry' WHERE id / 1048576 = (SELECT seq FROM runs WHERE id = ?1)";
    assert!(store.execute(sql, [id]).unwrap() > 0);
    drop(store);
    let told = hob(folder.path(), &["runs", "retry", "--state", "failed"]).code(1);
    assert!(told.output.contains(&sound) && told.errors.contains("hob runs skip"), "{}", told.errors);
    hob(folder.path(), &["runs", "skip", id]).code(0);
    assert_eq!(states(folder.path()), ["skipped", "waiting"]);
}

#[test]
fn many_runs_are_retried_or_skipped_at_once() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, "- { do: contacts.get, with: { contactId: nobody } }\n");
    for n in 0..3 {
        trigger(folder.path(), &json!({ "n": n }));
    }
    hob(folder.path(), &ONCE).code(1);
    assert_eq!(states(folder.path()), ["failed"; 3]);
    hob(folder.path(), &["runs", "retry"]).code(2);
    let told = hob(folder.path(), &["runs", "retry", "--recipe", "hand", "--format", "json"]).code(0).json();
    assert_eq!(told.as_array().unwrap().len(), 3);
    assert_eq!(states(folder.path()), ["waiting"; 3]);
    hob(folder.path(), &ONCE).code(1);
    hob(folder.path(), &["runs", "skip", "--state", "failed"]).code(0);
    assert_eq!(states(folder.path()), ["skipped"; 3], "{}", hob(folder.path(), &["runs", "list"]).output);
    hob(folder.path(), &ONCE).code(0);
}

#[test]
fn a_parked_run_is_resolved_either_way() {
    let stand_in = StandIn::start();
    let example = stand_in.sandbox.example("conversations.messages.send").expect("an example");
    let with = Value::Object(example).to_string();
    let blind = format!(
        "- {{ id: step, do: conversations.messages.send, with: {with} }}\n\
        - {{ do: log, with: {{ message: \"result {{{{ steps.step.told | default('none') }}}}\" }} }}\n"
    );
    let folder = workspace(&stand_in, &blind);
    for (answer, done) in [("--happened", true), ("--did-not", false)] {
        stand_in.sandbox.add_fault(Fault {
            operation: Some("conversations.messages.send".into()),
            what: FaultKind::Close,
            times: Some(1),
            done,
            ..Fault::default()
        });
        let run = trigger(folder.path(), &json!({}));
        hob(folder.path(), &ONCE).code(1);
        assert_eq!(states(folder.path()).last().unwrap(), "parked");
        let refused = hob(folder.path(), &["runs", "retry", &run]).code(1);
        assert!(refused.errors.contains("hob runs resolve"), "{}", refused.errors);
        let mut arguments = vec!["runs", "resolve", &run, answer];
        if done {
            arguments.extend(["--result", "{\"told\": \"by hand\"}"]);
        }
        hob(folder.path(), &arguments).code(0);
        hob(folder.path(), &ONCE).code(0);
        assert_eq!(states(folder.path()).last().unwrap(), "succeeded");
        let shown = hob(folder.path(), &["runs", "show", &run]).code(0).output;
        assert!(shown.contains(if done { "result by hand" } else { "result none" }), "{shown}");
        assert!(shown.contains("known by person") || shown.contains("person"), "{shown}");
    }
    let messages = created(&stand_in, "messages");
    assert_eq!(messages, 2, "each message was sent exactly once");
    hob(folder.path(), &["runs", "resolve", "run_0", "--happened", "--did-not"]).code(2);
}

#[test]
fn writes_to_a_record_are_listed() {
    let stand_in = StandIn::start();
    let note =
        "- { do: contacts.notes.create, with: { contactId: \"{{ steps.first.id }}\", body: hello } }\n";
    let folder = workspace(&stand_in, &format!("{FIRST}{note}"));
    let run = trigger(folder.path(), &json!({ "email": "written@example.com" }));
    hob(folder.path(), &ONCE).code(0);
    let shown = hob(folder.path(), &["runs", "show", &run, "--format", "json"]).code(0).json();
    let results: Vec<&Value> =
        shown["entries"].as_array().unwrap().iter().filter(|e| e["entry"] == "step_succeeded").collect();
    let contact = results[0]["result"]["id"].as_str().unwrap();
    let written = hob(folder.path(), &["runs", "writes", contact, "--format", "json"]).code(0).json();
    let told: Vec<(&str, &str, &Value)> = written
        .as_array()
        .unwrap()
        .iter()
        .map(|w| (w["operation"].as_str().unwrap(), w["run"].as_str().unwrap(), &w["fields"]))
        .collect();
    let (body, email) = (json!({ "body": "hello" }), json!({ "email": "written@example.com" }));
    let expected =
        [("contacts.notes.create", run.as_str(), &body), ("contacts.create", run.as_str(), &email)];
    assert_eq!(told, expected);
    let all =
        hob(folder.path(), &["runs", "writes", contact, "--limit", "0", "--format", "json"]).code(0).json();
    assert_eq!(all, written, "0 shows all");
    let newest = hob(folder.path(), &["runs", "writes", contact, "--limit", "1"]).code(0);
    assert!(newest.output.contains("contacts.notes.create") && !newest.output.contains("contacts.create"));
    assert!(newest.errors.contains("only the newest 1 are shown"), "{}", newest.errors);
    let note = results[1]["result"]["id"].as_str().unwrap();
    let told = hob(folder.path(), &["runs", "writes", note, "--connection", "highlevel"]).code(0).output;
    assert!(told.contains("contacts.notes.create") && told.contains("hello"), "{told}");
    assert!(hob(folder.path(), &["runs", "writes", "nobody"]).code(0).errors.contains("has no writes"));
}
