//! `coalesce:` several events of a connector about one record become one run.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::listening::{Listening, listen};
use crate::pause_resume::post;
use crate::program::hob;
use crate::stand_in::StandIn;
use crate::stand_in_workspace::workspace;

const RECIPE: &str = "name: tell
trigger: { webhook: highlevel.ContactUpdate, coalesce: WINDOW }
actions:
  - { do: log, with: { message: \"{{ event.note }} of {{ event.email }}, changed {{ event.changed }}\" } }
";

fn start(stand_in: &StandIn, window: &str) -> tempfile::TempDir {
    let folder = workspace(stand_in, &[&RECIPE.replace("WINDOW", window)]);
    let file = folder.path().join("hob.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let unverified = "server: { webhooks: { highlevel: { unverified: true } } }";
    fs::write(&file, text.replace("server: { metrics: true }", unverified)).unwrap();
    folder
}

/// The webhook of a contact, which must be acknowledged.
fn deliver(listening: &Listening, location: &str, contact: &str, note: &str) {
    deliver_as("ContactUpdate", listening, location, contact, note);
}

fn deliver_as(kind: &str, listening: &Listening, location: &str, contact: &str, note: &str) {
    let body = json!({ "type": kind, "locationId": location, "id": contact, "note": note });
    assert_eq!(post(&listening.address, "/webhooks/highlevel", &body.to_string()), 200);
}

fn listed(folder: &Path) -> Vec<Value> {
    let mut runs =
        hob(folder, &["runs", "list", "--format", "json"]).code(0).json().as_array().unwrap().clone();
    runs.reverse();
    runs
}

fn states(runs: &[Value]) -> Vec<&str> {
    runs.iter().map(|run| run["state"].as_str().unwrap()).collect()
}

/// The runs, oldest first, once none of them waits.
fn ended(folder: &Path) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let runs = listed(folder);
        if states(&runs).iter().all(|state| !["waiting", "running"].contains(state)) {
            return runs;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{runs:?}");
    }
}

/// The ids of the location and of two contacts of the stand-in.
fn contacts(folder: &Path) -> (String, [String; 2]) {
    let make = |email: &str| {
        let told = hob(folder, &["call", "contacts.upsert", &format!("email={email}")]).code(0).json();
        let text = told.to_string();
        let contact = told.get("contact").unwrap_or(&told);
        (
            contact["locationId"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned(),
            contact["id"].as_str().unwrap().to_owned(),
        )
    };
    let ((location, one), (_, two)) = (make("ada@example.com"), make("bob@example.com"));
    (location, [one, two])
}

#[test]
fn events_of_a_record_fall_together_also_after_a_kill() {
    let stand_in = StandIn::start();
    let folder = start(&stand_in, "3s, hydrate: true");
    let path = folder.path();
    let (location, [ada, bob]) = contacts(path);
    let mut listening = listen(path);
    deliver(&listening, &location, &ada, "first");
    deliver(&listening, &location, &bob, "other");
    // Killed within the window, without a chance to write anything.
    listening.child.kill().unwrap();
    listening.child.wait().unwrap();
    assert_eq!(states(&listed(path)), ["waiting", "waiting"]);
    let before = stand_in.sandbox.log().len();
    let mut listening = listen(path);
    deliver(&listening, &location, &ada, "second");
    deliver(&listening, &location, &ada, "third");
    let runs = ended(path);
    listening.child.kill().unwrap();
    listening.child.wait().unwrap();
    let last =
        runs.iter().rposition(|run| run["record"] == json!(ada) && run["state"] == "succeeded").unwrap();
    let id = runs[last]["id"].as_str().unwrap();
    let shown = hob(path, &["runs", "show", id]).code(0).output;
    assert!(shown.contains("info: third of ada@example.com"), "{shown}");
    // However late the machine was, the first event was not dropped: it ran before, or was left to a later one.
    let told: Vec<&str> = runs.iter().filter_map(|run| run["error"].as_str()).collect();
    assert!(!told.is_empty() && told.iter().all(|told| told.starts_with("coalesced into ")), "{told:?}");
    assert!(told.last().unwrap().contains(id), "{told:?}");
    let succeeded = runs.iter().filter(|run| run["state"] == "succeeded").count();
    assert_eq!(runs.len(), 4);
    // Whole records were fetched for what ran, and for nothing else.
    assert_eq!(stand_in.sandbox.log().len() - before, succeeded);
}

#[test]
fn what_was_left_to_a_later_event_has_not_been_seen() {
    let stand_in = StandIn::start();
    let folder = start(&stand_in, "2s");
    let path = folder.path();
    let (location, [ada, _]) = contacts(path);
    let mut listening = listen(path);
    let deliver = |fields: Value| {
        let mut body =
            json!({ "type": "ContactUpdate", "locationId": location, "id": ada, "note": "n", "email": "a" });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(post(&listening.address, "/webhooks/highlevel", &body.to_string()), 200);
    };
    deliver(json!({ "firstName": "a", "city": "a" }));
    ended(path);
    deliver(json!({ "firstName": "b", "city": "a" }));
    deliver(json!({ "firstName": "b", "city": "b" }));
    let runs = ended(path);
    listening.child.kill().unwrap();
    listening.child.wait().unwrap();
    assert_eq!(states(&runs), ["succeeded", "filtered", "succeeded"]);
    let shown = hob(path, &["runs", "show", runs[2]["id"].as_str().unwrap()]).code(0).output;
    assert!(shown.contains("changed since the record was seen before: firstName, city"), "{shown}");
}

#[test]
fn a_deletion_is_not_left_to_an_older_event_that_comes_late() {
    let stand_in = StandIn::start();
    let both = "[highlevel.ContactUpdate, highlevel.ContactDelete]";
    let folder = start(&stand_in, "2s");
    let file = folder.path().join("recipes/0.yaml");
    let text = fs::read_to_string(&file).unwrap().replace("highlevel.ContactUpdate", both);
    fs::write(&file, text.replace("event.email", "event.email | default('nobody')")).unwrap();
    let path = folder.path();
    let (location, [ada, _]) = contacts(path);
    let mut listening = listen(path);
    deliver(&listening, &location, &ada, "first");
    deliver_as("ContactDelete", &listening, &location, &ada, "deletion");
    deliver(&listening, &location, &ada, "late");
    let runs = ended(path);
    listening.child.kill().unwrap();
    listening.child.wait().unwrap();
    let told = runs.iter().filter(|run| run["state"] == "succeeded").map(|run| {
        let shown = hob(path, &["runs", "show", run["id"].as_str().unwrap()]).code(0).output;
        ["first", "deletion", "late"]
            .into_iter()
            .find(|note| shown.contains(&format!("info: {note} of")))
            .unwrap()
    });
    let told: Vec<&str> = told.collect();
    assert!(told.contains(&"deletion") && told.contains(&"late"), "{told:?}");
}
