//! Syncs end with equal records whatever fails, through the program, against the sandbox.

use hob::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::sync_workspace::{ADA, FOLLOW_UPS, PEOPLE, Workspace};

impl Workspace {
    /// A pair of records called Ada.
    fn with_ada(text: &str) -> Self {
        let workspace = Self::begun(text);
        workspace.call("contacts.create", &json!({ "firstName": "Ada", "email": ADA }));
        workspace.once();
        workspace.once();
        workspace
    }

    fn edit_contact(&self, fields: &Value) {
        let mut with = json!({ "contactId": self.contact()["id"] });
        with.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.call("contacts.update", &with);
    }

    fn edit_client(&self, fields: &Value) {
        let mut with = json!({ "id": self.client()["id"] });
        with.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.call("fitr.clients.update", &with);
    }

    /// Refuses the next write of an operation.
    fn refuse_next(&self, operation: &str) {
        self.stand_in.sandbox.add_fault(Fault {
            operation: Some(operation.into()),
            times: Some(1),
            what: FaultKind::Status { status: 422, body: None, headers: Vec::new() },
            ..Fault::default()
        });
    }

    /// Polls until the newest run has this state; its id.
    fn until(&self, state: &str, before: usize) -> String {
        for _ in 0..20 {
            let runs = self.runs();
            if runs.len() > before && runs[0]["state"] == state {
                return runs[0]["id"].as_str().unwrap().to_owned();
            }
            self.hob(&["run", "--once"]);
        }
        panic!("no run is {state}: {:?}", self.runs());
    }

    /// Polls until nothing happens any more.
    fn settle(&self) {
        let mut quiet = 0;
        for _ in 0..30 {
            let before = self.runs().len();
            self.hob(&["run", "--once"]);
            quiet = if self.runs().len() == before { quiet + 1 } else { 0 };
            if quiet == 4 {
                return;
            }
        }
        panic!("it does not come to an end: {:?}", self.runs());
    }

    fn names(&self) -> [Value; 2] {
        [self.contact()["firstName"].clone(), self.client()["full_name"].clone()]
    }

    fn phones(&self) -> [Value; 2] {
        [self.contact()["phone"].clone(), self.client()["phone"].clone()]
    }
}

#[test]
fn a_write_that_failed_is_made_up_for_by_the_next_run() {
    let workspace = Workspace::with_ada(PEOPLE);
    workspace.refuse_next("fitr.clients.update");
    let before = workspace.runs().len();
    workspace.edit_contact(&json!({ "firstName": "Adah" }));
    workspace.until("failed", before);
    // Another field of the same record.
    workspace.edit_contact(&json!({ "phone": "+447700900111" }));
    workspace.settle();
    assert_eq!(workspace.names(), ["Adah", "Adah"]);
    assert_eq!(workspace.phones(), ["+447700900111", "+447700900111"]);
    // A field of the other record.
    workspace.refuse_next("contacts.update");
    let before = workspace.runs().len();
    workspace.edit_client(&json!({ "full_name": "Ida" }));
    workspace.until("failed", before);
    workspace.edit_contact(&json!({ "phone": "+447700900222" }));
    workspace.settle();
    assert_eq!(workspace.names(), ["Ida", "Ida"]);
    assert_eq!(workspace.phones(), ["+447700900222", "+447700900222"]);
}

#[test]
fn a_late_retry_brings_nothing_old_back() {
    let workspace = Workspace::with_ada(PEOPLE);
    workspace.refuse_next("fitr.clients.update");
    let before = workspace.runs().len();
    workspace.edit_contact(&json!({ "firstName": "Old" }));
    let failed = workspace.until("failed", before);
    workspace.edit_contact(&json!({ "firstName": "New" }));
    workspace.settle();
    assert_eq!(workspace.names(), ["New", "New"]);
    workspace.edit_client(&json!({ "full_name": "Newer" }));
    workspace.settle();
    workspace.hob(&["runs", "retry", &failed]).code(0);
    workspace.settle();
    let run = workspace.runs().into_iter().find(|run| run["id"] == failed.as_str()).unwrap();
    assert_eq!(run["state"], "succeeded");
    assert_eq!(workspace.names(), ["Newer", "Newer"]);
}

#[test]
fn an_api_with_its_own_notation_causes_neither_conflicts_nor_more_writes() {
    let workspace = Workspace::with_ada(PEOPLE);
    for operation in ["fitr.clients.update", "contacts.update"] {
        let damages =
            json!({ "full_name": "upper_case", "firstName": "upper_case", "phone": { "truncate": 9 } });
        workspace.stand_in.sandbox.add_fault(Fault {
            operation: Some(operation.into()),
            what: FaultKind::Damage(serde_json::from_value(damages).unwrap()),
            ..Fault::default()
        });
    }
    let writes = || {
        let sent = workspace.sent();
        ["fitr.clients.update", "contacts.update"].map(|name| sent.get(name).copied().unwrap_or(0))
    };
    let before = writes();
    // The sandbox stores what a person writes in the same notation.
    workspace.edit_contact(&json!({ "firstName": "Adah" }));
    workspace.settle();
    let after = writes();
    assert_eq!([after[0] - before[0], after[1] - before[1]], [1, 1], "one write, and the edit itself");
    workspace.stand_in.sandbox.clear_faults();
    workspace.edit_contact(&json!({ "website": "https://ada.example" }));
    workspace.settle();
    assert_eq!(writes()[0], after[0], "a change of what nobody synced goes nowhere");
    let told = workspace.runs().iter().any(|run| {
        let shown = workspace.hob(&["runs", "show", run["id"].as_str().unwrap()]).code(0).output;
        shown.contains("wins")
    });
    assert!(!told, "nobody changed both sides");
}

#[test]
fn a_record_that_is_gone_ends_runs_about_the_other_one() {
    let workspace = Workspace::begun(FOLLOW_UPS);
    workspace.call("contacts.create", &json!({ "firstName": "Ada", "email": ADA }));
    workspace.settle();
    let contact = workspace.contact()["id"].as_str().unwrap().to_owned();
    let task = workspace.find("fitr", "tasks", "external_id", &contact).unwrap();
    let about = |before: usize| workspace.runs().len() - before;
    let before = workspace.runs().len();
    workspace.call("fitr.tasks.delete", &json!({ "id": task["id"] }));
    workspace.edit_contact(&json!({ "firstName": "Adah" }));
    workspace.settle();
    assert!(about(before) > 0);
    let shown = workspace.shown("succeeded");
    assert!(shown.contains("the record of fitr that belongs to it is gone"), "{shown}");
    assert!(workspace.find("fitr", "tasks", "external_id", &contact).is_none(), "it is not made anew");

    // One that is gone when its run begins.
    workspace.call("contacts.create", &json!({ "firstName": "Bob", "email": "bob@example.com" }));
    let bob = workspace.find("highlevel", "contacts", "firstName", "Bob").unwrap();
    workspace.stand_in.sandbox.add_fault(Fault {
        operation: Some("contacts.get".into()),
        path: Some(bob["id"].as_str().unwrap().into()),
        what: FaultKind::Status { status: 404, body: None, headers: Vec::new() },
        ..Fault::default()
    });
    workspace.settle();
    let shown = workspace.shown("filtered");
    assert!(shown.contains("the record is gone"), "{shown}");
    let states: Vec<Value> = workspace.runs().iter().map(|run| run["state"].clone()).collect();
    assert!(!states.contains(&json!("failed")), "{states:?}");
}
