//! What an API accepts and does not keep is told, with the field; ordinary writes are not.

use std::path::Path;

use hob::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, runs, workspace};

/// A recipe whose steps are these writes.
fn recipe(writes: &[(&str, Value)]) -> String {
    let steps = writes.iter().enumerate();
    let steps = steps
        .map(|(number, (operation, with))| format!("- {{ id: s{number}, do: {operation}, with: {with} }}\n"));
    let steps: String = steps.collect();
    format!("name: hand\ntrigger: {{ manual: {{}} }}\nunchanged: send\nactions:\n{steps}")
}

fn trigger(folder: &Path, event: &Value) {
    hob_with(folder, &["trigger", "hand", "--event", "-"], &event.to_string()).code(0);
}

fn id(stand_in: &StandIn, connector: &str, collection: &str) -> String {
    let records = stand_in.sandbox.records(connector, collection, 1).unwrap();
    records[0]["id"].as_str().unwrap().to_owned()
}

fn damage(stand_in: &StandIn, operation: &str, damages: Value) {
    let what: FaultKind = serde_json::from_value(json!({ "damage": damages })).unwrap();
    let operation = Some(operation.to_owned());
    stand_in.sandbox.add_fault(Fault { operation, times: Some(1), what, ..Fault::default() });
}

/// Entries of the only run.
fn entries(folder: &Path) -> Vec<Value> {
    let run = runs(folder)[0]["id"].as_str().unwrap().to_owned();
    let shown = hob(folder, &["runs", "show", &run, "--format", "json"]).code(0).json();
    shown["entries"].as_array().unwrap().clone()
}

/// A write, what is done to it, and the field that is not kept then; nothing is done to ordinary ones.
type Case = (&'static str, Value, Value, &'static str);

