//! Recipes with `sync:`, through the program, against the sandbox.

use std::fs;

use hob::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::sync_workspace::{ADA, FOLLOW_UPS, PEOPLE, Runs, Workspace, only};

const TO_FITR: &str = "people/highlevel-to-fitr";
const TO_HIGHLEVEL: &str = "people/fitr-to-highlevel";

#[test]
fn people_are_the_same_on_both_sides() {
    let workspace = Workspace::begun(PEOPLE);
    let ada = json!({ "full_name": "Ada", "email": ADA, "phone": "+447700900111", "program": "Strength" });
    workspace.call("fitr.clients.create", &ada);
    assert_eq!(workspace.once(), only(TO_HIGHLEVEL, "succeeded"));
    let contact = workspace.contact();
    assert_eq!((&contact["firstName"], &contact["city"]), (&json!("Ada"), &json!("Strength")));
    assert_eq!(workspace.once(), only(TO_FITR, "suppressed"), "the new contact is an echo");
    let before = workspace.sent();
    assert_eq!(workspace.once(), Runs::new());
    let polls = ["contacts.search", "fitr.clients.list"];
    let more = workspace.sent().into_iter().filter(|(name, count)| before.get(name) != Some(count));
    assert_eq!(more.map(|(name, _)| name).collect::<Vec<_>>(), polls, "a quiet pass only polls");

    // A change goes the other way, and an update of what nobody synced goes nowhere.
    workspace.call("contacts.update", &json!({ "contactId": contact["id"], "firstName": "Adah" }));
    assert_eq!(workspace.once(), only(TO_FITR, "succeeded"));
    let client = workspace.client();
    assert_eq!((&client["full_name"], &client["program"]), (&json!("Adah"), &json!("Strength")));
    assert_eq!(workspace.once(), only(TO_HIGHLEVEL, "suppressed"));
    let sent = |workspace: &Workspace| {
        ["fitr.clients.update", "fitr.clients.get"].map(|name| workspace.sent().get(name).copied())
    };
    let before = sent(&workspace);
    workspace
        .call("contacts.update", &json!({ "contactId": contact["id"], "website": "https://ada.example" }));
    assert_eq!(workspace.once(), only(TO_FITR, "suppressed"));
    assert_eq!(sent(&workspace), before, "what the sync does not compare is not looked at");
    let shown = workspace.shown("suppressed");
    assert!(shown.contains("it shows nothing that the sync has not dealt with"), "{shown}");
}

#[test]
fn an_owner_has_its_value_back_and_the_last_writer_wins() {
    let workspace = Workspace::begun(PEOPLE);
    let ada = json!({ "full_name": "Ada", "email": ADA, "program": "Strength" });
    workspace.call("fitr.clients.create", &ada);
    workspace.once();
    workspace.once();
    let (contact, client) = (workspace.contact()["id"].clone(), workspace.client()["id"].clone());

    workspace.call("contacts.update", &json!({ "contactId": contact, "city": "Yoga" }));
    assert_eq!(workspace.once(), only(TO_FITR, "succeeded"));
    assert_eq!(
        (&workspace.contact()["city"], &workspace.client()["program"]),
        (&json!("Strength"), &json!("Strength"))
    );
    let shown = workspace.shown("succeeded");
    assert!(
        shown.contains("program: highlevel says \"Yoga\", and fitr owns it: set back to \"Strength\""),
        "{shown}"
    );
    assert_eq!(workspace.once(), only(TO_FITR, "suppressed"));

    // One field on each side: both changes stay.
    workspace.call("fitr.clients.update", &json!({ "id": client, "phone": "+447700900222" }));
    workspace.call("contacts.update", &json!({ "contactId": contact, "firstName": "Adah" }));
    workspace.once();
    workspace.once();
    let (one, other) = (workspace.contact(), workspace.client());
    assert_eq!((&one["firstName"], &one["phone"]), (&json!("Adah"), &json!("+447700900222")));
    assert_eq!((&other["full_name"], &other["phone"]), (&json!("Adah"), &json!("+447700900222")));

    // The same field on both sides, first on one and then on the other.
    for last in ["fitr", "highlevel"] {
        let mut sides = ["fitr", "highlevel"].map(|side| (side == last, side));
        sides.sort_unstable();
        for (_, side) in sides {
            match side {
                "fitr" => workspace
                    .call("fitr.clients.update", &json!({ "id": client, "full_name": format!("F {last}") })),
                _ => workspace.call(
                    "contacts.update",
                    &json!({ "contactId": contact, "firstName": format!("H {last}") }),
                ),
            }
        }
        workspace.once();
        workspace.once();
        let wanted = if last == "fitr" { "F fitr" } else { "H highlevel" };
        let (one, other) = (workspace.contact(), workspace.client());
        assert_eq!((&one["firstName"], &other["full_name"]), (&json!(wanted), &json!(wanted)), "{last}");
        let told = workspace.runs().iter().any(|run| {
            let shown = workspace.hob(&["runs", "show", run["id"].as_str().unwrap()]).code(0).output;
            shown.contains(&format!("{last} wins"))
        });
        assert!(told, "the conflict is in the history");
    }
    assert_eq!(workspace.once(), Runs::new());
}

