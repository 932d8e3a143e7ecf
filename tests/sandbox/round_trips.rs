//! Created records can be read, listed, changed and deleted.

use hob::catalog::path;
use serde_json::{Value, json};

use super::client::Client;

/// The operations of one kind of record.
struct Kind {
    create: &'static str,
    get: Option<&'static str>,
    list: Option<(&'static str, Value)>,
    update: (&'static str, &'static str, Value),
    delete: Option<&'static str>,
    /// Input that takes the record's id.
    id: &'static str,
}

fn kind(
    create: &'static str,
    get: &'static str,
    list: &'static str,
    update: (&'static str, &'static str, Value),
    delete: &'static str,
    id: &'static str,
) -> Kind {
    let some = |name: &'static str| Some(name).filter(|name| !name.is_empty());
    let list = some(list).map(|list| (list, json!({})));
    Kind { create, get: some(get), list, update, delete: some(delete), id }
}

fn kinds() -> Vec<Kind> {
    let window = json!({
        "userId": null,
        "startTime": "1793318400000",
        "endTime": "1798761600000",
    });
    let mut kinds = vec![
        kind(
            "contacts.create",
            "contacts.get",
            "contacts.list",
            ("contacts.update", "city", json!("York")),
            "contacts.delete",
            "contactId",
        ),
        kind(
            "contacts.tasks.create",
            "contacts.tasks.get",
            "contacts.tasks.list",
            ("contacts.tasks.update", "title", json!("Changed")),
            "contacts.tasks.delete",
            "taskId",
        ),
        kind(
            "contacts.notes.create",
            "contacts.notes.get",
            "contacts.notes.list",
            ("contacts.notes.update", "body", json!("Changed")),
            "contacts.notes.delete",
            "id",
        ),
        kind(
            "calendars.create",
            "calendars.get",
            "calendars.list",
            ("calendars.update", "name", json!("Changed")),
            "calendars.delete",
            "calendarId",
        ),
        kind(
            "calendars.groups.create",
            "",
            "calendars.groups.list",
            ("calendars.groups.update", "name", json!("Changed")),
            "calendars.groups.delete",
            "groupId",
        ),
        kind(
            "calendars.resources.create",
            "calendars.resources.get",
            "calendars.resources.list",
            ("calendars.resources.update", "name", json!("Changed")),
            "calendars.resources.delete",
            "id",
        ),
        kind(
            "calendars.appointments.create",
            "calendars.appointments.get",
            "contacts.appointments.list",
            ("calendars.appointments.update", "title", json!("Changed")),
            "calendars.events.delete",
            "eventId",
        ),
        kind(
            "calendars.appointments.notes.create",
            "",
            "calendars.appointments.notes.list",
            ("calendars.appointments.notes.update", "body", json!("Changed")),
            "calendars.appointments.notes.delete",
            "noteId",
        ),
        kind(
            "opportunities.create",
            "opportunities.get",
            "opportunities.search",
            ("opportunities.update", "monetaryValue", json!(77)),
            "opportunities.delete",
            "id",
        ),
        kind(
            "users.create",
            "users.get",
            "users.search",
            ("users.update", "lastName", json!("Changed")),
            "users.delete",
            "userId",
        ),
        kind(
            "businesses.create",
            "businesses.get",
            "businesses.list",
            ("businesses.update", "name", json!("Changed")),
            "businesses.delete",
            "businessId",
        ),
        kind(
            "associations.create",
            "associations.get",
            "associations.list",
            ("associations.update", "firstObjectLabel", json!("Changed")),
            "associations.delete",
            "associationId",
        ),
        kind(
            "blogs.posts.create",
            "",
            "blogs.posts.list",
            ("blogs.posts.update", "title", json!("Changed")),
            "",
            "postId",
        ),
        kind(
            "fitr.clients.create",
            "fitr.clients.get",
            "fitr.clients.list",
            ("fitr.clients.update", "status", json!("Active")),
            "",
            "id",
        ),
        kind(
            "fitr.tasks.create",
            "fitr.tasks.get",
            "fitr.tasks.list",
            ("fitr.tasks.update", "title", json!("Changed")),
            "fitr.tasks.delete",
            "id",
        ),
        kind(
            "fitr.notes.create",
            "fitr.notes.get",
            "fitr.notes.list",
            ("fitr.notes.update", "text", json!("Changed")),
            "fitr.notes.delete",
            "id",
        ),
        kind(
            "fitr.leads.create",
            "fitr.leads.get",
            "fitr.leads.list",
            ("fitr.leads.update", "stage", json!("contacted")),
            "",
            "id",
        ),
    ];
    let mut blocked = kind(
        "calendars.block_slots.create",
        "",
        "",
        ("calendars.block_slots.update", "title", json!("Changed")),
        "calendars.events.delete",
        "eventId",
    );
    blocked.list = Some(("calendars.block_slots.list", window));
    kinds.push(blocked);
    kinds
}

/// The inputs of a valid request, overridden by `changes`; null removes an input.
fn inputs(client: &Client, operation: &str, base: &Value, changes: &Value) -> Value {
    let mut inputs = client.sandbox.example(operation).expect("a request");
    let known = client.operation(operation);
    for (name, value) in base.as_object().into_iter().chain(changes.as_object()).flatten() {
        match value {
            Value::Null => inputs.remove(name),
            _ if known.input(name).is_some() => inputs.insert(name.clone(), value.clone()),
            _ => None,
        };
    }
    Value::Object(inputs)
}

fn id_of(record: &Value) -> Option<&str> {
    record["id"].as_str().or_else(|| record["_id"].as_str())
}

async fn listed(client: &Client, kind: &Kind, base: &Value, id: &str) -> bool {
    let Some((list, more)) = &kind.list else { return true };
    let operation = client.operation(list);
    let answer = client.call(list, inputs(client, list, base, more)).await.ok(list);
    let items = path::read_first(&answer, &operation.list.as_ref().expect("a list").items).expect("items");
    items.as_array().expect("a list").iter().any(|item| id_of(item) == Some(id))
}

async fn round_trip(client: &Client, kind: &Kind) {
    let create = kind.create;
    let mut base = Value::Object(client.sandbox.example(create).expect("a request"));
    let answer = client.call(create, base.clone()).await.ok(create);
    let record = path::read_first(&answer, &client.operation(create).result).expect(create);
    let id = id_of(&record).unwrap_or_else(|| panic!("{create}: no id in {record}")).to_owned();
    base[kind.id] = json!(id);
    assert!(listed(client, kind, &base, &id).await, "{create}: {id} is not listed");

    let (update, field, value) = &kind.update;
    client.call(update, inputs(client, update, &base, &json!({ (*field): value }))).await.ok(update);
    if let Some(get) = kind.get {
        let answer = client.call(get, inputs(client, get, &base, &json!({}))).await.ok(get);
        let record = path::read_first(&answer, &client.operation(get).result).expect(get);
        assert_eq!(&record[field], value, "{get} after {update}: {record}");
    }

    let Some(delete) = kind.delete else { return };
    client.call(delete, inputs(client, delete, &base, &json!({}))).await.ok(delete);
    assert!(!listed(client, kind, &base, &id).await, "{delete}: {id} is still listed");
    if let Some(get) = kind.get {
        let status = client.call(get, inputs(client, get, &base, &json!({}))).await.status;
        assert!(status == 404 || status == 400, "{get} after {delete}: {status}");
    }
}

#[tokio::test]
async fn records_live_and_die() {
    let client = Client::start().await;
    for kind in kinds() {
        round_trip(&client, &kind).await;
    }
}

#[tokio::test]
async fn messages_make_conversations() {
    let client = Client::start().await;
    let contact = client.call("contacts.create", json!({ "email": "talk@example.com" })).await.ok("create");
    let contact = &contact["contact"]["id"];
    let send = json!({ "type": "Email", "contactId": contact, "subject": "Hi", "html": "<p>Hi</p>" });
    let sent = client.call("conversations.messages.send", send).await.ok("send");
    let list = json!({ "conversationId": sent["conversationId"] });
    let messages = client.call("conversations.messages.list", list).await.ok("list");
    assert_eq!(messages["messages"]["messages"][0]["id"], sent["messageId"]);
    let email =
        client.call("conversations.emails.get", json!({ "id": sent["emailMessageId"] })).await.ok("email");
    assert_eq!(email["emailMessage"]["subject"], "Hi");
    let again = json!({ "type": "SMS", "contactId": contact, "message": "More" });
    let again = client.call("conversations.messages.send", again).await.ok("again");
    assert_eq!(again["conversationId"], sent["conversationId"]);
}

#[tokio::test]
async fn a_taken_time_is_no_longer_free() {
    let client = Client::start().await;
    let inputs = Value::Object(client.sandbox.example("calendars.free_slots.list").expect("a request"));
    let free = client.call("calendars.free_slots.list", inputs.clone()).await.ok("slots");
    let slot = free["2026-11-03"]["slots"][0].clone();
    let contact = client.sandbox.example("contacts.get").expect("a request")["contactId"].clone();
    let book = json!({ "calendarId": inputs["calendarId"], "contactId": contact, "startTime": slot });
    client.call("calendars.appointments.create", book).await.ok("book");
    let free = client.call("calendars.free_slots.list", inputs).await.ok("slots");
    assert!(!free["2026-11-03"]["slots"].as_array().expect("slots").contains(&slot));
    assert!(free.get("2026-11-07").is_none(), "Saturdays are off");
}
