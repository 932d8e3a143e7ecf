//! Problems are told by cause, and a cause is mended, retried, skipped or resolved with all of its runs.

use std::fs;
use std::path::Path;

use hob::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::program::hob;
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, runs, trigger, workspace};

const FIND: &str = "name: find
connections: { highlevel: highlevel }
trigger: { manual: {} }
actions:
  - id: look
    do: contacts.get
    with: { contactId: \"{{ event.id }}\" }
";

fn problems(folder: &Path) -> Vec<Value> {
    let status = hob(folder, &["status", "--format", "json"]).code(0).json();
    assert_eq!(status["problems_complete"], true, "{status:#}");
    status["problems"].as_array().unwrap().clone()
}

fn in_state(folder: &Path, state: &str) -> usize {
    runs(folder).iter().filter(|run| run["state"] == state).count()
}

#[test]
fn a_cause_is_told_once_with_its_place_and_retried_with_all_its_runs() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[FIND]);
    let path = folder.path();
    for id in ["nobody1k2v9qwe", "nobody7t3z4asd", "nobody5r8u6yxc"] {
        trigger(path, "find", &json!({ "id": id }));
    }
    hob(path, &ONCE).code(1);
    let found = problems(path);
    assert_eq!(found.len(), 1, "{found:#?}");
    let problem = &found[0];
    let expected = json!(["failed", "find", "look", "contacts.get", 3, ["highlevel"], "recipes/0.yaml", 6]);
    let fields = ["kind", "recipe", "step", "operation", "runs", "connections"];
    let told: Vec<&Value> = fields
        .iter()
        .map(|field| &problem[*field])
        .chain([&problem["place"]["file"], &problem["place"]["line"]])
        .collect();
    assert_eq!(json!(told), expected, "{problem:#}");
    assert!(problem["status"].as_u64().is_some_and(|status| (400..500).contains(&status)), "{problem:#}");
    let cause = problem["cause"].as_str().unwrap();

    let page = hob(path, &["status"]).code(0).output;
    for part in ["Problems\n  find: step `look`: 4", "3 runs failed", "at recipes/0.yaml:6:", cause] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // Every command that it names is one, and takes a dry run or lists.
    let commands = problem["commands"].as_array().unwrap();
    assert!(commands.len() == 3, "{problem:#}");
    for command in commands {
        let words: Vec<&str> = command.as_str().unwrap().split(' ').skip(1).collect();
        let dry = if words.contains(&"list") { vec!["--format", "json"] } else { vec!["--dry-run"] };
        let told = hob(path, &[words, dry].concat()).code(0).output;
        assert!(told.contains("3 would be ") || told.matches("\"id\"").count() == 3, "{command}: {told}");
    }
    assert_eq!(in_state(path, "failed"), 3, "nothing has changed");

    let of_another = FIND.replace("name: find", "name: other").replace("event.id", "event.nothing");
    fs::write(path.join("recipes/other.yaml"), of_another).unwrap();
    trigger(path, "other", &json!({}));
    hob(path, &ONCE).code(1);
    assert_eq!(problems(path).len(), 2);
    let start = &cause[..cause.len() - 2];
    let retried = hob(path, &["runs", "retry", "--cause", start, "--format", "json"]).code(0).json();
    assert_eq!(retried.as_array().unwrap().len(), 3, "{retried}");
    assert_eq!((in_state(path, "waiting"), in_state(path, "failed")), (3, 1));
    let gone = hob(path, &["runs", "retry", "--cause", cause]).code(2).errors;
    assert!(gone.contains("`hob status` lists causes"), "{gone}");
}

#[test]
fn parked_runs_come_first_with_what_they_hold_up() {
    let stand_in = StandIn::start();
    let example = stand_in.sandbox.example("conversations.messages.send").expect("an example");
    let with = Value::Object(example).to_string();
    let send = format!(
        "name: send\ntrigger: {{ manual: {{}} }}\nlane: one\nconnections: {{ highlevel: highlevel }}\nactions:\n\
         - {{ id: message, do: conversations.messages.send, with: {with} }}\n"
    );
    let folder = workspace(&stand_in, &[FIND, &send]);
    let path = folder.path();
    stand_in.sandbox.add_fault(Fault {
        operation: Some("conversations.messages.send".into()),
        what: FaultKind::Close,
        times: Some(1),
        done: true,
        ..Fault::default()
    });
    for _ in 0..3 {
        trigger(path, "send", &json!({}));
    }
    trigger(path, "find", &json!({ "id": "nobody" }));
    hob(path, &ONCE).code(1);
    let found = problems(path);
    let kinds: Vec<&Value> = found.iter().map(|problem| &problem["kind"]).collect();
    assert_eq!(kinds, ["parked", "failed"], "{found:#?}");
    let parked = &found[0];
    assert_eq!(
        (&parked["runs"], &parked["behind"], &parked["step"]),
        (&json!(1), &json!(2), &json!("message"))
    );
    assert!(parked["summary"].as_str().unwrap().contains("2 runs held up behind"), "{parked:#}");
    let cause = parked["cause"].as_str().unwrap();

    let preview = hob(path, &["runs", "retry", "--cause", cause, "--dry-run"]).code(1).output;
    assert!(preview.contains("0 would be retried"), "{preview}");
    assert!(preview.contains("1 stays parked, because it is parked: hob cannot tell"), "{preview}");
    let resolve = ["runs", "resolve", "--cause", cause, "--did-not"];
    let preview = hob(path, &[&resolve[..], &["--dry-run"]].concat()).code(0).output;
    assert!(preview.contains("1 would be resolved: 1 of send"), "{preview}");
    assert_eq!(in_state(path, "parked"), 1);
    hob(path, &resolve).code(0);
    hob(path, &ONCE).code(0);
    assert_eq!((in_state(path, "parked"), in_state(path, "succeeded")), (0, 3));
    assert_eq!(problems(path).len(), 1);
}

#[test]
fn short_ids_are_taken_by_every_command() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[FIND]);
    let path = folder.path();
    for _ in 0..4 {
        trigger(path, "find", &json!({ "id": "nobody" }));
    }
    hob(path, &ONCE).code(1);
    let whole: Vec<String> = runs(path).iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect();
    let listed = hob(path, &["runs", "list"]).code(0).output;
    let short: Vec<&str> = listed.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(short.len(), whole.len(), "{listed}");
    for (short, whole) in short.iter().zip(&whole) {
        let bare = whole.strip_prefix("run_").unwrap();
        assert!(bare.starts_with(short) && (12..bare.len()).contains(&short.len()), "{short}: {whole}");
        let shown = hob(path, &["runs", "show", short, "--format", "json"]).code(0).json();
        assert_eq!(shown["id"], **whole);
        let told = hob(path, &["runs", "retry", short, "--dry-run", "--format", "json"]).code(0).json();
        assert_eq!(told[0]["id"], **whole);
    }
    hob(path, &["runs", "skip", short[0]]).code(0);
    assert_eq!(in_state(path, "skipped"), 1);
}
