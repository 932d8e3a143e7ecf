//! Every recipe of the gallery works on the sandbox.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;

/// A recipe of the gallery in its own workspace.
struct Tried {
    stand_in: StandIn,
    folder: tempfile::TempDir,
    file: &'static str,
}

impl Tried {
    fn new(file: &'static str) -> Self {
        let (stand_in, folder) = (StandIn::start(), tempfile::tempdir().unwrap());
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes").join(file);
        fs::create_dir(folder.path().join("recipes")).unwrap();
        fs::copy(from, folder.path().join("recipes").join(file)).unwrap();
        fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
        Self { stand_in, folder, file }
    }

    /// The record of a collection with this field value.
    fn record(&self, connector: &str, collection: &str, field: &str, value: &Value) -> Value {
        let records = self.stand_in.sandbox.records(connector, collection, 1000).unwrap();
        records.into_iter().find(|record| record[field] == *value).unwrap_or_else(|| panic!("no {value}"))
    }

    /// Sends it an event, runs it, and expects every run to complete all steps.
    fn with_event(&self, event: &Value) {
        let name = self.file.trim_end_matches(".yaml");
        hob_with(self.folder.path(), &["trigger", name, "--event", "-"], &event.to_string()).code(0);
        self.once();
    }

    fn once(&self) {
        hob(self.folder.path(), &["run", "--once"]).code(0);
        let listed =
            hob(self.folder.path(), &["runs", "list", "--limit", "0", "--format", "json"]).code(0).json();
        let listed = listed.as_array().unwrap();
        assert!(!listed.is_empty(), "{} did not run", self.file);
        for run in listed {
            // A step that ends a run early records its reason.
            assert_eq!(
                (&run["state"], &run["error"]),
                (&json!("succeeded"), &Value::Null),
                "{}: {run}",
                self.file
            );
        }
    }

    /// Operations that were sent, without duplicates.
    fn sent(&self) -> Vec<String> {
        self.stand_in.sandbox.totals().1.into_keys().collect()
    }

    fn assert_sent(&self, operations: &[&str]) {
        let sent = self.sent();
        for operation in operations {
            assert!(sent.iter().any(|id| id == operation), "{}: {operation} is not in {sent:?}", self.file);
        }
    }

    fn rosa(&self) -> Value {
        self.record("highlevel", "contacts", "email", &json!("rosa.whitfield@example.com"))
    }
}

#[test]
fn clients_become_contacts_with_notes() {
    let tried = Tried::new("fitr-client-to-highlevel.yaml");
    tried.once();
    tried.assert_sent(&["contacts.tags.add", "contacts.notes.create"]);
    let rosa = tried.rosa();
    assert!(rosa["tags"].as_array().unwrap().contains(&json!("fitr-client")), "{rosa}");
    assert!(rosa["phone"].as_str().is_some_and(|phone| phone.starts_with('+')), "{rosa}");
}

#[test]
fn fields_unknown_to_fitr_stay_in_highlevel() {
    let tried = Tried::new("fitr-client-to-highlevel.yaml");
    tried.once();
    let before = tried.rosa();
    let mut client = tried.record("fitr", "clients", "id", &json!("cl_81d5kq2v"));
    for phone in [Value::Null, json!("")] {
        client["phone"] = phone;
        client["full_name"] = json!("Rosie");
        tried.with_event(&client);
        let after = tried.rosa();
        assert_eq!(after["firstName"], "Rosie", "{after}");
        assert!(before["lastName"].is_string() && before["phone"].is_string(), "{before}");
        assert_eq!((&after["lastName"], &after["phone"]), (&before["lastName"], &before["phone"]));
    }
}

#[test]
fn leads_become_contacts_with_a_task() {
    let tried = Tried::new("fitr-lead-to-highlevel.yaml");
    tried.once();
    tried.assert_sent(&["contacts.upsert", "contacts.tags.add", "contacts.tasks.create"]);
}

#[test]
fn enrolments_become_tags() {
    let tried = Tried::new("fitr-automation-to-highlevel-tag.yaml");
    let enrolment = tried.stand_in.sandbox.records("fitr", "enrolments", 1).unwrap().remove(0);
    tried.with_event(&enrolment);
    tried.assert_sent(&["fitr.clients.get", "contacts.upsert", "contacts.tags.add"]);
}

#[test]
fn a_status_becomes_a_tag() {
    let tried = Tried::new("fitr-status-to-highlevel-tags.yaml");
    let mut client = tried.record("fitr", "clients", "id", &json!("cl_81d5kq2v"));
    tried.with_event(&client);
    client["status"] = json!("Needs Training");
    tried.with_event(&client);
    let rosa = tried.rosa();
    let tags = rosa["tags"].as_array().unwrap();
    assert!(tags.contains(&json!("fitr-needs-training")) && !tags.contains(&json!("fitr-active")), "{rosa}");
    assert!(tags.contains(&json!("member")), "other tags stay: {rosa}");
}

