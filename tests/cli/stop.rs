//! Stopping the program.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::listening::{Listening, listen};
use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;

const RECIPE: &str = "name: form
trigger: { webhook: /form, verify: none, id: $.number }
actions:
  - do: contacts.upsert
    with: { email: \"form-{{ event.number }}@example.com\" }
";

#[test]
fn a_stop_signal_ends_it_well_and_in_time() {
    let stand_in = StandIn::start();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("recipes/form.yaml"), RECIPE).unwrap();
    fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
    let Listening { mut child, .. } = listen(folder.path());
    let begun = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10));
    // The store is free again.
    hob(folder.path(), &["run", "--once"]).code(0);
}

fn signal(child: &std::process::Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn the_end_of_its_terminal_ends_it_as_well() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    let recipe = "name: hand\ntrigger: { manual: {} }\nactions: [{ do: log, with: { message: m } }]\n";
    fs::write(folder.path().join("recipes/hand.yaml"), recipe).unwrap();
    fs::write(folder.path().join("hob.yaml"), "").unwrap();
    let Listening { mut child, .. } = listen(folder.path());
    signal(&child, "-HUP");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Requests in progress are finished first, unless the user asks twice.
#[test]
fn a_second_signal_stops_at_once() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    let recipe = format!(
        "name: hand\ntrigger: {{ manual: {{}} }}\nactions: [{{ do: http.request, with: {{ method: POST, url: 'http://{}/' }} }}]\n",
        silent.local_addr().unwrap()
    );
    fs::write(folder.path().join("recipes/hand.yaml"), recipe).unwrap();
    fs::write(folder.path().join("hob.yaml"), "").unwrap();
    let Listening { mut child, .. } = listen(folder.path());
    hob(folder.path(), &["trigger", "hand"]).code(0);
    // It is in flight and never answered.
    let (_kept, _) = silent.accept().unwrap();
    let begun = Instant::now();
    signal(&child, "-INT");
    // Until the first signal is noticed, the second one is merged with it.
    let log =
        || hob(folder.path(), &["runs", "list", "--state", "running", "--format", "json"]).code(0).json();
    assert_eq!(log().as_array().unwrap().len(), 1);
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

/// Requests waiting for the budget, or for an answer to a read, are requeued at once.
#[test]
fn waiting_for_the_budget_does_not_delay_a_stop() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (operation, inputs) in [
        ("contacts.create", "email: '{{ event.n }}@example.com'"),
        ("contacts.get", "contactId: '{{ event.n }}'"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("recipes")).unwrap();
        let recipe = format!(
            "name: hand\ntrigger: {{ manual: {{}} }}\nactions: [{{ do: {operation}, with: {{ {inputs} }} }}]\n"
        );
        fs::write(folder.path().join("recipes/hand.yaml"), recipe).unwrap();
        let studio = format!(
            "connections: {{ studio: {{ connector: highlevel, location: l, auth: {{ token: pit-1234567 }}, \
             base_url: 'http://{}', budget: {{ burst: 1/30s }} }} }}\n",
            silent.local_addr().unwrap()
        );
        fs::write(folder.path().join("hob.yaml"), studio).unwrap();
        let Listening { mut child, .. } = listen(folder.path());
        for n in ["a", "b"] {
            hob_with(folder.path(), &["trigger", "hand", "--event", "-"], &format!("{{\"n\": \"{n}\"}}"))
                .code(0);
        }
        // One is in flight, the other waits.
        let (under_way, _) = silent.accept().unwrap();
        let running =
            || hob(folder.path(), &["runs", "list", "--state", "running", "--format", "json"]).json();
        while running().as_array().unwrap().len() < 2 {}
        signal(&child, "-INT");
        if operation == "contacts.create" {
            // It is answered during the grace period; the other one is requeued before that.
            let waiting =
                || hob(folder.path(), &["runs", "list", "--state", "waiting", "--format", "json"]).json();
            while waiting().as_array().unwrap().is_empty() {}
        }
        drop(under_way);
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let listed = hob(folder.path(), &["runs", "list", "--format", "json"]).code(0).json();
        let states: Vec<&Value> = listed.as_array().unwrap().iter().map(|run| &run["state"]).collect();
        assert!(states.iter().all(|state| **state == json!("waiting")), "{operation}: {listed}");
    }
}
