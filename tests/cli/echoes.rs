//! Two recipes that write to each other's source, without comparing anything themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::listening::listen;
use crate::pause_resume::post;
use crate::program::hob;
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{runs, trigger, workspace};
use crate::waiting_runs::wait_until;

const TO_CONTACT: &str = r#"
name: to-contact
trigger: { poll: fitr.clients.list, every: 1s, emit: [new, changed] }
actions:
- id: contact
  do: contacts.upsert
  with: { email: "{{ event.email }}", firstName: "{{ event.full_name }}", phone: "{{ event.phone | default(omit, true) }}" }
"#;
const TO_CLIENT: &str = r#"
name: to-client
trigger: { poll: contacts.search, every: 1s, emit: [new, changed] }
actions:
- id: clients
  do: fitr.clients.list
  with: { email: "{{ event.email | lower }}" }
- do: fitr.clients.update
  for_each: "{{ steps.clients }}"
  as: client
  with: { id: "{{ client.id }}", phone: "{{ event.phone | default(omit, true) }}" }
"#;
const ROSA: &str = "cl_81d5kq2v";

struct Sync {
    stand_in: StandIn,
    folder: tempfile::TempDir,
}

impl Sync {
    fn new(more: &str) -> Self {
        let (stand_in, folder) = (StandIn::start(), tempfile::tempdir().unwrap());
        fs::create_dir(folder.path().join("recipes")).unwrap();
        for (name, text) in [("to-contact", TO_CONTACT), ("to-client", TO_CLIENT)] {
            fs::write(folder.path().join("recipes").join(format!("{name}.yaml")), format!("{text}{more}"))
                .unwrap();
        }
        fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
        let sync = Self { stand_in, folder };
        sync.once();
        sync
    }

    /// Polls both sides and runs what follows; returns runs by recipe and state.
    fn once(&self) -> BTreeMap<(String, String), usize> {
        let before = self.runs().len();
        let mut polled = BTreeSet::new();
        // A list is not due again at once.
        while polled.len() < 2 {
            let summary = hob(self.folder.path(), &["run", "--once", "--format", "json"]).json();
            let polls = summary["polls"].as_array().unwrap().iter();
            polled.extend(polls.map(|poll| poll["recipe"].as_str().unwrap().to_owned()));
        }
        let runs = self.runs();
        let mut counts = BTreeMap::new();
        for run in &runs[..runs.len() - before] {
            let text = |name: &str| run[name].as_str().unwrap().to_owned();
            *counts.entry((text("recipe"), text("state"))).or_default() += 1;
        }
        counts
    }

    fn runs(&self) -> Vec<Value> {
        let listed =
            hob(self.folder.path(), &["runs", "list", "--limit", "0", "--format", "json"]).code(0).json();
        listed.as_array().unwrap().clone()
    }

    fn change(&self, operation: &str, with: &Value) {
        hob(self.folder.path(), &["call", operation, "--with", &with.to_string()]).code(0);
    }

    fn contact(&self) -> Value {
        let contacts = self.stand_in.sandbox.records("highlevel", "contacts", 1000).unwrap();
        contacts.into_iter().find(|contact| contact["email"] == "rosa.whitfield@example.com").unwrap()
    }
}

fn only(recipe: &str, state: &str) -> BTreeMap<(String, String), usize> {
    BTreeMap::from([((recipe.to_owned(), state.to_owned()), 1)])
}

#[test]
fn echoes_are_suppressed_and_real_changes_pass() {
    let sync = Sync::new("");
    sync.change(
        "fitr.clients.update",
        &json!({ "id": ROSA, "full_name": "Rosie", "phone": "+447700900111" }),
    );
    assert_eq!(sync.once(), only("to-contact", "succeeded"));
    assert_eq!(sync.once(), only("to-client", "suppressed"));
    assert_eq!(sync.once(), BTreeMap::new());
    let contact = sync.contact();
    assert_eq!((&contact["firstName"], &contact["phone"]), (&json!("Rosie"), &json!("+447700900111")));
    let echo = sync.runs().into_iter().find(|run| run["state"] == "suppressed").unwrap();
    let (reason, wrote) = (echo["error"].as_str().unwrap(), &sync.runs()[1]["id"]);
    assert!(reason.contains("echo") && reason.contains(wrote.as_str().unwrap()), "{reason}");
    assert!(reason.contains("step `contact`"), "{reason}");
    let shown = hob(sync.folder.path(), &["runs", "show", echo["id"].as_str().unwrap()]).code(0);
    assert!(shown.output.contains("suppressed: an echo"), "{}", shown.output);

    // Somebody changes a field that hob wrote, and later sets it back.
    for phone in ["+447700900222", "+447700900111"] {
        sync.change("contacts.update", &json!({ "contactId": contact["id"], "phone": phone }));
        assert_eq!(sync.once(), only("to-client", "succeeded"), "{phone}");
        assert_eq!(sync.once(), only("to-contact", "suppressed"), "{phone}");
    }
    // A change together with hob's own write.
    sync.change("fitr.clients.update", &json!({ "id": ROSA, "full_name": "Rosa" }));
    assert_eq!(sync.once(), only("to-contact", "succeeded"));
    sync.change("contacts.update", &json!({ "contactId": contact["id"], "phone": "+447700900333" }));
    assert_eq!(sync.once(), only("to-client", "succeeded"));
}

