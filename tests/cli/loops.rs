//! Three recipes that start each other for ever, without comparing anything themselves.

use std::path::Path;

use serde_json::{Value, json};

use crate::listening::Running;
use crate::program::hob;
use crate::stand_in::StandIn;
use crate::stand_in_workspace::workspace;
use crate::waiting_runs::wait_until;

/// The stages that a contact goes through in turn.
const STAGES: [&str; 3] = ["one", "two", "three"];

/// A recipe that moves a contact from a stage to the next one.
fn mover(at: usize, more: &str) -> String {
    let (stage, next) = (STAGES[at], STAGES[(at + 1) % 3]);
    format!(
        "name: from-{stage}
trigger: {{ poll: contacts.search, every: 1s, emit: [changed] }}
when: \"{{{{ event.city == '{stage}' }}}}\"
{more}actions:
  - {{ do: contacts.update, with: {{ contactId: \"{{{{ event.id }}}}\", city: {next} }} }}
"
    )
}

fn movers(stand_in: &StandIn, more: &str) -> tempfile::TempDir {
    let recipes: Vec<String> = (0..3).map(|at| mover(at, more)).collect();
    workspace(stand_in, &recipes.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Runs that passed the condition, oldest first.
fn runs(folder: &Path) -> Vec<Value> {
    let listed = hob(folder, &["runs", "list", "--limit", "0", "--format", "json"]).code(0).json();
    let mut runs = listed.as_array().unwrap().clone();
    runs.retain(|run| run["state"] != "filtered");
    runs.reverse();
    runs
}

fn states(runs: &[Value]) -> Vec<&str> {
    runs.iter().map(|run| run["state"].as_str().unwrap()).collect()
}

/// Lets a contact enter the first stage while hob runs, and waits until `is_over`.
fn enter(stand_in: &StandIn, folder: &Path, is_over: impl Fn(&[Value]) -> bool) -> String {
    // What exists is known before anything changes.
    hob(folder, &["run", "--once"]).code(0);
    let contact = stand_in.sandbox.records("highlevel", "contacts", 1).unwrap()[0]["id"].clone();
    hob(
        folder,
        &["call", "contacts.update", "--with", &json!({ "contactId": contact, "city": "one" }).to_string()],
    )
    .code(0);
    let _running = Running::start(folder);
    wait_until("the loop is over", || is_over(&runs(folder)));
    contact.as_str().unwrap().to_owned()
}

fn warnings(folder: &Path) -> Vec<Value> {
    let found = hob(folder, &["validate", "--format", "json"]).code(0).json();
    found.as_array().unwrap().iter().filter(|found| found["code"] == "recipe-cycle").cloned().collect()
}

#[test]
fn a_loop_of_three_recipes_is_warned_of_and_ends_at_the_first_echo() {
    let stand_in = StandIn::start();
    let folder = movers(&stand_in, "");
    let warned = warnings(folder.path());
    let text = serde_json::to_string(&warned).unwrap();
    assert!(
        text.contains("start each other by what they write") && text.contains("suppression of echoes"),
        "{text}"
    );
    enter(&stand_in, folder.path(), |runs| states(runs).contains(&"suppressed"));
    let runs = runs(folder.path());
    assert_eq!(states(&runs)[0], "succeeded", "{runs:#?}");
    assert!(states(&runs)[1..].iter().all(|state| *state == "suppressed"), "{runs:#?}");
}

#[test]
fn a_loop_that_is_forced_is_stopped_after_five_runs_of_the_record() {
    let stand_in = StandIn::start();
    let folder = movers(&stand_in, "echo: allow\n");
    let warned = warnings(folder.path());
    assert_eq!(warned.len(), 3, "each starts itself as well: {warned:#?}");
    for warning in &warned {
        let text = warning.to_string();
        assert!(text.contains("writes what starts it") && text.contains("`echo: allow` is set"), "{text}");
    }
    let contact = enter(&stand_in, folder.path(), |runs| states(runs).contains(&"parked"));
    let runs = runs(folder.path());
    // All recipes that the record would start again are parked.
    assert!(runs.len() <= 5 + 3, "{runs:#?}");
    assert_eq!(states(&runs)[..5], ["succeeded"; 5], "{runs:#?}");
    assert!(states(&runs)[5..].iter().all(|state| *state == "parked"), "{runs:#?}");
    assert!(runs.iter().all(|run| run["record"] == *contact), "{runs:#?}");
    // The chain of the runs that made the loop, in order.
    let reason = runs[5]["error"].as_str().unwrap();
    let places: Vec<Option<usize>> =
        runs[..5].iter().map(|run| reason.find(run["id"].as_str().unwrap())).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{reason}");
    let status = hob(folder.path(), &["status"]).output;
    assert!(status.contains(runs[5]["id"].as_str().unwrap()), "{status}");
    let sent = stand_in.sandbox.log();
    let writes = sent.iter().filter(|entry| entry.method == "PUT" && entry.path.contains(&contact)).count();
    assert_eq!(writes, 1 + 5, "the person's and those of five runs");
}
