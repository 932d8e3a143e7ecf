//! A connection with a refused credential is held, visibly, and continues by itself.

use std::time::{Duration, Instant};

use hob::connection::http_client;
use hob::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::listening::{Listening, listen};
use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, runs, workspace};

const POLL: &str = "name: poll\ntrigger: { poll: contacts.search, every: 5m, start: all }\nactions:\n  \
                    - { do: log, with: { message: seen } }\n";
const MANUAL_RECIPE: &str = "name: hand\ntrigger: { manual: {} }\nactions:\n  \
                    - { do: contacts.upsert, with: { email: \"{{ event.email }}\" }, retry: { backoff: 10ms..20ms } }\n";
const WEBHOOK_RECIPE: &str = "name: hook\ntrigger: { webhook: /hook, verify: none }\nactions:\n  \
                    - { do: contacts.upsert, with: { email: \"{{ event.email }}\" } }\n";

fn refuse(stand_in: &StandIn, message: &str, times: Option<u32>) {
    let body = Some(json!({ "statusCode": 401, "message": message }));
    let what = FaultKind::Status { status: 401, body, headers: vec![] };
    let connector = Some("highlevel".to_owned());
    stand_in.sandbox.add_fault(Fault { connector, times, what, ..Fault::default() });
}

fn trigger(folder: &std::path::Path, email: &str) {
    let event = json!({ "email": email }).to_string();
    hob_with(folder, &["trigger", "hand", "--event", "-"], &event).code(0);
}

#[test]
fn once_exits_with_a_problem_and_the_next_start_continues() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[POLL, MANUAL_RECIPE]);
    trigger(folder.path(), "held@example.com");
    refuse(&stand_in, "Invalid JWT", None);
    let begun = Instant::now();
    let ended = hob(folder.path(), &ONCE).code(1);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let summary = ended.json();
    assert_eq!(summary["held"][0]["connection"], "highlevel", "{summary}");
    assert_eq!(summary["runs"], json!({}), "none has failed");
    assert_eq!(ended.errors.matches("is held").count(), 1, "{}", ended.errors);
    let listed = runs(folder.path());
    let why = listed[0]["error"].as_str().unwrap();
    assert_eq!((listed.len(), &listed[0]["state"]), (1, &json!("waiting")));
    assert!(why.contains("connection `highlevel` is held: 401 Unauthorized: Invalid JWT"), "{why}");
    let connections = || hob(folder.path(), &["connections", "--format", "json"]).code(0).json();
    let held = |rows: &Value| {
        rows.as_array().unwrap().iter().find(|row| row["name"] == "highlevel").unwrap()["held"].clone()
    };
    assert_eq!(held(&connections())["reason"], json!(why));
    let text = hob(folder.path(), &["run", "--once"]).code(1).output;
    assert!(text.contains("is held") && !text.contains("--state failed"), "{text}");

    stand_in.sandbox.clear_faults();
    hob(folder.path(), &ONCE).code(0);
    let listed = runs(folder.path());
    assert!(listed.len() > 1 && listed.iter().all(|run| run["state"] == "succeeded"), "{listed:?}");
    assert_eq!(held(&connections()), Value::Null);
}

#[test]
fn a_service_finds_out_by_itself_that_the_credential_works_again() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[WEBHOOK_RECIPE]);
    refuse(&stand_in, "Invalid JWT", None);
    let Listening { mut child, address } = listen(folder.path());
    let client = http_client(&Default::default()).unwrap();
    let get = |path: &str| {
        let asked = client.get(format!("{address}{path}"));
        stand_in.runtime.block_on(async { asked.send().await.unwrap().text().await.unwrap() })
    };
    let until = |what: &str, done: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < Duration::from_secs(120), "{what} never happens");
            std::thread::park_timeout(Duration::from_millis(50));
        }
    };
    for number in 0..3 {
        let posted = client.post(format!("{address}/webhooks/hook"));
        let posted = posted.json(&json!({ "email": format!("held-{number}@example.com") }));
        stand_in.runtime.block_on(async { posted.send().await.unwrap().error_for_status().unwrap() });
    }
    until("the hold", &|| get("/metrics").contains("hob_connection_held{connection=\"highlevel\"} 1"));
    until("the wait", &|| runs(folder.path()).iter().all(|run| run["state"] == "waiting"));
    stand_in.sandbox.clear_faults();
    until("the end", &|| runs(folder.path()).iter().all(|run| run["state"] == "succeeded"));
    until("the release", &|| !get("/metrics").contains("hob_connection_held{"));
    let sent = stand_in.sandbox.log().iter().filter(|entry| entry.path.contains("upsert")).count();
    assert!(sent < 12, "{sent} requests for three runs");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_time_out_in_disguise_is_tried_again() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[MANUAL_RECIPE]);
    trigger(folder.path(), "late@example.com");
    refuse(&stand_in, "Command timed out", Some(1));
    let summary = hob(folder.path(), &ONCE).code(0).json();
    assert_eq!((&summary["runs"], &summary["held"]), (&json!({ "succeeded": 1 }), &json!([])));
}
