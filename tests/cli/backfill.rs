//! `hob backfill`: every record that exists comes to the recipe once, however often the command is stopped.

use std::process::Command;
use std::time::{Duration, Instant};

use hob::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::interrupted_backfill::{self, POLL, backfill, runs_by_record, stand_in};
use crate::program::{EndedRun, hob};
use crate::spawn::spawn;
use crate::stand_in_workspace::{ONCE, runs, workspace};

const LONG: Duration = Duration::from_secs(60);

const HOOKS: &str = "name: hooks\ntrigger: { webhook: [highlevel.ContactCreate, highlevel.ContactUpdate] }\n\
    actions:\n  - { do: log, with: { message: \"{{ event.type }} {{ event.email }}\" } }\n";

/// The counts of records read, already known and sent.
fn counts(ended: &EndedRun) -> [usize; 3] {
    let summary = ended.json();
    ["records", "known", "events"].map(|name| usize::try_from(summary[name].as_u64().unwrap()).unwrap())
}

#[test]
fn existing_records_come_once_and_again_only_when_asked() {
    let stand_in = stand_in(30);
    let folder = workspace(&stand_in, &[POLL]);
    let folder = folder.path();
    assert_eq!(hob(folder, &ONCE).code(0).json()["events"], 0, "the recipe starts with what comes");
    assert_eq!(counts(&backfill(folder, &["contacts", "--dry-run"]).code(0)), [30, 0, 30]);
    assert_eq!(runs(folder), Vec::<Value>::new());
    assert_eq!(counts(&backfill(folder, &["contacts"]).code(0)), [30, 0, 30]);
    assert_eq!(hob(folder, &ONCE).code(0).json()["runs"], json!({ "succeeded": 30 }));
    for (arguments, expected) in [
        (&["contacts"][..], [30, 30, 0]),
        (&["contacts", "--dry-run"], [30, 30, 0]),
        (&["contacts", "--again", "--dry-run"], [30, 0, 30]),
        (&["contacts", "--again"], [30, 0, 30]),
        (&["contacts", "--again"], [30, 0, 30]),
    ] {
        assert_eq!(counts(&backfill(folder, arguments).code(0)), expected, "{arguments:?}");
    }
    assert_eq!(hob(folder, &ONCE).code(0).json()["events"], 0, "the poller has kept its position");
    let records = runs_by_record(folder);
    assert!(records.len() == 30 && records.values().all(|runs| *runs == 3), "{records:?}");
    let status = hob(folder, &["status", "--format", "json"]).code(0).json();
    assert_eq!(status["polls"].as_array().unwrap().len(), 1, "{status}");
}

#[test]
fn since_chooses_by_the_time_of_change() {
    let stand_in = stand_in(30);
    let folder = workspace(&stand_in, &[POLL]);
    let contacts = stand_in.sandbox.records("highlevel", "contacts", 30).unwrap();
    let mut times: Vec<&str> =
        contacts.iter().map(|contact| contact["dateUpdated"].as_str().unwrap()).collect();
    times.sort_unstable();
    let newer = times.iter().filter(|time| **time >= times[20]).count();
    let ended = backfill(folder.path(), &["contacts", "--since", times[20]]).code(0);
    assert_eq!(counts(&ended)[1..], [0, newer]);
    assert_eq!(counts(&backfill(folder.path(), &["contacts", "--since", "1s"]).code(0))[2], 0);
}

#[test]
fn webhook_recipes_get_the_records_of_the_list_that_the_catalog_names() {
    let stand_in = stand_in(8);
    let folder = workspace(&stand_in, &[HOOKS]);
    assert_eq!(counts(&backfill(folder.path(), &["hooks"]).code(0)), [8, 0, 8]);
    assert_eq!(hob(folder.path(), &ONCE).code(0).json()["runs"], json!({ "succeeded": 8 }));
    assert_eq!(counts(&backfill(folder.path(), &["hooks"]).code(0)), [8, 8, 0]);
    let id = runs(folder.path())[0]["id"].as_str().unwrap().to_owned();
    let shown = hob(folder.path(), &["runs", "show", &id]).code(0).output;
    assert!(shown.contains("ContactCreate ") && shown.contains("backfill:hooks@"), "{shown}");
}

