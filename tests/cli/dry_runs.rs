//! Dry runs of recipes started by an event: reported in full, with the connection, without side effects.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;

const FORM: &str = "name: form
connections: { highlevel: [studio-1, studio-2] }
trigger: { webhook: /form, verify: none }
when: \"{{ event.email }}\"
actions:
  - { id: found, do: contacts.search, with: { query: \"{{ event.email }}\", pageLimit: 1 } }
  - { id: contact, do: contacts.upsert, with: { email: \"{{ event.email }}\" } }
  - { do: contacts.tags.add, with: { contactId: \"{{ steps.contact.id }}\", tags: [form] } }
  - { do: http.request, with: { method: POST, url: \"http://127.0.0.1:9/hook\" } }
";
const WEEKLY: &str = "name: weekly
connections: { highlevel: studio-2 }
trigger: { schedule: { cron: '0 9 * * MON', timezone: Europe/Berlin } }
actions:
  - { id: seen, do: state.get, with: { key: report, default: never } }
  - { do: contacts.upsert, with: { email: \"{{ event.time | date('%Y') }}@example.com\", name: \"last {{ steps.seen }}\" } }
  - { do: state.put, with: { key: report, value: \"{{ event.local }}\" } }
";

/// Two locations on one stand-in.
fn workspace(stand_in: &StandIn) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let base = stand_in.base_url("highlevel");
    let settings = stand_in.sandbox.settings("highlevel");
    let location = &settings["location"];
    let auth = stand_in.sandbox.credential("highlevel").unwrap();
    let mut text = "connections:\n".to_owned();
    for name in ["studio-1", "studio-2"] {
        text += &format!(
            "  {name}: {{ connector: highlevel, location: {location}, base_url: '{base}', auth: {auth} }}\n"
        );
    }
    fs::write(path.join("hob.yaml"), text).unwrap();
    fs::create_dir(path.join("recipes")).unwrap();
    fs::write(path.join("recipes/form.yaml"), FORM).unwrap();
    fs::write(path.join("recipes/weekly.yaml"), WEEKLY).unwrap();
    hob(path, &["validate"]).code(0);
    folder
}

fn changes(stand_in: &StandIn) -> usize {
    stand_in.sandbox.log().into_iter().filter(|entry| !entry.changes.is_empty()).count()
}

fn dry(path: &Path, recipe: &str, event: Option<&Value>, more: &[&str]) -> crate::program::EndedRun {
    let with: &[&str] = if event.is_some() { &["--event", "-"] } else { &[] };
    let arguments = [&["trigger", recipe, "--dry-run"], with, more].concat();
    hob_with(path, &arguments, &event.map(Value::to_string).unwrap_or_default())
}

#[test]
fn an_event_is_tried_without_doing_anything() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in);
    let path = folder.path();
    let event = json!({ "email": "ada@example.com" });
    let told = dry(path, "form", Some(&event), &[]).code(0).output;
    for studio in ["studio-1", "studio-2"] {
        assert!(told.contains(&format!("form on {studio}: succeeded")), "{told}");
        assert!(told.contains(&format!("(contacts.upsert on {studio})")), "{told}");
        assert!(told.contains(&format!("(contacts.tags.add on {studio})")), "{told}");
    }
    assert!(told.contains("would send POST") && told.contains("\"email\":\"ada@example.com\""), "{told}");
    assert!(told.contains("would send POST http://127.0.0.1:9/hook"), "{told}");
    assert!(stand_in.sandbox.log().len() >= 2, "reads are performed");
    assert_eq!(changes(&stand_in), 0);
    assert!(!path.join("state").exists(), "nothing is stored");
    let rows = dry(path, "form", Some(&event), &["--format", "json"]).code(0).json();
    assert_eq!(
        (&rows[0]["connections"], &rows[0]["state"]),
        (&json!(["studio-1"]), &json!("succeeded")),
        "{rows}"
    );
    assert_eq!(rows[0]["told"].as_array().unwrap().len(), 3, "{rows}");

    let filtered = dry(path, "form", Some(&json!({ "email": "" })), &[]).code(0).output;
    assert!(filtered.contains("form on studio-1: filtered"), "{filtered}");
    let failed = dry(path, "form", Some(&json!({ "email": { "no": "text" } })), &[]).code(1).output;
    assert!(failed.contains("failed: "), "{failed}");
    let sandboxed = dry(path, "form", Some(&event), &["--sandbox"]).code(0).output;
    assert!(sandboxed.contains("would send POST http://127.0.0.1"), "{sandboxed}");
    assert!(!path.join("state").exists());
}

/// Stored values are visible and stay unchanged; a pause does not prevent a dry run.
#[test]
fn a_schedule_is_tried_with_the_event_of_this_moment() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in);
    let path = folder.path();
    let told = dry(path, "weekly", None, &[]).code(0).output;
    assert!(told.contains("(contacts.upsert on studio-2)") && told.contains("last never"), "{told}");
    hob(path, &["trigger", "weekly"]).code(0);
    hob(path, &["run", "recipes/weekly.yaml", "--once"]).code(0);
    let before = changes(&stand_in);
    let listed = || hob(path, &["runs", "list", "--format", "json"]).code(0).output;
    let runs = listed();
    hob(path, &["pause", "weekly"]).code(0);
    let told = dry(path, "weekly", None, &[]).code(0).output;
    assert!(told.contains("last 20") && !told.contains("last never"), "{told}");
    assert_eq!((changes(&stand_in), listed()), (before, runs));
    let hint = hob(path, &["run", "--dry-run", "--once"]).code(0).errors;
    assert!(hint.contains("what an event would do to form, weekly: `hob trigger RECIPE"), "{hint}");
}

/// What a read or the event shows of a record is the old value.
#[test]
fn writes_are_a_table_by_record_with_old_and_new_values() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in);
    let path = folder.path();
    let recipe = "name: rename\nconnections: { highlevel: studio-1 }\ntrigger: { manual: {} }\nactions:\n  \
        - { do: contacts.get, with: { contactId: \"{{ event.contact }}\" } }\n  \
        - { do: contacts.update, with: { contactId: \"{{ event.contact }}\", firstName: Zoe } }\n  \
        - { do: contacts.upsert, with: { email: new@example.com } }\n";
    fs::write(path.join("recipes/rename.yaml"), recipe).unwrap();
    let contact = stand_in.sandbox.records("highlevel", "contacts", 1).unwrap().remove(0);
    let told = dry(path, "rename", Some(&json!({ "contact": contact["id"] })), &[]).code(0).output;
    let rows: Vec<Vec<&str>> = told
        .lines()
        .skip_while(|line| !line.starts_with("RECORD"))
        .map(|line| line.split_whitespace().collect())
        .collect();
    let (id, first_name) = (contact["id"].as_str().unwrap(), contact["firstName"].to_string());
    assert_eq!(rows[0], ["RECORD", "OPERATION", "FIELD", "OLD", "NEW"], "{told}");
    assert_eq!(rows[1], [id, "contacts.update", "firstName", first_name.as_str(), "\"Zoe\""], "{told}");
    assert_eq!(rows[2], ["(new)", "contacts.upsert", "email", "?", "\"new@example.com\""], "{told}");
    assert_eq!(changes(&stand_in), 0);
}

/// A dry run continues from the real cursor.
#[test]
fn a_dry_run_of_a_poller_starts_at_the_real_cursor() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in);
    let path = folder.path();
    let poll = "name: watch\nconnections: { highlevel: studio-1 }\ntrigger: { poll: contacts.search, start: all }\nactions:\n  \
        - { do: contacts.tags.add, with: { contactId: \"{{ event.id }}\", tags: [x] } }\n";
    fs::write(path.join("recipes/watch.yaml"), poll).unwrap();
    let dry = || {
        hob(path, &["run", "recipes/watch.yaml", "--dry-run", "--once", "--format", "json"]).code(0).json()
    };
    let first = dry();
    assert!(first["events"].as_u64().unwrap() > 0, "{first}");
    assert_eq!(first["dry_run"].as_array().unwrap().len() as u64, first["events"].as_u64().unwrap());
    let log = "name: watch\nconnections: { highlevel: studio-1 }\ntrigger: { poll: contacts.search, start: all }\nactions: [{ do: log, with: { message: m } }]\n";
    fs::write(path.join("recipes/watch.yaml"), log).unwrap();
    hob(path, &["run", "recipes/watch.yaml", "--once"]).code(0);
    // The event shows the tags that are there; the new one comes in addition.
    let contact = stand_in.sandbox.records("highlevel", "contacts", 1).unwrap().remove(0);
    let rows = first["dry_run"].as_array().unwrap();
    let row = rows.iter().find(|row| row["record"] == contact["id"]).unwrap_or_else(|| panic!("{first}"));
    let tags = contact["tags"].as_array().unwrap().clone();
    let more: Vec<Value> = tags.iter().cloned().chain(["x".into()]).collect();
    let write = json!({ "record": contact["id"], "step": "add-1", "operation": "contacts.tags.add", "field": "tags",
        "old": tags, "new": more });
    assert_eq!(row["writes"], json!([write]));
    let next = dry();
    assert_eq!((&next["events"], &next["dry_run"]), (&json!(0), &json!([])), "{next}");
}

#[test]
fn webhooks_are_shown_and_not_kept() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in);
    let path = folder.path();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("hob"))
        .args(["run", "--dry-run", "--listen", "127.0.0.1:0"])
        .current_dir(path)
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let address =
        errors.find_map(|line| line.strip_prefix("listening at http://").map(str::to_owned)).unwrap();
    std::thread::spawn(move || errors.for_each(drop));
    let mut stream = TcpStream::connect(&address).unwrap();
    let body = json!({ "email": "ada@example.com" }).to_string();
    let head = format!(
        "POST /webhooks/form HTTP/1.1\r\nHost: hob\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("shown, not kept"), "{answer}");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("(contacts.tags.add on studio-2)")));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(changes(&stand_in), 0);
    assert!(!path.join("state").exists());
}

/// Its reads would all be rejected.
#[test]
fn a_dry_run_without_its_credential_says_so_and_sends_nothing() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in);
    let path = folder.path();
    let text = fs::read_to_string(path.join("hob.yaml")).unwrap();
    let unset = text.lines().map(|line| match line.split_once("auth: ") {
        Some((before, _)) => format!("{before}auth: {{ token: \"${{NOT_SET}}\" }} }}\n"),
        None => format!("{line}\n"),
    });
    fs::write(path.join("hob.yaml"), unset.collect::<String>()).unwrap();
    let event = json!({ "email": "ada@example.com" });
    let refused = dry(path, "form", Some(&event), &[]).code(1).errors;
    assert!(refused.contains("`studio-1` needs NOT_SET") && refused.contains("hob.yaml:"), "{refused}");
    assert!(stand_in.sandbox.log().is_empty());
    dry(path, "form", Some(&event), &["--sandbox"]).code(0);
}