#[test]
fn what_is_gone_on_one_side_is_deleted_on_the_other() {
    let workspace = Workspace::begun(FOLLOW_UPS);
    workspace.call("contacts.create", &json!({ "firstName": "Ada", "email": ADA }));
    assert_eq!(workspace.once(), only("follow-ups/highlevel-to-fitr", "succeeded"));
    let id = workspace.contact()["id"].as_str().unwrap().to_owned();
    let task = || workspace.find("fitr", "tasks", "external_id", &id);
    assert_eq!(task().unwrap()["title"], "Call Ada");
    workspace.call("contacts.update", &json!({ "contactId": id, "firstName": "Adah" }));
    workspace.once();
    assert_eq!(task().unwrap()["title"], "Call Adah");
    workspace.call("contacts.delete", &json!({ "contactId": id }));
    let mut passes = 0;
    while task().is_some() {
        passes += 1;
        assert!(passes < 5, "the task is still there");
        workspace.once();
    }
    assert_eq!(workspace.runs()[0]["recipe"], "follow-ups/highlevel-to-fitr/removed");
}

#[test]
fn expanded_recipes_do_the_same() {
    let workspace = Workspace::new(&[("people.yaml", PEOPLE)]);
    let text = workspace.hob(&["expand", "people"]).code(0).output;
    assert_eq!(workspace.hob(&["expand", "recipes/people.yaml"]).code(0).output, text);
    let rows = workspace.hob(&["expand", "people", "--format", "json"]).code(0).json();
    assert_eq!(rows[0]["name"], TO_HIGHLEVEL);
    let parts: Vec<&str> = text.split("---\n").collect();
    assert_eq!(parts.len(), 2);
    assert_eq!(workspace.hob(&["expand", TO_HIGHLEVEL]).code(0).output, parts[0]);
    workspace.once();
    // The history goes on where the sync ended.
    fs::remove_file(workspace.folder.path().join("recipes/people.yaml")).unwrap();
    for (at, part) in parts.iter().enumerate() {
        fs::write(workspace.folder.path().join(format!("recipes/{at}.yaml")), part).unwrap();
    }
    let validated = workspace.hob(&["validate"]).code(0);
    assert!(!validated.output.contains("error["), "{}", validated.output);
    assert_eq!(workspace.once(), Runs::new());
    workspace.call("fitr.clients.create", &json!({ "full_name": "Ada", "email": ADA }));
    assert_eq!(workspace.once(), only(TO_HIGHLEVEL, "succeeded"));
    assert_eq!(workspace.contact()["firstName"], "Ada");

    let unknown = workspace.hob(&["expand", "poeple/highlevel-to-fitr"]).code(2);
    assert!(unknown.errors.contains("did you mean"), "{}", unknown.errors);
}

