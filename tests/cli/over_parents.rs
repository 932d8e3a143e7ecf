//! Lists that are polled for each parent, by the program against the sandbox.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, runs, workspace};

const NOTES: &str = "name: notes
trigger:
  poll: fitr.notes.list
  over: { poll: fitr.clients.list }
  with: { client_id: \"{{ parent.id }}\" }
  start: all
actions:
  - { do: log, with: { message: \"{{ event.text }} ({{ event.parent.full_name }})\" } }
";

/// The messages that runs logged.
fn said(folder: &Path) -> Vec<String> {
    let runs = runs(folder);
    let shown = |run: &Value| {
        let id = run["id"].as_str().unwrap();
        hob(folder, &["runs", "show", id, "--format", "json"]).code(0).json().to_string()
    };
    runs.iter().map(shown).collect()
}

/// The requests for lists of clients and of notes so far.
fn requests(stand_in: &StandIn) -> (u64, u64) {
    let (_, totals) = stand_in.sandbox.totals();
    let of = |operation: &str| totals.get(operation).copied().unwrap_or_default();
    (of("fitr.clients.list"), of("fitr.notes.list"))
}

#[test]
fn each_client_is_asked_and_what_is_new_runs_once() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[NOTES]);
    let told = hob(folder.path(), &["validate"]).code(0);
    let text = told.output + &told.errors;
    assert!(text.contains("reads it for each record of `fitr.clients.list`"), "{text}");
    let plan = hob(folder.path(), &["plan", "--once", "--assume", "fitr.clients.list=8"]).code(0).output;
    assert!(plan.contains("fitr.notes.list"), "{plan}");
    let summary = hob(folder.path(), &ONCE).code(0).json();
    assert_eq!(summary["runs"], json!({ "succeeded": 9 }), "{summary}");
    let shown = said(folder.path());
    assert!(shown.iter().any(|run| run.contains("(Rosa Whitfield)")), "{shown:?}");
    let before = requests(&stand_in);
    assert_eq!(before, (1, 8 + 7), "seven clients have notes, whose end is an empty page");

    let note = ["client_id=cl_0qv6rj8s", "text=Asked for a plan"];
    hob(folder.path(), &[&["call", "fitr.notes.create"], &note[..]].concat()).code(0);
    hob(folder.path(), &ONCE).code(0);
    let shown = said(folder.path());
    assert_eq!(shown.len(), 10);
    assert!(shown.iter().any(|run| run.contains("Asked for a plan (Tom Hallworth)")), "{shown:?}");
    let planned = hob(folder.path(), &["plan", "--once", "--format", "json"]).code(0).json();
    let uses = &planned["counters"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["connector"] == "fitr")
        .unwrap()["uses"];
    assert_eq!(uses[0]["calls"]["expected"], json!(17.0), "as many as the last one: {planned}");
    let before = requests(&stand_in);
    hob(folder.path(), &ONCE).code(0);
    let after = requests(&stand_in);
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 16));

    let audit = hob(folder.path(), &["audit", "--format", "json"]).code(0).json();
    let read = &audit["recipes"][0]["lists"][0];
    assert_eq!((&read["records"], &read["requests"]), (&json!(10), &json!(17)), "{audit:#}");
    let status = hob(folder.path(), &["status", "--format", "json"]).code(0).json();
    assert_eq!(status["polls"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!(status["polls"][0]["parents"]["asked"], json!(8), "{status}");
    let text = hob(folder.path(), &["backfill", "notes"]).code(0);
    assert_eq!(runs(folder.path()).len(), 10, "each has a run already: {}", text.output);
}

#[test]
fn another_list_of_parents_begins_anew_and_a_test_gives_the_parent() {
    let stand_in = StandIn::start();
    let text = NOTES.replace("start: all", "start: now");
    let folder = workspace(&stand_in, &[&text]);
    hob(folder.path(), &ONCE).code(0);
    let file = folder.path().join("recipes/0.yaml");
    let narrower = "{ poll: fitr.clients.list, with: { status: Active } }";
    fs::write(&file, text.replace("{ poll: fitr.clients.list }", narrower)).unwrap();
    let ended = hob(folder.path(), &ONCE).code(0);
    assert_eq!(ended.errors.matches("polls something else now").count(), 1, "{}", ended.errors);
    assert_eq!(runs(folder.path()).len(), 0);
    let test = "tests:
  - name: a note
    event: { id: n1, text: Knee, parent: { id: c1, full_name: Rosa } }
";
    fs::write(folder.path().join("recipes/0.test.yaml"), test).unwrap();
    hob(folder.path(), &["test"]).code(0);
}

/// Makes a note of a client.
const MAKER: &str = "name: maker
trigger: { manual: {} }
actions:
  - { do: fitr.notes.create, with: { client_id: cl_0qv6rj8s, text: '{{ event.text }}' } }
";

#[test]
fn a_record_that_hob_made_below_a_parent_is_an_echo() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[&NOTES.replace("start: all", "start: now"), MAKER]);
    hob(folder.path(), &ONCE).code(0);
    hob_with(folder.path(), &["trigger", "maker", "--event", "-"], "{\"text\": \"Made by hob\"}").code(0);
    hob(folder.path(), &ONCE).code(0);
    hob(folder.path(), &ONCE).code(0);
    let of_notes: Vec<Value> =
        runs(folder.path()).into_iter().filter(|run| run["recipe"] == "notes").collect();
    let [echo] = of_notes.as_slice() else { panic!("{of_notes:#?}") };
    assert_eq!(
        (&echo["state"], echo["record"].as_str().unwrap().contains('/')),
        (&json!("suppressed"), true)
    );
    // A person's note of the same client is none.
    hob(folder.path(), &["call", "fitr.notes.create", "client_id=cl_0qv6rj8s", "text=By hand"]).code(0);
    hob(folder.path(), &ONCE).code(0);
    assert!(said(folder.path()).iter().any(|run| run.contains("By hand (Tom Hallworth)")));
}