#[test]
fn a_loop_that_is_allowed_is_stopped() {
    let sync = Sync::new("echo: allow\nunchanged: send\n");
    sync.change(
        "fitr.clients.update",
        &json!({ "id": ROSA, "full_name": "Rosie", "phone": "+447700900111" }),
    );
    let mut turns = 0;
    while !sync.once().is_empty() {
        turns += 1;
        assert!(turns < 20, "it goes on for ever");
    }
    let runs = sync.runs();
    let parked: Vec<&Value> = runs.iter().filter(|run| run["state"] == "parked").collect();
    assert_eq!((parked.len(), runs.len() <= 9), (1, true), "{runs:#?}");
    let reason = parked[0]["error"].as_str().unwrap();
    assert!(reason.contains("a loop") && reason.contains(runs[1]["id"].as_str().unwrap()), "{reason}");
    let id = parked[0]["id"].as_str().unwrap();
    hob(sync.folder.path(), &["runs", "retry", id]).code(0);
    sync.once();
    let state = sync.runs().into_iter().find(|run| run["id"] == id).unwrap();
    assert_eq!(state["state"], "succeeded", "a person lets it run: {state}");
}

const MAKE: &str = "name: make
trigger: { manual: {} }
actions:
- do: contacts.upsert
  with: { email: \"{{ event.email }}\", firstName: \"{{ event.name }}\" }
";
const REMOVE: &str = "name: remove
trigger: { manual: {} }
actions:
- do: contacts.delete
  with: { contactId: \"{{ event.contact }}\" }
";
const GONE: &str = "name: gone
trigger: { webhook: highlevel.ContactDelete }
actions:
- do: log
  with: { message: \"{{ event.firstName }} is gone\" }
";

/// A deletion shows the record as it was, which is how hob wrote it.
#[test]
fn a_deletion_is_an_echo_only_where_hob_deleted() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[MAKE, REMOVE, GONE]);
    let file = folder.path().join("hob.yaml");
    let unverified = "server: { webhooks: { highlevel: { unverified: true } } }";
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("server: { metrics: true }", unverified)).unwrap();
    let mut listening = listen(folder.path());
    let states = |recipe: &str| {
        let mut runs = runs(folder.path());
        runs.retain(|run| run["recipe"] == recipe && !run["finished"].is_null());
        runs.into_iter().map(|run| run["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let location = stand_in.sandbox.settings("highlevel")["location"].clone();
    for (name, by_hob, told) in [("Ada", false, "succeeded"), ("Zed", true, "suppressed")] {
        let (made, gone) = (states("make").len(), states("gone").len());
        let email = format!("{}@example.com", name.to_lowercase());
        trigger(folder.path(), "make", &json!({ "email": email, "name": name }));
        wait_until("it is made", || states("make").len() > made);
        let contacts = stand_in.sandbox.records("highlevel", "contacts", 1000).unwrap();
        let contact = contacts.iter().find(|contact| contact["email"] == email).unwrap();
        if by_hob {
            trigger(folder.path(), "remove", &json!({ "contact": contact["id"] }));
            wait_until("it is deleted", || states("remove") == ["succeeded"]);
        }
        let body = json!({
            "type": "ContactDelete", "webhookId": name, "locationId": location,
            "id": contact["id"], "email": email, "firstName": name,
        });
        assert_eq!(post(&listening.address, "/webhooks/highlevel", &body.to_string()), 200);
        wait_until("it is told", || states("gone").len() > gone);
        assert_eq!(states("gone")[0], told, "{name}");
    }
    listening.child.kill().unwrap();
    listening.child.wait().unwrap();
}
