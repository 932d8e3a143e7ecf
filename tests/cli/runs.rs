//! Recipes run end to end: once, again, manually, dry.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;

const TRIGGER: [&str; 4] = ["trigger", "form-to-contact", "--event", "-"];
const ONCE: [&str; 5] = ["run", "--sandbox", "--once", "--format", "json"];

/// A workspace with the recipes of the quickstart.
fn quickstart(folder: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    fs::create_dir_all(folder.join("recipes")).unwrap();
    fs::copy(from.join("hob.yaml"), folder.join("hob.yaml")).unwrap();
    for entry in fs::read_dir(from.join("recipes")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join("recipes").join(path.file_name().unwrap())).unwrap();
    }
}

/// Runs in the sandbox.
fn runs(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    listed(folder, &[&["--sandbox"], arguments].concat())
}

fn listed(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let all: Vec<&str> = ["runs", "list", "--limit", "0", "--format", "json"]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    hob(folder, &all).code(0).json().as_array().unwrap().clone()
}

#[test]
fn a_new_workspace_runs_at_once() {
    let folder = tempfile::tempdir().unwrap();
    hob(folder.path(), &["init"]).code(0);
    let summary = hob(folder.path(), &ONCE).code(0).json();
    assert!(summary["events"].as_u64().unwrap() > 0, "{summary}");
    let listed = runs(folder.path(), &[]);
    assert_eq!(listed.len() as u64, summary["events"].as_u64().unwrap());
    let fields: Vec<&String> = listed[0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["id", "recipe", "state", "record", "created", "finished", "error"]);
}

#[test]
fn a_second_start_finds_nothing_new() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let first = hob(folder.path(), &ONCE).code(0).json();
    assert!(first["runs"]["succeeded"].as_u64().unwrap() > 5, "{first}");
    assert_eq!(first["runs"].get("failed"), None, "{first}");
    let polled = first["polls"].as_array().unwrap();
    assert!(polled.iter().filter(|poll| poll["events"].as_u64().unwrap() > 0).count() >= 3, "{first}");
    let known = runs(folder.path(), &[]);
    let second = hob(folder.path(), &ONCE).code(0).json();
    assert_eq!((&second["events"], &second["runs"]), (&json!(0), &json!({})), "{second}");
    assert_eq!(runs(folder.path(), &[]), known);
}

#[test]
fn history_is_found_by_recipe_state_record_and_id() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let text = hob(folder.path(), &["run", "--sandbox", "--once"]).code(0).output;
    assert!(text.contains("succeeded") && text.contains("requests  "), "{text}");
    let of_recipe = runs(folder.path(), &["--recipe", "leads-to-contacts"]);
    assert!(!of_recipe.is_empty());
    assert!(of_recipe.iter().all(|run| run["recipe"] == "leads-to-contacts"));
    let run = &of_recipe[0];
    let record = run["record"].as_str().unwrap();
    assert!(runs(folder.path(), &["--record", record]).contains(run));
    assert!(runs(folder.path(), &["--state", "failed"]).is_empty());
    assert!(runs(folder.path(), &["--since", "1h"]).contains(run));
    assert!(runs(folder.path(), &["--since", "2999-01-01"]).is_empty());
    let id = run["id"].as_str().unwrap();
    let detail = hob(folder.path(), &["runs", "show", &id[..id.len() - 2], "--sandbox", "--format", "json"])
        .code(0)
        .json();
    assert_eq!((&detail["id"], &detail["event"]["record"]), (&run["id"], &json!(record)));
    let page = hob(folder.path(), &["runs", "show", id, "--sandbox"]).code(0).output;
    for part in [id, "Event evt_", "contacts.upsert", "result ", "succeeded"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    hob(folder.path(), &["runs", "show", "run_nobody"]).code(2);
}

#[test]
fn an_event_by_hand_waits_for_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let event = r#"{"email": "Ada@Example.com", "name": "Ada"}"#;
    let stored = hob_with(folder.path(), &[&TRIGGER[..], &["--sandbox", "--format", "json"]].concat(), event);
    let id = stored.code(0).json()["runs"][0].clone();
    let waiting = runs(folder.path(), &["--state", "waiting"]);
    assert_eq!((waiting.len(), &waiting[0]["id"]), (1, &id));
    hob(folder.path(), &["run", "recipes/form-to-contact.yaml", "--sandbox", "--once"]).code(0);
    assert_eq!(runs(folder.path(), &["--state", "succeeded"])[0]["id"], id);
    let typo = hob(folder.path(), &["trigger", "form-to-contcat"]).code(2);
    assert!(typo.errors.contains("did you mean `form-to-contact`?"), "{}", typo.errors);
    hob_with(folder.path(), &TRIGGER, "{").code(2);
}

#[test]
fn a_dry_run_reports_and_stores_nothing() {
    let stand_in = StandIn::start();
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let text = stand_in.workspace();
    fs::write(folder.path().join("hob.yaml"), text).unwrap();
    let told = hob(folder.path(), &["run", "--dry-run", "--once"]).code(0).output;
    assert!(told.contains("would send POST") && told.contains("/contacts/upsert"), "{told}");
    assert!(!folder.path().join("state").exists());
    let changed = stand_in.sandbox.log().into_iter().filter(|entry| !entry.changes.is_empty()).count();
    assert_eq!(changed, 0);
}

