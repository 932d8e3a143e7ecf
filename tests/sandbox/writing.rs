//! Effects of writes: tags, upserts, phones, times, merged custom fields.

use chrono::{DateTime, TimeDelta, Utc};
use hob::run::probe::{Search, SearchOutcome, Window, inputs, items};
use serde_json::{Value, json};

use super::client::Client;

async fn create(client: &Client, fields: Value) -> Value {
    client.call("contacts.create", fields).await.ok("contacts.create")["contact"].clone()
}

#[tokio::test]
async fn tags_are_lower_case_replaced_or_added() {
    let client = Client::start().await;
    let id = create(&client, json!({ "email": "t@example.com", "tags": ["VIP", "New"] })).await["id"].clone();
    let added = json!({ "contactId": id, "tags": ["Extra", "vip"] });
    let added = client.call("contacts.tags.add", added).await.ok("add");
    assert_eq!((&added["tags"], &added["tagsAdded"]), (&json!(["vip", "new", "extra"]), &json!(["extra"])));
    let removed = json!({ "contactId": id, "tags": ["NEW"] });
    assert_eq!(
        client.call("contacts.tags.remove", removed).await.ok("remove")["tags"],
        json!(["vip", "extra"])
    );
    let updated = json!({ "contactId": id, "tags": ["Only"] });
    assert_eq!(
        client.call("contacts.update", updated).await.ok("update")["contact"]["tags"],
        json!(["only"])
    );
    let upserted = json!({ "email": "t@example.com", "tags": ["Last"] });
    assert_eq!(
        client.call("contacts.upsert", upserted).await.ok("upsert")["contact"]["tags"],
        json!(["last"])
    );
}

#[tokio::test]
async fn bulk_tags_say_which_failed() {
    let client = Client::start().await;
    let id = create(&client, json!({ "email": "b@example.com" })).await["id"].clone();
    let bulk = json!({ "type": "add", "contacts": [id, "nobody"], "tags": ["Bulk"] });
    let bulk = client.call("contacts.tags.bulk_update", bulk).await.ok("bulk");
    assert_eq!(bulk["errorCount"], 1);
    assert_eq!(bulk["responses"][0]["tagsAdded"], json!(["bulk"]));
    assert_eq!(bulk["responses"][1]["type"], "error");
}

#[tokio::test]
async fn an_upsert_shows_whether_it_created() {
    let client = Client::start().await;
    let first = client.call("contacts.upsert", json!({ "email": "U@example.com" })).await.ok("first");
    let second = client
        .call("contacts.upsert", json!({ "email": "u@EXAMPLE.com", "city": "Bath" }))
        .await
        .ok("second");
    assert_eq!((&first["new"], &second["new"]), (&json!(true), &json!(false)));
    assert_eq!(first["contact"]["id"], second["contact"]["id"]);
    assert_eq!(second["contact"]["city"], "Bath");
}

#[tokio::test]
async fn an_upsert_that_fits_two_changes_the_first_and_leaves_the_other_field() {
    let client = Client::start().await;
    let by_email = create(&client, json!({ "email": "one@example.com" })).await;
    create(&client, json!({ "phone": "+447700900111" })).await;
    let both = json!({ "email": "one@example.com", "phone": "+447700900111", "city": "Hull" });
    let both = client.call("contacts.upsert", both).await.ok("upsert");
    assert_eq!(both["contact"]["id"], by_email["id"]);
    assert_eq!((&both["contact"]["city"], both["contact"].get("phone")), (&json!("Hull"), None));
}

#[tokio::test]
async fn phones_are_e164_and_names_are_split() {
    let client = Client::start().await;
    let contact = create(&client, json!({ "name": "Ada May King", "phone": "07700 900 123" })).await;
    assert_eq!(contact["phone"], "+447700900123");
    assert_eq!((&contact["firstName"], &contact["lastName"]), (&json!("Ada"), &json!("May King")));
    assert_eq!(contact["contactName"], "ada may king");
    let found = client.call("contacts.get_duplicate", json!({ "number": "+447700900123" })).await.ok("found");
    assert_eq!(found["contact"]["id"], contact["id"]);
    let none = client.call("contacts.get_duplicate", json!({ "email": "no@example.com" })).await.ok("none");
    assert_eq!(none["contact"], Value::Null);
}