#[test]
fn the_order_of_the_sides_means_nothing() {
    let (one, other) =
        ("    highlevel: { record: contact, every: 10ms }\n", "    fitr: { record: client, every: 10ms }\n");
    let swapped = PEOPLE.replace(&format!("{one}{other}"), &format!("{other}{one}"));
    assert_ne!(swapped, PEOPLE);
    let workspace = Workspace::begun(PEOPLE);
    let ada = json!({ "full_name": "Ada", "email": ADA });
    workspace.call("fitr.clients.create", &ada);
    workspace.once();
    workspace.once();
    let text = workspace.hob(&["expand", "people"]).code(0).output;
    fs::write(workspace.folder.path().join("recipes/sync.yaml"), swapped).unwrap();
    assert_eq!(workspace.hob(&["expand", "people"]).code(0).output, text);
    // With another address, only the link leads to the contact.
    let changed = json!({ "id": workspace.client()["id"], "email": "ada@example.org", "full_name": "Adah" });
    workspace.call("fitr.clients.update", &changed);
    assert_eq!(workspace.once(), only(TO_HIGHLEVEL, "succeeded"));
    assert!(workspace.find("highlevel", "contacts", "email", ADA).is_none());
    let contact = workspace.find("highlevel", "contacts", "email", "ada@example.org").unwrap();
    assert_eq!(contact["firstName"], "Adah");
}

/// Answers each search of clients by e-mail with `client`.
fn every_search_finds(workspace: &Workspace, client: &Value) {
    let body = json!({ "data": [client], "next_cursor": null });
    workspace.stand_in.sandbox.add_fault(Fault {
        operation: Some("fitr.clients.list".into()),
        path: Some("email=".into()),
        what: FaultKind::Status { status: 200, body: Some(body), headers: Vec::new() },
        ..Fault::default()
    });
}

#[test]
fn what_a_search_finds_has_to_have_the_key() {
    let workspace = Workspace::begun(PEOPLE);
    workspace.call("fitr.clients.create", &json!({ "full_name": "Bob", "email": "bob@example.com" }));
    workspace.once();
    workspace.once();
    let bob = || workspace.find("fitr", "clients", "full_name", "Bob");
    every_search_finds(&workspace, &bob().unwrap());
    workspace.call("contacts.create", &json!({ "firstName": "Ada", "email": ADA }));
    assert_eq!(workspace.once(), only(TO_FITR, "succeeded"));
    assert_eq!(bob().unwrap()["email"], "bob@example.com");
    assert_eq!(workspace.client()["full_name"], "Ada");
    let shown = workspace.shown("succeeded");
    assert!(shown.contains("fitr found a record with another email, and it is not taken"), "{shown}");
}

#[test]
fn an_address_is_the_same_in_capitals() {
    let workspace = Workspace::begun(PEOPLE);
    let ada = json!({ "full_name": "Ada", "email": "ADA@example.com", "program": "Yoga" });
    workspace.call("fitr.clients.create", &ada);
    let client = workspace.stand_in.sandbox.records("fitr", "clients", 1000).unwrap();
    let client = client.into_iter().find(|client| client["full_name"] == "Ada").unwrap();
    every_search_finds(&workspace, &client);
    let clients = || workspace.stand_in.sandbox.records("fitr", "clients", 1000).unwrap().len();
    let before = clients();
    workspace.call("contacts.create", &json!({ "firstName": "Ada", "email": ADA }));
    workspace.once();
    assert_eq!(clients(), before, "none is created");
}