#[test]
fn failed_runs_and_broken_recipes_have_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    quickstart(folder.path());
    let recipe = "name: fails\ntrigger: { manual: {} }\nactions:\n  - do: contacts.get\n    with: { contactId: nobody }\n";
    fs::write(folder.path().join("recipes/fails.yaml"), recipe).unwrap();
    hob(folder.path(), &["trigger", "fails", "--sandbox"]).code(0);
    let ended = hob(folder.path(), &["run", "recipes/fails.yaml", "--sandbox", "--once"]).code(1);
    assert!(ended.output.contains("1 failed"), "{}", ended.output);
    let failed = runs(folder.path(), &["--state", "failed"]);
    assert!(!failed[0]["error"].as_str().unwrap().is_empty());
    fs::write(folder.path().join("recipes/fails.yaml"), "name: fails\n").unwrap();
    let broken = hob(folder.path(), &ONCE).code(1);
    assert!(broken.errors.contains("fails.yaml:1:"), "{}", broken.errors);
    let left_out = &broken.json()["left_out"];
    assert!(left_out.to_string().contains("recipes/fails.yaml"), "{left_out}");
    let strict = hob(folder.path(), &["run", "--sandbox", "--once", "--strict"]).code(1);
    assert!(strict.output.is_empty(), "{}", strict.output);
}

/// Cursors, dedup keys, links, values, runs and waiting events are all separate.
#[test]
fn nothing_done_in_the_sandbox_is_known_outside() {
    let stand_in = StandIn::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    quickstart(path);
    fs::write(path.join("hob.yaml"), stand_in.workspace()).unwrap();
    let memory = "name: memory\ntrigger: { manual: {} }\nactions:\n  \
        - { id: old, do: state.get, with: { key: k, default: nothing } }\n  \
        - { do: links.find, id: link, with: { name: l, from: a } }\n  \
        - { do: log, with: { message: \"old {{ steps.old }} {{ steps.link }}\" } }\n  \
        - { do: state.put, with: { key: k, value: something } }\n  \
        - { do: links.save, with: { name: l, from: a, to: b } }\n";
    fs::write(path.join("recipes/memory.yaml"), memory).unwrap();
    let event = r#"{"email": "ada@example.com", "name": "Ada"}"#;
    hob_with(path, &TRIGGER, event).code(0);
    hob(path, &["trigger", "memory"]).code(0);
    hob(path, &["trigger", "memory", "--sandbox"]).code(0);
    let waiting = listed(path, &[]);

    let tried = hob(path, &ONCE).code(0).json();
    assert_eq!(listed(path, &[]), waiting, "a real waiting event stays what it is");
    assert!(stand_in.sandbox.log().is_empty(), "nothing was asked of the account");
    assert_eq!(runs(path, &[]).len() as u64, tried["events"].as_u64().unwrap() + 1);

    let real = hob(path, &["run", "--once", "--format", "json"]).code(0).json();
    let records = |summary: &Value| -> Vec<(Value, Value)> {
        let polls = summary["polls"].as_array().unwrap().iter();
        polls.map(|poll| (poll["items"].clone(), poll["events"].clone())).collect()
    };
    assert_eq!(records(&real), records(&tried), "the first poll of the account finds all that there is");
    assert_eq!(listed(path, &["--state", "succeeded", "--recipe", "form-to-contact"]).len(), 1);
    let id = listed(path, &["--recipe", "memory"])[0]["id"].as_str().unwrap().to_owned();
    let shown = hob(path, &["runs", "show", &id]).code(0).output;
    assert!(shown.contains("old nothing") && !shown.contains("old something"), "{shown}");
    assert!(shown.contains("result null"), "the link of the sandbox is not found: {shown}");
    assert!(hob(path, &["runs", "show", &id, "--sandbox"]).code(2).errors.contains("no run"));
    let info =
        |more: &[&str]| hob(path, &[&["store", "info", "--format", "json"], more].concat()).code(0).json();
    assert!(info(&[])["place"].as_str().unwrap().ends_with("state/hob.db"));
    assert!(info(&["--sandbox"])["place"].as_str().unwrap().ends_with("state/sandbox.db"));
}

#[test]
fn the_sandbox_sends_nothing_to_the_outside_by_hand_either() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    hob(path, &["init"]).code(0);
    let recipe = "name: alert\ntrigger: { manual: {} }\nactions:\n  \
        - { id: out, do: http.request, with: { method: POST, url: \"https://alert.invalid/hook\" } }\n  \
        - { do: log, with: { message: \"answered {{ steps.out.status }}\" } }\n";
    fs::write(path.join("recipes/alert.yaml"), recipe).unwrap();
    let id =
        hob(path, &["trigger", "alert", "--sandbox", "--format", "json"]).code(0).json()["runs"][0].clone();
    hob(path, &["run", "recipes/alert.yaml", "--sandbox", "--once"]).code(0);
    let shown = hob(path, &["runs", "show", id.as_str().unwrap(), "--sandbox"]).code(0).output;
    assert!(shown.contains("not sent, as this is a sandbox: POST https://alert.invalid/hook"), "{shown}");
    assert!(shown.contains("answered 200"), "{shown}");
    let hint = hob(path, &["runs", "list"]).code(0).errors;
    assert!(hint.contains("--sandbox lists those of the sandbox"), "{hint}");
    fs::write(path.join("hob.yaml"), "store: sqlite:state/sandbox.db\n").unwrap();
    let told = hob(path, &["validate"]).code(1).output;
    assert!(told.contains("hob.yaml:1:8") && told.contains("where the sandbox keeps its own"), "{told}");
}
