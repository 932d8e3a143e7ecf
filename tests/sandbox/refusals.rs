//! Requests that the real API rejects are rejected with its messages.

use chrono::TimeDelta;
use hob::sandbox::Budget;
use serde_json::{Value, json};

use super::client::Client;

#[tokio::test]
async fn credentials_are_looked_at_first() {
    let client = Client::start().await;
    let url = client.running.base_url("highlevel");
    for token in [None, Some("bad"), Some("")] {
        let mut request = client.bare("GET", &format!("{url}/contacts/")).header("Version", "2021-07-28");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = client.send(request).await;
        assert_eq!((answer.status, &answer.body["message"]), (401, &json!("Invalid JWT")), "{token:?}");
    }
}

#[tokio::test]
async fn paths_are_literal() {
    let client = Client::start().await;
    let status = async |path: &str| client.send(client.raw("GET", "highlevel", path)).await.status;
    assert_eq!(
        (status("/Contacts/").await, status("/nothing/here").await, status("/contacts").await),
        (401, 404, 404)
    );
    let unknown = client.send(client.bare("GET", &client.running.base_url("nobody"))).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn the_version_belongs_to_the_operation() {
    let client = Client::start().await;
    let location = client.sandbox.settings("highlevel")["location"].clone();
    let calendars = format!("/calendars/?locationId={location}");
    let mut statuses = Vec::new();
    for version in [None, Some("2021-07-28"), Some("2021-04-15")] {
        let mut request = client.raw("GET", "highlevel", &calendars);
        if let Some(version) = version {
            request = request.header("Version", version);
        }
        statuses.push(client.send(request).await.status);
    }
    assert_eq!(statuses, [401, 401, 200]);
}

#[tokio::test]
async fn the_location_must_be_the_tokens() {
    let client = Client::start().await;
    let message = json!("The token does not have access to this location.");
    let other = client.call("contacts.list", json!({ "locationId": "another" })).await;
    assert_eq!((other.status, &other.body["message"]), (403, &message));
    let missing = client.raw("GET", "highlevel", "/contacts/").header("Version", "2021-07-28");
    let missing = client.send(missing).await;
    assert_eq!((missing.status, &missing.body["message"]), (403, &message));
    let body = client.call("contacts.create", json!({ "locationId": "another" })).await;
    assert_eq!(body.status, 403);
}

#[tokio::test]
async fn all_mistakes_are_listed_at_once() {
    let client = Client::start().await;
    let contact = client.sandbox.example("contacts.get").expect("a request")["contactId"].clone();
    let task = json!({ "contactId": contact, "title": 5, "completed": false, "colour": "red" });
    let task = client.call("contacts.tasks.create", task).await;
    assert_eq!(task.status, 422);
    let told =
        json!(["title must be a string", "property colour should not exist", "dueDate should not be empty"]);
    assert_eq!(task.body["message"], told);
    let query = client.call("contacts.list", json!({ "limit": 101 })).await;
    assert_eq!((query.status, &query.body["message"]), (400, &json!("limit must not be greater than 100")));
    let location = client.sandbox.settings("highlevel")["location"].clone();
    let unknown = client.raw("GET", "highlevel", &format!("/contacts/?locationId={location}&page=2"));
    let unknown = client.send(unknown.header("Version", "2021-07-28")).await;
    assert_eq!((unknown.status, &unknown.body["message"]), (422, &json!(["property page should not exist"])));
}

#[tokio::test]
async fn windows_need_an_owner() {
    let client = Client::start().await;
    let window = json!({ "startTime": "1793318400000", "endTime": "1798761600000" });
    assert_eq!(client.call("calendars.events.list", window).await.status, 422);
    let too_long = json!({ "startDate": 0, "endDate": 3_000_000_000i64 });
    let mut inputs = client.sandbox.example("calendars.free_slots.list").expect("a request");
    inputs.extend(too_long.as_object().expect("inputs").clone());
    assert_eq!(client.call("calendars.free_slots.list", Value::Object(inputs)).await.status, 400);
}

#[tokio::test]
async fn duplicates_name_the_contact_they_meet() {
    let client = Client::start().await;
    let create = |fields: Value| client.call("contacts.create", fields);
    let first = create(json!({ "email": "d@example.com", "firstName": "Dee", "phone": "+447700900222" }))
        .await
        .ok("first");
    for (fields, field) in [
        (json!({ "email": "D@example.com" }), "email"),
        (json!({ "email": "e@example.com", "phone": "07700 900222" }), "phone"),
    ] {
        let answer = create(fields).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.body["message"], "This location does not allow duplicated contacts.");
        let meta =
            json!({ "contactId": first["contact"]["id"], "contactName": "dee", "matchingField": field });
        assert_eq!(answer.body["meta"], meta);
    }
    let opportunity = Value::Object(client.sandbox.example("opportunities.create").expect("a request"));
    client.call("opportunities.create", opportunity.clone()).await.ok("opportunity");
    assert_eq!(client.call("opportunities.create", opportunity).await.status, 400);
}

#[tokio::test]
async fn unknown_records_and_other_parents_are_not_found() {
    let client = Client::start().await;
    assert_eq!(client.call("contacts.get", json!({ "contactId": "nobody" })).await.status, 400);
    assert_eq!(client.call("businesses.get", json!({ "businessId": "nothing" })).await.status, 404);
    let task = client.sandbox.example("contacts.tasks.get").expect("a request")["taskId"].clone();
    let other =
        client.call("contacts.list", json!({ "limit": 1 })).await.ok("list")["contacts"][0]["id"].clone();
    assert_eq!(
        client.call("contacts.tasks.get", json!({ "contactId": other, "taskId": task })).await.status,
        404
    );
    assert_eq!(client.call("contacts.tasks.list", json!({ "contactId": "nobody" })).await.status, 400);
    let fitr = client.call("fitr.clients.get", json!({ "id": "cl_none" })).await;
    assert_eq!((fitr.status, &fitr.body["error"]["code"]), (404, &json!("not_found")));
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused() {
    let client = Client::start().await;
    let request = client.raw("POST", "highlevel", "/contacts/").header("Version", "2021-07-28");
    let request = request.header("Content-Type", "application/json").body("{ \"email\": ");
    assert_eq!(client.send(request).await.status, 400);
}

#[tokio::test]
async fn the_budget_is_reported_and_enforced() {
    let client = Client::start_with(|options| options.budget = Budget::Usual).await;
    let first = client.call("contacts.list", json!({})).await;
    let header =
        |name: &str| first.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    assert_eq!(header("x-ratelimit-max").as_deref(), Some("100"));
    assert_eq!(header("x-ratelimit-remaining").as_deref(), Some("99"));
    assert_eq!(header("x-ratelimit-interval-milliseconds").as_deref(), Some("10000"));
    assert_eq!(header("x-ratelimit-daily-remaining").as_deref(), Some("199999"));
    for _ in 0..99 {
        client.call("contacts.list", json!({ "limit": 1 })).await.ok("within");
    }
    let beyond = client.call("contacts.list", json!({})).await;
    assert_eq!((beyond.status, beyond.headers.get("retry-after")), (429, None));
    assert_eq!(beyond.headers["x-ratelimit-remaining"], "0");
    client.clock.advance(TimeDelta::seconds(10));
    client.call("contacts.list", json!({})).await.ok("in the next window");
}
