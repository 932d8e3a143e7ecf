//! `hob connections` shows what is left of each connection's budget, and what waits for it.

use hob::sandbox::{Budget, Options};
use serde_json::{Value, json};

use crate::program::{hob, hob_with};
use crate::stand_in::{StandIn, built_in};
use crate::stand_in_workspace::{ONCE, workspace};

const POLL: &str = "name: poll\ntrigger: { poll: contacts.search, every: 1m..15m, start: all }\nactions:\n\
    - { do: contacts.get, with: { contactId: \"{{ event.id }}\" } }\n";
const HAND: &str = "name: hand\ntrigger: { manual: {} }\nactions:\n\
    - { do: contacts.get, with: { contactId: \"{{ event.id }}\" } }\n";

fn budget(rows: &Value, name: &str) -> Value {
    let row = rows.as_array().unwrap().iter().find(|row| row["name"] == name);
    row.unwrap()["budget"].clone()
}

#[test]
fn connections_show_what_is_used_left_and_waiting() {
    let budget_of_60 = Budget::Limited { requests: 1000, interval_ms: 1000, daily: 60 };
    let options = Options { budget: budget_of_60, records: Some(100), log: usize::MAX, ..Options::default() };
    let stand_in = StandIn::with(built_in(), options);
    let folder = workspace(&stand_in, &[POLL, HAND]);
    let folder = folder.path();
    let connections = || hob(folder, &["connections", "--format", "json"]).code(0).json();

    let before = budget(&connections(), "highlevel");
    assert_eq!(before["daily"]["limit"], 200_000, "as the connector says: {before:#}");
    assert_eq!(before["daily"]["reserve"], 2_000, "{before:#}");
    assert_eq!((&before["daily"]["used"], &before["burst"]["limit"]), (&Value::Null, &json!("100000/1s")));

    // The day ends in the middle of the runs.
    hob(folder, &ONCE);
    let after = budget(&connections(), "highlevel");
    let daily = &after["daily"];
    assert_eq!((&daily["limit"], &daily["learned"]), (&json!(60), &json!(true)), "{after:#}");
    assert_eq!((&daily["used"], &daily["remaining"]), (&json!(60), &json!(0)), "{after:#}");
    assert_eq!(daily["reserve"], 0, "too few to divide: {after:#}");
    assert!(daily["resets"].is_string() && daily["runs_dry"].is_string(), "{after:#}");
    let waiting = after["waiting_runs"].as_u64().unwrap();
    assert!((40..60).contains(&waiting), "{after:#}");
    hob_with(folder, &["trigger", "hand", "--event", "-"], "{\"id\": \"x\"}").code(0);
    assert_eq!(budget(&connections(), "highlevel")["waiting_runs"], waiting + 1);

    let text = hob(folder, &["connections"]).code(0).output;
    assert!(
        text.contains("KEPT") && text.contains("RUNS DRY") && text.contains(&format!("{} runs", waiting + 1)),
        "{text}"
    );
    let status = hob(folder, &["status", "--format", "json"]).code(0).json();
    let poll = &status["polls"][0];
    assert_eq!((&poll["quiet_polls"], &poll["interval"]), (&json!(0), &json!(60.0)), "{poll:#}");
    let text = hob(folder, &["status"]).code(0).output;
    assert!(text.contains("every 60 s, the last poll found something"), "{text}");
}

#[test]
fn connections_on_one_counter_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let account =
        |token: &str| format!("{{ connector: highlevel, location: here, auth: {{ token: {token} }} }}");
    let text = format!("connections:\n  one: {}\n  two: {}\n", account("t-11111111"), account("t-22222222"));
    std::fs::write(folder.path().join("hob.yaml"), text).unwrap();
    let rows = hob(folder.path(), &["connections", "--format", "json"]).code(0).json();
    assert_eq!(budget(&rows, "one")["shared_with"], json!(["two"]));
    assert_eq!(budget(&rows, "two")["shared_with"], json!(["one"]));
}
