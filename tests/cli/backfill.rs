//! `hob backfill`: every record that exists comes to the recipe once, however often the command is stopped.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use hob::sandbox::{Budget, Fault, FaultKind, Options};
use serde_json::{Value, json};

use crate::connection_holds::{ONCE, runs, workspace};
use crate::program::{EndedRun, hob};
use crate::spawn::spawn;
use crate::stand_in::{StandIn, built_in};

const LONG: Duration = Duration::from_secs(60);

const POLL: &str = "name: contacts\ntrigger: { poll: contacts.search, every: 1h }\nactions:\n  \
    - { do: log, with: { message: \"{{ event.email }}\" } }\n";
const HOOKS: &str = "name: hooks\ntrigger: { webhook: [highlevel.ContactCreate, highlevel.ContactUpdate] }\n\
    actions:\n  - { do: log, with: { message: \"{{ event.type }} {{ event.email }}\" } }\n";

fn stand_in(records: usize) -> StandIn {
    let options =
        Options { budget: Budget::Unlimited, records: Some(records), log: usize::MAX, ..Options::default() };
    StandIn::with(built_in(), options)
}

fn backfill(folder: &Path, arguments: &[&str]) -> EndedRun {
    hob(folder, &[&["backfill", "--format", "json"], arguments].concat())
}

/// The counts of records read, already known and sent.
fn counts(ended: &EndedRun) -> [u64; 3] {
    let summary = ended.json();
    ["records", "known", "events"].map(|name| summary[name].as_u64().unwrap())
}

/// How many runs there are by record.
fn runs_by_record(folder: &Path) -> BTreeMap<String, usize> {
    let listed = hob(folder, &["runs", "list", "--limit", "0", "--format", "json"]).code(0).json();
    let mut records = BTreeMap::new();
    for run in listed.as_array().unwrap() {
        *records.entry(run["record"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    records
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
    let newer = times.iter().filter(|time| **time >= times[20]).count() as u64;
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

/// Records of the list, 100 of a page: 4,000, or as `HOB_BACKFILL_RECORDS` says.
#[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
fn many() -> usize {
    std::env::var("HOB_BACKFILL_RECORDS").map_or(4000, |number| number.parse().expect("a number"))
}

const KILLS: usize = 10;

/// The most memory that the process has had, in MB.
fn peak(child: &Child) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}

#[test]
fn a_killed_backfill_continues_where_it_was() {
    let records = many();
    let pages = records / 100;
    let stand_in = stand_in(records);
    let (what, connector) = (FaultKind::Delay(20), Some("highlevel".to_owned()));
    stand_in.sandbox.add_fault(Fault { connector, what, done: true, ..Fault::default() });
    let folder = workspace(&stand_in, &[POLL]);
    let folder = folder.path();
    for kill in 1..=KILLS {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("hob"));
        command.args(["backfill", "contacts"]);
        let (mut child, lines) = spawn(command, folder);
        let lines = std::thread::spawn(move || lines.collect::<Vec<_>>());
        let begun = Instant::now();
        while stand_in.sandbox.log().len() < kill * pages / (KILLS + 1) {
            assert!(begun.elapsed() < 10 * LONG, "pages are read");
            std::thread::park_timeout(Duration::from_millis(5));
        }
        let peak = peak(&child);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(peak < 100, "{peak} MB");
        let lines = lines.join().unwrap().join("\n");
        for other in [&["contacts", "--again"][..], &["contacts", "--since", "1y"]] {
            let refused = backfill(folder, other).code(2);
            assert!(refused.errors.contains("`hob backfill contacts` continues it"), "{}", refused.errors);
        }
        assert_eq!(lines.contains("continues the backfill"), kill > 1, "{lines}");
    }
    let ended = backfill(folder, &["contacts"]).code(0);
    let [read, ..] = counts(&ended);
    // Each kill may have cost the page that was being read.
    let stored = (KILLS * pages / (KILLS + 1) - KILLS) * 100;
    assert!(read as usize <= records - stored, "{read} were read after the last kill");
    let runs = runs_by_record(folder);
    assert!(runs.len() == records && runs.values().all(|runs| *runs == 1), "{}", runs.len());
    // At most one page for each kill is read twice.
    // The list is read twice, because records may move to pages that were read.
    let requests = stand_in.sandbox.log().len();
    assert!(requests <= 2 * (pages + 1) + KILLS, "{requests} requests");
    let again = backfill(folder, &["contacts"]).code(0);
    assert!(!again.errors.contains("continues"), "{}", again.errors);
    assert_eq!(counts(&again), [records as u64, records as u64, 0]);
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
