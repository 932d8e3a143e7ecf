//! A customer's history is found by e-mail address, phone number, record and run, across recipes and apps.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::program::hob;
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, runs, trigger, workspace};

const UPSERT: &str = "name: form
connections: { highlevel: highlevel }
trigger: { manual: {} }
actions:
  - id: contact
    do: contacts.upsert
    with: { email: \"{{ event.contact.email }}\", firstName: \"{{ event.first }}\" }
";

const NUMBER: &str = "name: call
connections: { highlevel: highlevel }
trigger: { manual: {} }
actions:
  - id: contact
    do: contacts.upsert
    with: { email: \"{{ event.of }}\", phone: \"{{ event.number | e164('GB') }}\" }
";

fn found(folder: &Path, text: &str) -> Vec<Value> {
    let found = hob(folder, &["find", text, "--format", "json"]).code(0).json();
    assert_eq!(found["not_indexed_since"], Value::Null, "{found:#}");
    found["moments"].as_array().unwrap().clone()
}

fn kinds(moments: &[Value]) -> Vec<&str> {
    moments.iter().map(|moment| moment["what"].as_str().unwrap()).collect()
}

#[test]
fn a_customer_is_found_by_whatever_names_them() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[UPSERT, NUMBER]);
    let path = folder.path();
    assert!(hob(path, &["find", "ann@example.com"]).code(0).errors.contains("nothing is known"));
    trigger(path, "form", &json!({ "contact": { "email": "ann@example.com" }, "first": "Ann" }));
    trigger(path, "form", &json!({ "contact": { "email": "bob@example.com" }, "first": "Bob" }));
    hob(path, &ONCE).code(0);
    trigger(path, "form", &json!({ "contact": { "email": "ann@example.com" }, "first": "Anne" }));
    // The address stands only in what this run writes, and the number only there in this form.
    trigger(path, "call", &json!({ "of": "ann@example.com", "number": "020 7946 0018" }));
    hob(path, &ONCE).code(0);

    let by_mail = found(path, " ANN@example.com");
    let mut told = kinds(&by_mail);
    let at = |moment: &Value| moment["at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert!(by_mail.iter().map(at).is_sorted(), "{by_mail:#?}");
    told.sort_unstable();
    assert_eq!(told, ["event", "event", "event", "run", "run", "run", "write", "write", "write"]);
    let text = serde_json::to_string(&by_mail).unwrap();
    assert!(!text.contains("bob@") && !text.contains("Bob"), "{text}");
    let names: Vec<&Value> = by_mail
        .iter()
        .filter(|moment| moment["what"] == "write")
        .flat_map(|moment| moment["fields"].as_array().unwrap())
        .filter(|field| field["field"] == "firstName")
        .collect();
    let (first, second) = (
        json!({ "field": "firstName", "after": "Ann" }),
        json!({ "field": "firstName", "before": "Ann", "after": "Anne" }),
    );
    assert_eq!(names, [&first, &second]);

    let contact =
        by_mail.iter().find(|moment| moment["what"] == "write").unwrap()["record"].as_str().unwrap();
    for text in ["+44 20 7946 0018", "02079460018", contact] {
        assert_eq!(found(path, text), by_mail, "{text}");
    }
    let run = runs(path)[0]["id"].as_str().unwrap().to_owned();
    assert!(found(path, &run[..run.len() - 1]).iter().any(|moment| moment["run"] == *run));
    assert!(found(path, "carol@example.com").is_empty());

    let page = hob(path, &["find", "ann@example.com"]).code(0).output;
    for part in [
        "event  manual",
        "write  form contacts.upsert on highlevel to ",
        "firstName: \"Ann\" → \"Anne\"",
        "run    call succeeded",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let newest = hob(path, &["find", "ann@example.com", "--limit", "2", "--format", "json"]).code(0).json();
    assert_eq!(
        (newest["moments"].as_array().unwrap().len(), &newest["more"]),
        (2, &json!(true)),
        "{newest:#}"
    );
}

#[test]
fn the_index_holds_no_address() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[UPSERT]);
    let path = folder.path();
    trigger(path, "form", &json!({ "contact": { "email": "ann@example.com" }, "first": "Ann" }));
    hob(path, &ONCE).code(0);
    // Filled by `hob run --once`.
    let store = rusqlite::Connection::open(path.join("state/hob.db")).unwrap();
    let mut read = store.prepare("SELECT key, event FROM identifiers").unwrap();
    let keys: Vec<(Vec<u8>, i64)> =
        read.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert_eq!(keys[0].0.len(), 16);
}