#[test]
fn what_cannot_be_read_is_told() {
    let stand_in = stand_in(3);
    let recipes = [
        "name: nightly\ntrigger: { manual: {} }\nactions: [{ do: stop }]\n",
        "name: tags\ntrigger: { poll: locations.tags.list }\nactions: [{ do: stop }]\n",
        "name: gone\ntrigger: { poll: fitr.clients.list, emit: [removed] }\nactions: [{ do: stop }]\n",
        "name: deleted\ntrigger: { webhook: highlevel.ContactDelete }\nactions: [{ do: stop }]\n",
        "name: all\ntrigger: { poll: contacts.search, start: all }\nactions: [{ do: stop }]\n",
        POLL,
    ];
    let folder = workspace(&stand_in, &recipes);
    for (arguments, expected) in [
        (&["nightly"][..], "has no list to read"),
        (&["gone"], "has no list to read"),
        (&["deleted"], "has no list to read"),
        (&["all"], "the first poll of `all` takes what exists already"),
        (&["contact"], "did you mean `contacts`?"),
        (&["contacts", "--since", "soon"], "soon"),
        (&["tags", "--since", "7d"], "have no time"),
    ] {
        let ended = backfill(folder.path(), arguments).code(2);
        assert!(ended.errors.contains(expected), "{arguments:?}: {}", ended.errors);
    }
    for status in [403, 401] {
        let what = FaultKind::Status { status, body: None, headers: vec![] };
        stand_in.sandbox.clear_faults();
        stand_in.sandbox.add_fault(Fault { connector: Some("highlevel".into()), what, ..Fault::default() });
        let ended = backfill(folder.path(), &["contacts"]).code(1);
        let summary = ended.json();
        assert!(
            summary["error"].as_str().is_some_and(|error| error.contains(&status.to_string())),
            "{summary}"
        );
        assert_eq!(summary["finished"], false);
    }
}

#[test]
fn a_killed_backfill_continues_where_it_was() {
    let stand_in = stand_in(4000);
    let (what, connector) = (FaultKind::Delay(20), Some("highlevel".to_owned()));
    stand_in.sandbox.add_fault(Fault { connector, what, done: true, ..Fault::default() });
    let folder = workspace(&stand_in, &[POLL]);
    interrupted_backfill::run(&stand_in, folder.path(), 4000);
    let again = backfill(folder.path(), &["contacts"]).code(0);
    assert!(!again.errors.contains("continues"), "{}", again.errors);
    assert_eq!(counts(&again), [4000, 4000, 0]);
}

#[test]
fn a_list_that_ends_too_early_is_not_read_to_its_end() {
    let stand_in = stand_in(500);
    let folder = workspace(&stand_in, &[POLL]);
    let empty = json!({ "contacts": [], "total": 500 });
    let what = FaultKind::Status { status: 200, body: Some(empty), headers: vec![] };
    let glitch =
        Fault { connector: Some("highlevel".into()), after: 2, what, times: Some(1), ..Fault::default() };
    stand_in.sandbox.add_fault(glitch);
    let ended = backfill(folder.path(), &["contacts"]).code(1);
    let summary = ended.json();
    let error = summary["error"].as_str().unwrap();
    assert!(error.contains("page 3") && error.contains("500 records, of which at most 200"), "{error}");
    assert_eq!((&summary["finished"], &summary["events"]), (&json!(false), &json!(200)));
    backfill(folder.path(), &["contacts"]).code(0);
    let runs = runs_by_record(folder.path());
    assert!(runs.len() == 500 && runs.values().all(|runs| *runs == 1), "{}", runs.len());
}

#[test]
fn what_was_filtered_before_is_told() {
    let stand_in = stand_in(20);
    let folder = workspace(&stand_in, &[&POLL.replace("actions:", "when: \"{{ false }}\"\nactions:")]);
    assert_eq!(counts(&backfill(folder.path(), &["contacts"]).code(0)), [20, 0, 20]);
    assert_eq!(hob(folder.path(), &ONCE).code(0).json()["runs"], json!({ "filtered": 20 }));
    for arguments in [&["contacts"][..], &["contacts", "--dry-run"]] {
        let text = hob(folder.path(), &[&["backfill"], arguments].concat()).code(0).output;
        assert!(text.contains("20 had a run already, of which 20 were filtered"), "{text}");
    }
}

#[test]
fn a_record_that_moves_to_a_page_that_was_read_is_not_missed() {
    let stand_in = stand_in(600);
    let (what, connector) = (FaultKind::Delay(300), Some("highlevel".to_owned()));
    stand_in.sandbox.add_fault(Fault { connector, what, done: true, ..Fault::default() });
    let folder = workspace(&stand_in, &[POLL]);
    let contacts = stand_in.sandbox.records("highlevel", "contacts", 600).unwrap();
    let oldest = contacts.iter().min_by_key(|contact| contact["dateUpdated"].as_str()).unwrap();
    let oldest = oldest["id"].as_str().unwrap().to_owned();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("hob"));
    command.args(["backfill", "contacts"]);
    let (mut child, lines) = spawn(command, folder.path());
    let begun = Instant::now();
    while stand_in.sandbox.log().is_empty() {
        assert!(begun.elapsed() < LONG, "the first page is read");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let id = format!("contactId={oldest}");
    hob(folder.path(), &["call", "contacts.update", "--connection", "highlevel", &id, "city=Leeds"]).code(0);
    lines.for_each(drop);
    assert!(child.wait().unwrap().success());
    let records = runs_by_record(folder.path());
    assert!(records.contains_key(&oldest) && records.len() == 600, "{}", records.len());
}
