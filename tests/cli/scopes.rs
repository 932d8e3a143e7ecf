//! Scopes: what recipes need, and the message if a token lacks one.

use std::fs;

use hob::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{runs, workspace};

const POLL: &str = "name: poll\ntrigger: { poll: contacts.search, every: 5m, start: all }\nactions:\n  \
                    - { do: opportunities.get, with: { id: \"{{ event.id }}\" } }\n";
const MANUAL_RECIPE: &str = "name: hand\ntrigger: { manual: {} }\nactions:\n  \
                    - { do: contacts.create, with: { email: \"{{ event.email }}\" } }\n";
const WEBHOOK_RECIPE: &str = "name: hook\ntrigger: { webhook: highlevel.ContactUpdate, hydrate: true }\nactions:\n  \
                    - { do: fitr.clients.get, with: { id: \"1\" } }\n";

fn refuse(stand_in: &StandIn, status: u16, message: &str) {
    let body = Some(json!({ "statusCode": status, "message": message }));
    let what = FaultKind::Status { status, body, headers: vec![] };
    let connector = Some("highlevel".to_owned());
    stand_in.sandbox.add_fault(Fault { connector, what, ..Fault::default() });
}

#[test]
fn connections_list_what_recipes_need_of_them() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[POLL, MANUAL_RECIPE, WEBHOOK_RECIPE, "name: broken\nactions: []\n"]);
    let asked = hob(folder.path(), &["connections", "--scopes", "--format", "json"]).code(0);
    assert!(asked.errors.contains("left out") && asked.errors.contains("broken"), "{}", asked.errors);
    let rows = asked.json();
    let of = |name: &str| {
        rows.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()["scopes"].clone()
    };
    let scopes = of("highlevel");
    let needed = |scope: &str| {
        scopes
            .as_array()
            .unwrap()
            .iter()
            .find(|needed| needed["scope"] == scope)
            .cloned()
            .unwrap_or(Value::Null)
    };
    let reads = needed("contacts.readonly");
    assert_eq!(reads["recipes"], json!(["hand", "hook", "poll"]), "{scopes:#}");
    for operation in [
        json!({ "operation": "contacts.search", "for": "poll" }),
        json!({ "operation": "contacts.get", "for": "hydrate" }),
        json!({ "operation": "contacts.get_duplicate", "for": "probe" }),
    ] {
        assert!(reads["operations"].as_array().unwrap().contains(&operation), "{operation} in {reads:#}");
    }
    assert_eq!(needed("contacts.write")["recipes"], json!(["hand"]));
    assert_eq!(needed("opportunities.readonly")["operations"][0]["for"], "step", "{scopes:#}");
    assert_eq!((needed("contacts.write")["listed"].clone(), of("fitr")), (Value::Null, json!([])));
    let text = hob(folder.path(), &["connections", "--scopes"]).code(0).output;
    for wanted in
        ["contacts.write", "contacts.search (poll)", "hand, hook, poll", "fitr (fitr): no recipe needs"]
    {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    // Not requested.
    let rows = hob(folder.path(), &["connections", "--format", "json"]).code(0).json();
    assert!(rows[0].get("scopes").is_none(), "{rows}");
}

#[test]
fn scopes_that_an_app_does_not_request_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("recipes/hand.yaml"), MANUAL_RECIPE).unwrap();
    let oauth = "{ client_id: c, client_secret: s3cr3t-s3cr3t, scopes: [contacts.readonly] }";
    let text = format!(
        "connections: {{ studio: {{ connector: highlevel, location: l, auth: {{ oauth: {oauth} }} }} }}\n"
    );
    fs::write(folder.path().join("hob.yaml"), text).unwrap();
    let text = hob(folder.path(), &["connections", "--scopes"]).code(0).output;
    assert!(text.contains("not listed under `scopes` in hob.yaml: `contacts.write`;"), "{text}");
}

#[test]
fn a_refusal_for_a_scope_names_it_wherever_people_look() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[MANUAL_RECIPE]);
    for (status, message) in
        [(401, "The token is not authorized for this scope."), (403, "Forbidden resource")]
    {
        stand_in.sandbox.clear_faults();
        refuse(&stand_in, status, message);
        let needs = format!("{message}; the operation needs the scope `contacts.write`");
        let called = hob(folder.path(), &["call", "contacts.create", "email=a@example.com"]);
        assert!(called.code != 0 && called.errors.contains(&needs), "{}", called.errors);
        assert!(called.errors.contains("hob connections --scopes"), "{}", called.errors);
        hob_with(folder.path(), &["trigger", "hand", "--event", "-"], r#"{"email":"b@example.com"}"#).code(0);
        hob(folder.path(), &["run", "--once"]).code(1);
        let run = runs(folder.path()).remove(0);
        assert!(run["error"].as_str().unwrap().contains(&needs), "{run}");
        let shown = hob(folder.path(), &["runs", "show", run["id"].as_str().unwrap()]).code(0).output;
        assert!(shown.contains(&needs), "{shown}");
    }
}
