//! The program is killed while it works, and started again.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use hob::connection::http_client;
use serde_json::json;

use crate::listening::{Listening, listen};
use crate::program::hob;
use crate::stand_in::StandIn;

const EVENTS: usize = 200;
const RECIPE: &str = "name: form
trigger: { webhook: /form, verify: none, id: $.number }
lane: \"{{ event.number % 16 }}\"
actions:
  - id: contact
    do: contacts.upsert
    with: { email: \"form-{{ event.number }}@example.com\" }
  - do: contacts.tags.add
    with: { contactId: \"{{ steps.contact.id }}\", tags: [form] }
  - do: contacts.notes.create
    with: { contactId: \"{{ steps.contact.id }}\", body: \"Form {{ event.number }}\" }
";

#[test]
fn every_accepted_event_ends_in_a_finished_run_after_a_kill() {
    let stand_in = StandIn::start();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("recipes/form.yaml"), RECIPE).unwrap();
    fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();

    let Listening { mut child, address } = listen(folder.path());
    let client = http_client(&Default::default()).unwrap();
    let accepted = stand_in.runtime.block_on(async {
        let mut accepted = 0;
        for number in 0..EVENTS {
            let posted = client.post(format!("{address}/webhooks/form")).json(&json!({ "number": number }));
            accepted += usize::from(posted.send().await.unwrap().status().is_success());
        }
        accepted
    });
    assert_eq!(accepted, EVENTS);
    // In the middle: some runs are done, some are under way, some have not begun.
    let begun = Instant::now();
    stand_in.runtime.block_on(async {
        while stand_in.sandbox.totals().0 < EVENTS as u64 {
            assert!(begun.elapsed() < Duration::from_secs(60), "the runs do not get on");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let unfinished = hob(folder.path(), &["runs", "list", "--limit", "0", "--format", "json"]).code(0).json();
    let open = |run: &&serde_json::Value| run["finished"].is_null();
    let unfinished = unfinished.as_array().unwrap().iter().filter(open).count();
    assert!(unfinished > 0, "all runs had ended before the kill: nothing was tried");

    let ended = hob(folder.path(), &["run", "--once", "--format", "json"]);
    let parked = hob(folder.path(), &["runs", "list", "--state", "parked"]).output;
    assert_eq!(ended.code, 0, "{}\n{}\n{parked}", ended.output, ended.errors);
    let listed = hob(folder.path(), &["runs", "list", "--limit", "0", "--format", "json"]).code(0).json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), EVENTS);
    for run in listed {
        assert_eq!(run["state"], "succeeded", "{run}");
    }
    let changes = stand_in.sandbox.log().into_iter().flat_map(|entry| entry.changes);
    let created = changes
        .filter(|change| change.collection == "notes" && change.kind == hob::sandbox::ChangeKind::Created);
    assert_eq!(created.count(), EVENTS, "each note is created exactly once");
}

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