#[test]
fn a_record_that_is_linked_with_another_one_is_not_taken() {
    let workspace = Workspace::begun(PEOPLE);
    workspace.call("fitr.clients.create", &json!({ "full_name": "Ada", "email": ADA }));
    workspace.once();
    workspace.once();
    let before = workspace.client();
    let mut hit = before.clone();
    hit["email"] = json!("eve@example.com");
    every_search_finds(&workspace, &hit);
    let writes = |workspace: &Workspace| {
        let sent = workspace.sent();
        ["fitr.clients.create", "fitr.clients.update"].map(|name| sent.get(name).copied().unwrap_or(0))
    };
    let sent = writes(&workspace);
    workspace.call("contacts.create", &json!({ "firstName": "Eve", "email": "eve@example.com" }));
    let mut passes = 0;
    while workspace.runs()[0]["state"] != "failed" {
        passes += 1;
        assert!(passes < 10, "no run fails: {:?}", workspace.runs());
        workspace.hob(&["run", "--once"]);
    }
    let shown = workspace.shown("failed");
    assert!(shown.contains("already"), "{shown}");
    assert_eq!((writes(&workspace), workspace.client()), (sent, before));
}

#[test]
fn fields_may_be_called_like_what_is_generated() {
    let names =
        [("    name:", "    is_newer:"), ("    phone:", "    now: { highlevel: phone, fitr: phone }\n    #")];
    let text = names.iter().fold(PEOPLE.to_owned(), |text, (old, new)| text.replace(old, new));
    let text =
        text.replace("program: { highlevel: city, owner: fitr }", "back: { highlevel: city, fitr: program }");
    let workspace = Workspace::begun(&text);
    let ada = json!({ "full_name": "Ada", "email": ADA, "phone": "+447700900111", "program": "Strength" });
    workspace.call("fitr.clients.create", &ada);
    workspace.once();
    workspace.once();
    let (contact, client) = (workspace.contact()["id"].clone(), workspace.client()["id"].clone());
    workspace.call("contacts.update", &json!({ "contactId": contact, "firstName": "H", "city": "Yoga" }));
    workspace.call("fitr.clients.update", &json!({ "id": client, "full_name": "F", "program": "Run" }));
    workspace.once();
    workspace.once();
    let (contact, client) = (workspace.contact(), workspace.client());
    assert_eq!((&contact["firstName"], &client["full_name"]), (&json!("F"), &json!("F")));
    assert_eq!((&contact["city"], &client["program"]), (&json!("Run"), &json!("Run")));
    assert_eq!(contact["phone"], "+447700900111");
}

#[test]
fn commands_know_the_name_of_a_sync() {
    let workspace = Workspace::begun(PEOPLE);
    workspace.call("fitr.clients.create", &json!({ "full_name": "Ada", "email": ADA }));
    workspace.once();
    workspace.once();
    let listed = |arguments: &[&str]| {
        let arguments = [&["runs", "list", "--format", "json", "--recipe"], arguments].concat();
        workspace.hob(&arguments).code(0).json().as_array().unwrap().clone()
    };
    let all = listed(&["people"]);
    assert_eq!(all, workspace.runs(), "newest first, of both recipes");
    assert_eq!(all.len(), 2);
    assert_eq!(listed(&["people", "--limit", "1"]), all[..1]);
    assert_eq!(listed(&[TO_FITR])[0]["recipe"], TO_FITR);

    for (command, state) in [("pause", "paused"), ("resume", "goes on")] {
        let told = workspace.hob(&[command, "people"]).code(0).output;
        assert_eq!(told, format!("{TO_HIGHLEVEL}  {state}\n{TO_FITR}  {state}\n"));
    }
    let planned = workspace.hob(&["plan", "people", "--format", "json"]).code(0).json();
    let names: Vec<&str> = planned["recipes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|recipe| recipe["recipe"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    for command in ["trigger", "backfill"] {
        let refused = workspace.hob(&[command, "people"]).code(2).errors;
        assert!(refused.contains(&format!("name one of `{TO_HIGHLEVEL}`, `{TO_FITR}`")), "{refused}");
    }
    for command in [
        "pause",
        "resume",
        "trigger",
        "backfill",
        "plan",
        "audit",
        "runs list --recipe",
        "runs retry --recipe",
        "test",
        "expand",
    ] {
        let words: Vec<&str> = command.split(' ').chain(["poeple"]).collect();
        let refused = workspace.hob(&words).code(2).errors;
        assert!(refused.contains("did you mean `people`?"), "{command}: {refused}");
    }
}