#[tokio::test]
async fn custom_fields_are_written_one_way_and_read_another() {
    let client = Client::start().await;
    let location = client.sandbox.settings("highlevel")["location"].clone();
    let fields =
        client.call("locations.custom_fields.list", json!({ "locationId": location })).await.ok("fields");
    let goal = fields["customFields"][0]["id"].clone();
    let written = json!([{ "key": "contact.training_goal", "field_value": "Marathon" }]);
    let contact = create(&client, json!({ "email": "c@example.com", "customFields": written })).await;
    assert_eq!(contact["customFields"], json!([{ "id": goal, "value": "Marathon" }]));
    let other = fields["customFields"][1]["id"].clone();
    let more =
        json!({ "contactId": contact["id"], "customFields": [{ "id": other, "field_value": "cl_1" }] });
    let updated = client.call("contacts.update", more).await.ok("update");
    assert_eq!(updated["contact"]["customFields"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn the_time_of_the_last_change_moves() {
    let client = Client::start().await;
    let contact = create(&client, json!({ "email": "m@example.com" })).await;
    assert_eq!(contact["dateUpdated"], "2026-11-23T09:00:00.000Z");
    client.clock.advance(TimeDelta::seconds(90));
    let change = json!({ "contactId": contact["id"], "city": "Ely" });
    let changed = client.call("contacts.update", change).await.ok("update")["contact"].clone();
    assert_eq!(changed["dateAdded"], contact["dateAdded"]);
    assert_eq!(changed["dateUpdated"], "2026-11-23T09:01:30.000Z");
}

#[tokio::test]
async fn a_fitr_client_shows_its_notes_and_changes_with_them() {
    let client = Client::start().await;
    let before = client.call("fitr.clients.get", json!({ "id": "cl_81d5kq2v" })).await.ok("get");
    let note = json!({ "client_id": "cl_81d5kq2v", "text": "New shoes." });
    client.call("fitr.notes.create", note).await.ok("note");
    let after = client.call("fitr.clients.get", json!({ "id": "cl_81d5kq2v" })).await.ok("get");
    let texts = |client: &Value| client["data"]["notes"].as_array().map(Vec::len);
    assert_eq!(texts(&after), texts(&before).map(|count| count + 1));
    assert_ne!(after["data"]["updated_at"], before["data"]["updated_at"]);
    let since = json!({ "updated_since": "2026-11-23T00:00:00Z" });
    let changed = client.call("fitr.clients.list", since).await.ok("list");
    assert_eq!(changed["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn every_start_is_the_same() {
    let state = |client: &Client| {
        let connectors: Vec<String> = client.sandbox.connectors().map(str::to_owned).collect();
        let collections = connectors.iter().flat_map(|connector| {
            client.sandbox.counts(connector).into_keys().map(move |name| (connector.clone(), name))
        });
        collections
            .map(|(connector, name)| json!(client.sandbox.records(&connector, &name, 1000)).to_string())
            .collect::<Vec<_>>()
    };
    let first = Client::start().await;
    let second = Client::start_with(|options| options.clock = hob::clock::Clock::system()).await;
    assert_eq!(state(&first), state(&second));
    create(&first, json!({ "email": "x@example.com" })).await;
    assert_ne!(state(&first), state(&second));
    first.sandbox.reset();
    assert_eq!(state(&first), state(&second));
}

#[tokio::test]
async fn the_outcome_of_a_lost_contact_is_visible() {
    let client = Client::start().await;
    let operation = client.operation("contacts.create");
    let probe = operation.probe.as_ref().unwrap();
    let made = create(&client, json!({ "email": "lost@example.com" })).await;
    let at: DateTime<Utc> = made["dateAdded"].as_str().unwrap().parse().unwrap();
    let seen = async |email: &str, at| {
        let sent = json!({ "email": email });
        let sent = sent.as_object().unwrap();
        let answer = client.call(&probe.operation, Value::Object(inputs(probe, sent))).await.ok("asked");
        let items = items(&client.operation(&probe.operation), &answer).expect("a contact or none");
        let mut search = Search::new(probe, sent, Window { sent: at, missed: at }).unwrap();
        search.page(&items);
        search.end(probe, &[])
    };
    assert!(
        matches!(seen("lost@example.com", at).await, SearchOutcome::Found(found) if found["id"] == made["id"])
    );
    assert_eq!(seen("none@example.com", at).await, SearchOutcome::Absent);
    // If a location allows duplicates, the older one may come before the new one.
    assert!(matches!(seen("lost@example.com", at + TimeDelta::days(1)).await, SearchOutcome::Unclear(_)));
}