fn damaged(contact: &str, opportunity: &str, lead: &str) -> Vec<Case> {
    let client = "cl_81d5kq2v";
    let create = |n: u32, more: Value| {
        let mut with =
            json!({ "email": format!("kept{n}@example.com"), "firstName": "Adelaide", "lastName": "O'Neil" });
        with.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        with
    };
    let update = |fields: Value| {
        let mut with = json!({ "contactId": contact });
        with.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        with
    };
    let of = |id: &str, fields: Value| {
        let mut with = json!({ "id": id });
        with.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        with
    };
    let goal = json!([{ "key": "training_goal", "field_value": "Marathon" }, { "key": "fitr_client_id", "field_value": "cl_77" }]);
    vec![
        ("contacts.create", create(1, json!({})), json!({ "firstName": "drop" }), "firstName"),
        ("contacts.create", create(2, json!({ "city": "Leeds" })), json!({ "city": "drop" }), "city"),
        (
            "contacts.create",
            create(3, json!({ "website": "https://a.example.com" })),
            json!({ "website": { "truncate": 12 } }),
            "website",
        ),
        ("contacts.create", create(4, json!({})), json!({ "lastName": "upper_case" }), "lastName"),
        (
            "contacts.create",
            create(5, json!({ "tags": ["one", "two"] })),
            json!({ "tags": "first_item" }),
            "tags",
        ),
        ("contacts.create", create(6, json!({ "tags": ["one"] })), json!({ "tags": "drop" }), "tags"),
        (
            "contacts.create",
            create(7, json!({ "source": "walk-in" })),
            json!({ "source": { "replace": "api" } }),
            "source",
        ),
        (
            "contacts.create",
            create(8, json!({ "phone": "07700 900777" })),
            json!({ "phone": { "replace": "+447700900778" } }),
            "phone",
        ),
        (
            "contacts.create",
            create(9, json!({ "phone": "07700 900779" })),
            json!({ "phone": "drop" }),
            "phone",
        ),
        (
            "contacts.create",
            create(10, json!({ "customFields": goal })),
            json!({ "customFields.training_goal": "drop" }),
            "customFields[training_goal]",
        ),
        (
            "contacts.create",
            create(11, json!({ "customFields": goal })),
            json!({ "customFields": "drop" }),
            "customFields[training_goal]",
        ),
        (
            "contacts.create",
            create(12, json!({ "address1": "1 Zoë Street" })),
            json!({ "address1": "ascii" }),
            "address1",
        ),
        (
            "contacts.update",
            update(json!({ "firstName": "Rosemary" })),
            json!({ "firstName": "drop" }),
            "firstName",
        ),
        (
            "contacts.update",
            update(json!({ "firstName": "Rosamund" })),
            json!({ "firstName": { "truncate": 4 } }),
            "firstName",
        ),
        (
            "contacts.update",
            update(json!({ "email": "new.rosa@example.com" })),
            json!({ "email": "drop" }),
            "email",
        ),
        (
            "contacts.update",
            update(json!({ "email": "rosa.new@example.com" })),
            json!({ "email": { "replace": "x@example.com" } }),
            "email",
        ),
        ("contacts.update", update(json!({ "phone": "+447700900901" })), json!({ "phone": "null" }), "phone"),
        (
            "contacts.update",
            update(json!({ "city": "Bath", "state": "Somerset" })),
            json!({ "state": "lower_case" }),
            "state",
        ),
        ("contacts.update", update(json!({ "dnd": true })), json!({ "dnd": { "replace": false } }), "dnd"),
        (
            "contacts.update",
            update(json!({ "tags": ["a", "b"] })),
            json!({ "tags": { "replace": ["a"] } }),
            "tags",
        ),
        ("contacts.update", update(json!({ "source": null })), json!({ "source": "drop" }), "source"),
        (
            "contacts.update",
            update(json!({ "postalCode": "007" })),
            json!({ "postalCode": { "replace": "7" } }),
            "postalCode",
        ),
        (
            "contacts.update",
            update(json!({ "address1": "Ada & Sons" })),
            json!({ "address1": { "replace": "Ada " } }),
            "address1",
        ),
        (
            "contacts.upsert",
            create(20, json!({ "timezone": "Europe/London" })),
            json!({ "timezone": "drop" }),
            "timezone",
        ),
        (
            "contacts.upsert",
            create(21, json!({})),
            json!({ "email": { "replace": "other21@example.com" } }),
            "email",
        ),
        (
            "contacts.upsert",
            create(22, json!({ "country": "GB" })),
            json!({ "country": { "replace": "US" } }),
            "country",
        ),
        (
            "contacts.tags.add",
            update(json!({ "tags": ["lost-tag"] })),
            json!({ "tags": { "replace": [] } }),
            "tags",
        ),
        (
            "contacts.tasks.create",
            update(
                json!({ "title": "Call", "body": "one\ntwo", "dueDate": "2026-12-01T10:00:00Z", "completed": false }),
            ),
            json!({ "body": "one_line" }),
            "body",
        ),
        (
            "contacts.tasks.create",
            update(json!({ "title": "Call", "dueDate": "2026-12-01T10:00:00Z", "completed": false })),
            json!({ "dueDate": { "replace": "2026-12-01T11:00:00Z" } }),
            "dueDate",
        ),
        (
            "contacts.tasks.create",
            update(json!({ "title": "Call back", "dueDate": "2026-12-01T10:00:00Z", "completed": true })),
            json!({ "completed": { "replace": false } }),
            "completed",
        ),
        (
            "opportunities.update",
            of(opportunity, json!({ "monetaryValue": 99.95 })),
            json!({ "monetaryValue": "round" }),
            "monetaryValue",
        ),
        (
            "opportunities.update",
            of(opportunity, json!({ "name": "Spring coaching" })),
            json!({ "name": "drop" }),
            "name",
        ),
        (
            "opportunities.update",
            of(opportunity, json!({ "status": "won" })),
            json!({ "status": { "replace": "open" } }),
            "status",
        ),
        (
            "fitr.clients.create",
            json!({ "full_name": "Kit Long", "email": "kit@example.com", "program": "Hybrid" }),
            json!({ "program": "drop" }),
            "program",
        ),
        (
            "fitr.clients.create",
            json!({ "full_name": "Zoë Łuk", "email": "zoe@example.com" }),
            json!({ "full_name": "ascii" }),
            "full_name",
        ),
        (
            "fitr.clients.update",
            of(client, json!({ "full_name": "Rosa W" })),
            json!({ "full_name": "null" }),
            "full_name",
        ),
        (
            "fitr.clients.update",
            of(client, json!({ "status": "Pending" })),
            json!({ "status": "drop" }),
            "status",
        ),
        (
            "fitr.clients.update",
            of(client, json!({ "external_id": "A-1" })),
            json!({ "external_id": "lower_case" }),
            "external_id",
        ),
        (
            "fitr.leads.update",
            of(lead, json!({ "goal": "Run a marathon" })),
            json!({ "goal": { "truncate": 5 } }),
            "goal",
        ),
        (
            "fitr.leads.update",
            of(lead, json!({ "stage": "contacted" })),
            json!({ "stage": { "replace": "lost" } }),
            "stage",
        ),
    ]
}

fn cases(stand_in: &StandIn) -> Vec<Case> {
    let (contact, opportunity) =
        (id(stand_in, "highlevel", "contacts"), id(stand_in, "highlevel", "opportunities"));
    damaged(&contact, &opportunity, &id(stand_in, "fitr", "leads"))
}

fn writes(cases: &[Case]) -> Vec<(&'static str, Value)> {
    cases.iter().map(|(operation, with, ..)| (*operation, with.clone())).collect()
}

