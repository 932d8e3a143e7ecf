//! The path of a run: what each step did and waited for, and why others did not run.

use std::path::Path;

use hob::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::program::hob;
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, runs, trigger, workspace};

const RECIPE: &str = "name: form
connections: { highlevel: highlevel }
trigger: { manual: {} }
when: \"{{ event.email }}\"
lane: one
vars: { mail: \"{{ event.email | lower }}\" }
actions:
  - id: contact
    do: contacts.upsert
    with: { email: \"{{ vars.mail }}\" }
  - id: rich
    do: log
    if: \"{{ event.amount > 100 }}\"
    with: { message: rich }
  - id: look
    do: contacts.get
    with: { contactId: \"{{ event.id }}\" }
  - { id: after, do: log, with: { message: after } }
";

fn trace(folder: &Path, place: usize) -> (Value, String) {
    let run = runs(folder)[place]["id"].as_str().unwrap().to_owned();
    let traced = hob(folder, &["runs", "show", &run, "--trace", "--format", "json"]).code(0).json();
    (traced, hob(folder, &["runs", "show", &run, "--trace"]).code(0).output)
}

#[test]
fn a_failed_run_shows_its_path() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[RECIPE]);
    let path = folder.path();
    // Told to come back, then failed once: a wait for the API, and one for another attempt.
    for (status, headers) in [(429, vec![("retry-after".to_owned(), "1".to_owned())]), (500, vec![])] {
        stand_in.sandbox.add_fault(Fault {
            operation: Some("contacts.upsert".into()),
            what: FaultKind::Status { status, body: None, headers },
            times: Some(1),
            ..Fault::default()
        });
    }
    trigger(path, "form", &json!({ "email": "Ann@example.com", "amount": 7, "id": "nobody" }));
    while runs(path)[0]["state"] == "waiting" {
        hob(path, &ONCE);
    }
    let (traced, page) = trace(path, 0);
    assert_eq!((&traced["state"], &traced["vars"]["mail"]), (&json!("failed"), &json!("ann@example.com")));
    let steps = traced["steps"].as_array().unwrap();
    let told: Vec<(&str, &str)> = steps
        .iter()
        .map(|step| (step["step"].as_str().unwrap(), step["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [("contact", "done"), ("rich", "skipped"), ("look", "failed"), ("after", "not_reached")]
    );
    let kinds: Vec<&str> =
        steps[0]["spans"].as_array().unwrap().iter().map(|span| span["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["attempt", "api", "attempt", "retry", "attempt"], "{:#}", steps[0]);
    assert!(steps[0]["spans"].as_array().unwrap().iter().all(|span| span["to"].is_string()));
    assert_eq!((&steps[0]["attempts"], &steps[0]["inputs"]["email"]), (&json!(2), &json!("ann@example.com")));
    assert!(
        steps[1]["reason"].as_str().unwrap().contains("{{ event.amount > 100 }} is false"),
        "{:#}",
        steps[1]
    );
    assert_eq!(steps[2]["inputs"], json!({ "contactId": "nobody" }), "what a read asked for that failed");
    assert_eq!(steps[2]["place"]["line"], 16);
    for part in [
        "contacts.upsert done, 2 attempts",
        "for the API, which said to wait",
        "for another attempt",
        "log skipped",
        "{{ event.amount > 100 }} is false",
        "contacts.get failed",
        "log not reached",
        "mail = \"ann@example.com\"",
        "█",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn what_did_not_run_says_why() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[RECIPE]);
    let path = folder.path();
    trigger(path, "form", &json!({ "email": "", "amount": 7, "id": "nobody" }));
    hob(path, &ONCE).code(0);
    let (traced, page) = trace(path, 0);
    assert_eq!(traced["state"], "filtered");
    assert!(
        traced["reason"].as_str().unwrap().contains("`when` is not met: {{ event.email }} is "),
        "{traced:#}"
    );
    assert!(page.contains("`when` is not met"), "{page}");

    for _ in 0..2 {
        trigger(path, "form", &json!({ "email": "a@example.com", "amount": 7, "id": "nobody" }));
    }
    let (traced, page) = trace(path, 0);
    let ahead = runs(path)[1]["id"].clone();
    assert_eq!((&traced["behind"], &traced["began"]), (&ahead, &Value::Null));
    assert!(page.contains(&format!("waits in its lane behind {}", ahead.as_str().unwrap())), "{page}");
    let (first, _) = trace(path, 1);
    assert_eq!(first["behind"], Value::Null);
}