#[test]
fn a_changed_contact_reaches_its_client() {
    let tried = Tried::new("highlevel-contact-to-fitr.yaml");
    let rosa = tried.rosa();
    tried.with_event(&json!({ "type": "ContactUpdate", "id": rosa["id"] }));
    tried.assert_sent(&[
        "contacts.get",
        "contacts.tasks.list",
        "fitr.clients.update",
        "fitr.clients.tags.add",
    ]);
    let client = tried.record("fitr", "clients", "id", &json!("cl_81d5kq2v"));
    assert_eq!(client["external_id"], rosa["id"]);
}

#[test]
fn a_task_is_made_and_completed() {
    let tried = Tried::new("highlevel-task-to-fitr-task.yaml");
    let contact = tried.rosa()["id"].clone();
    let with = json!({ "contactId": contact, "title": "Send photos", "dueDate": "2026-12-24T09:00:00Z", "completed": false });
    let call = |operation: &str, with: &Value| {
        hob(tried.folder.path(), &["call", operation, "--with", &with.to_string()]).code(0).json()
    };
    let task = call("contacts.tasks.create", &with)["id"].clone();
    tried.with_event(&json!({ "type": "TaskCreate", "id": task, "contactId": contact }));
    let made = tried.record("fitr", "tasks", "external_id", &task);
    assert_eq!((&made["title"], &made["status"]), (&json!("Send photos"), &json!("open")));
    call("contacts.tasks.complete", &json!({ "contactId": contact, "taskId": task, "completed": true }));
    tried.with_event(&json!({ "type": "TaskComplete", "id": task, "contactId": contact }));
    assert_eq!(tried.record("fitr", "tasks", "external_id", &task)["status"], "done");
}

#[test]
fn a_tag_starts_an_automation_once() {
    let tried = Tried::new("highlevel-tag-starts-fitr-automation.yaml");
    let rosa = tried.rosa();
    let event = json!({ "type": "ContactTagUpdate", "id": rosa["id"], "tags": ["start-program"] });
    // A tag that the contact does not have need not be removed, and no request is sent for it.
    let tag = json!({ "contactId": rosa["id"], "tags": ["start-program"] }).to_string();
    hob(tried.folder.path(), &["call", "contacts.tags.add", "--with", &tag]).code(0);
    let enrolments = || tried.stand_in.sandbox.counts("fitr")["enrolments"];
    let before = enrolments();
    tried.with_event(&event);
    tried.with_event(&event);
    assert!(enrolments() <= before + 1, "started twice");
    tried.assert_sent(&["fitr.automations.enrolments.list", "contacts.tags.remove"]);
}

#[test]
fn people_are_the_same_on_both_sides() {
    let tried = Tried::new("people-sync.yaml");
    tried.once();
    tried.assert_sent(&["contacts.create", "fitr.clients.create"]);
    let rosa = tried.rosa();
    let client = tried.record("fitr", "clients", "id", &json!("cl_81d5kq2v"));
    assert_eq!(
        client["full_name"],
        format!("{} {}", rosa["firstName"].as_str().unwrap(), rosa["lastName"].as_str().unwrap())
    );
    let count = |connector: &str, collection: &str| tried.stand_in.sandbox.counts(connector)[collection];
    assert_eq!(count("highlevel", "contacts"), count("fitr", "clients"));
}

/// Two recipes that write to each other's source come to rest.
#[test]
fn contacts_and_clients_do_not_echo_each_other() {
    const FILES: [&str; 3] = [
        "fitr-client-to-highlevel.yaml",
        "fitr-status-to-highlevel-tags.yaml",
        "highlevel-contact-to-fitr.yaml",
    ];
    let (stand_in, folder) = (StandIn::start(), tempfile::tempdir().unwrap());
    fs::create_dir(folder.path().join("recipes")).unwrap();
    for file in FILES {
        let text =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes").join(file)).unwrap();
        let polled = text.replace(
            "  webhook: [highlevel.ContactUpdate, highlevel.ContactTagUpdate]\n  reconcile: 6h",
            "  poll: contacts.search\n  every: 1s\n  emit: [new, changed]\n  start: all",
        );
        assert_eq!(polled != text, file == FILES[2]);
        fs::write(folder.path().join("recipes").join(file), polled.replace("every: 5m", "every: 1s"))
            .unwrap();
    }
    fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
    let runs = || {
        hob(folder.path(), &["run", "--once"]).code(0);
        let listed = hob(folder.path(), &["runs", "list", "--limit", "0", "--format", "json"]).code(0).json();
        listed.as_array().unwrap().len()
    };
    // Each `--once` polls both sides: a write on one side reaches the other with the next.
    let mut counts = vec![runs()];
    while counts.len() < 2 || counts[counts.len() - 2] != counts[counts.len() - 1] {
        counts.push(runs());
        assert!(counts.len() < 8, "they write for ever: {counts:?}");
    }
    let rosa = stand_in.sandbox.records("highlevel", "contacts", 1000).unwrap();
    let rosa = rosa.iter().find(|contact| contact["email"] == "rosa.whitfield@example.com").unwrap();
    let clients = stand_in.sandbox.records("fitr", "clients", 1000).unwrap();
    let client = clients.iter().find(|client| client["email"] == "rosa.whitfield@example.com").unwrap();
    assert_eq!((&client["external_id"], &client["phone"]), (&rosa["id"], &rosa["phone"]));
}