#[test]
fn forty_ways_to_lose_a_field_are_told_with_the_field() {
    let stand_in = StandIn::start();
    let cases = cases(&stand_in);
    assert_eq!(cases.len(), 40);
    let folder = workspace(&stand_in, &[&recipe(&writes(&cases))]);
    cases.iter().for_each(|(operation, _, damages, _)| damage(&stand_in, operation, damages.clone()));
    trigger(folder.path(), &json!({}));
    let before = stand_in.sandbox.totals().0;
    let ended = hob(folder.path(), &ONCE).code(0);
    assert_eq!(stand_in.sandbox.totals().0 - before, 40, "no request beyond the writes");
    let entries = entries(folder.path());
    for (number, (operation, _, _, field)) in cases.iter().enumerate() {
        let step = json!({ "action": format!("s{number}") });
        let told = entries.iter().find(|entry| entry["entry"] == "not_kept" && entry["step"] == step);
        let told = told.unwrap_or_else(|| panic!("{operation} {number}: {field} is not told"));
        assert_eq!(told["kept"], false);
        let fields = told["fields"].as_array().unwrap();
        assert!(fields.iter().any(|told| told["field"] == *field), "{operation} {number}: {told}");
        assert!(fields.iter().all(|told| told.get("sent").is_some() && told.get("got").is_some()));
    }
    assert_eq!(ended.json()["not_kept"], 40);
}

#[test]
fn ordinary_writes_are_not_told() {
    let stand_in = StandIn::start();
    let mut writes = writes(&cases(&stand_in));
    let more = [
        json!({ "firstName": " Ada ", "email": "Ada.Caps@Example.COM", "phone": "(07700) 900-555", "tags": ["VIP", "Member"] }),
        json!({ "name": "Grace Hopper", "email": "grace.h@example.com", "dnd": false }),
        json!({ "email": "cf@example.com", "customFields": [{ "key": "training_goal", "field_value": "Mobility" }] }),
    ];
    writes.extend(more.map(|with| ("contacts.create", with)));
    let folder = workspace(&stand_in, &[&recipe(&writes)]);
    // What damages nothing is no damage.
    damage(&stand_in, "contacts.create", json!({ "tags": "reorder", "firstName": "as_text" }));
    trigger(folder.path(), &json!({}));
    let ended = hob(folder.path(), &ONCE).code(0);
    let told: Vec<Value> =
        entries(folder.path()).into_iter().filter(|entry| entry["entry"] == "not_kept").collect();
    assert_eq!(ended.json()["not_kept"], 0, "{told:#?}");
}

#[test]
fn a_recipe_and_its_steps_say_what_follows() {
    let stand_in = StandIn::start();
    let contact = id(&stand_in, "highlevel", "contacts");
    let step = |id: &str, more: &str| {
        format!(
            "- {{ id: {id}, do: contacts.create, with: {{ email: {id}@example.com, city: Leeds }}, {more} }}\n"
        )
    };
    let update = format!(
        "- {{ id: up, do: contacts.update, with: {{ contactId: {contact}, city: York }}, kept: warn }}\n"
    );
    let after = "- { do: log, with: { message: \"on with {{ steps.fails.id }}\" } }\n";
    let text = format!(
        "name: hand\ntrigger: {{ manual: {{}} }}\nkept: ignore\nactions:\n{}{update}{}{after}",
        step("ignores", "retry: { attempts: 3 }"),
        step("fails", "kept: fail")
    );
    let folder = workspace(&stand_in, &[&text]);
    damage(&stand_in, "contacts.create", json!({ "city": "drop" }));
    damage(&stand_in, "contacts.create", json!({ "city": { "replace": "Hull" } }));
    damage(&stand_in, "contacts.update", json!({ "city": "drop" }));
    trigger(folder.path(), &json!({}));
    let ended = hob(folder.path(), &ONCE).code(1).json();
    assert_eq!((&ended["not_kept"], &ended["runs"]), (&json!(2), &json!({ "failed": 1 })));
    let run = &runs(folder.path())[0];
    let why = run["error"].as_str().unwrap();
    assert!(why.contains("`city` was sent as \"Leeds\" and is \"Hull\""), "{why}");
    let shown = hob(folder.path(), &["runs", "show", run["id"].as_str().unwrap()]).code(0).output;
    assert!(
        shown.contains("not kept") && shown.contains("city got \"Hull\"") && shown.contains("has happened"),
        "{shown}"
    );
    let made = |email: &str| {
        let log = stand_in.sandbox.log();
        log.iter().filter(|entry| entry.method == "POST" && entry.body["email"] == email).count()
    };
    assert_eq!((made("ignores@example.com"), made("fails@example.com")), (1, 1), "no write is sent again");
    // A create is not made again, whatever a person asks for; the run goes on.
    hob(folder.path(), &["runs", "retry", run["id"].as_str().unwrap()]).code(0);
    hob(folder.path(), &ONCE).code(0);
    assert_eq!((made("fails@example.com"), &runs(folder.path())[0]["state"]), (1, &json!("succeeded")));
}
