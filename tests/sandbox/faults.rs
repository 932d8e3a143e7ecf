//! Injected faults, and the log that proves how often something was done.

use std::time::Duration;

use hob::sandbox::{ChangeKind, Fault, FaultKind};
use serde_json::{Value, json};

use super::client::Client;

fn fault(operation: &str, what: FaultKind, done: bool) -> Fault {
    Fault { operation: Some(operation.into()), what, done, times: Some(1), ..Fault::default() }
}

/// Contacts created according to the log.
fn created(client: &Client) -> usize {
    let changes = client.sandbox.log().into_iter().flat_map(|entry| entry.changes);
    changes.filter(|change| change.kind == ChangeKind::Created && change.collection == "contacts").count()
}

fn request(client: &Client, email: &str) -> reqwest::RequestBuilder {
    let operation = client.operation("contacts.create");
    let location = client.sandbox.settings("highlevel")["location"].clone();
    let inputs = json!({ "locationId": location, "email": email });
    client.request(&operation, inputs.as_object().expect("inputs"))
}

#[tokio::test]
async fn a_closed_connection_leaves_it_done_or_not() {
    let client = Client::start().await;
    for (done, count) in [(false, 0), (true, 1)] {
        client.sandbox.reset();
        client.sandbox.add_fault(fault("contacts.create", FaultKind::Close, done));
        assert!(request(&client, "f@example.com").send().await.is_err());
        assert_eq!(created(&client), count);
        let entry = client.sandbox.log().pop().expect("an entry");
        assert_eq!((entry.status, entry.fault), (0, Some(FaultKind::Close)));
        let again = client.send(request(&client, "f@example.com")).await;
        assert_eq!(again.status, if done { 400 } else { 201 });
    }
}

#[tokio::test]
async fn a_refusal_can_lie() {
    let client = Client::start().await;
    let what = FaultKind::Status { status: 422, body: None, headers: vec![] };
    client.sandbox.add_fault(fault("contacts.create", what, true));
    let answer = client.send(request(&client, "l@example.com")).await;
    assert_eq!((answer.status, answer.body["message"].is_array()), (422, true));
    let found = client.call("contacts.get_duplicate", json!({ "email": "l@example.com" })).await.ok("found");
    assert!(found["contact"]["id"].is_string());
}

#[tokio::test]
async fn servers_fail_without_doing_it() {
    let client = Client::start().await;
    for (status, message) in [(500, "Internal server error"), (429, "Too Many Requests")] {
        let what = FaultKind::Status { status, body: None, headers: vec![("X-Odd".into(), "yes".into())] };
        client.sandbox.add_fault(fault("contacts.create", what, false));
        let answer = client.send(request(&client, "s@example.com")).await;
        assert_eq!((answer.status, &answer.body["message"]), (status, &json!(message)));
        assert_eq!(answer.headers["x-odd"], "yes");
    }
    assert_eq!(created(&client), 0);
}

#[tokio::test]
async fn answers_hang_or_come_late_or_break_off() {
    let client = Client::start().await;
    client.sandbox.add_fault(fault("contacts.create", FaultKind::Hang, true));
    let hung = request(&client, "h@example.com").send();
    tokio::pin!(hung);
    let done = async {
        while created(&client) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        answer = &mut hung => panic!("is answered: {answer:?}"),
        () = done => {}
    }
    tokio::time::timeout(Duration::from_millis(100), hung).await.expect_err("no answer comes");
    client.sandbox.add_fault(fault("contacts.list", FaultKind::Delay(50), true));
    client.call("contacts.list", json!({})).await.ok("late");
    client.sandbox.add_fault(fault("contacts.create", FaultKind::Truncate, true));
    let response = request(&client, "b@example.com").send().await.expect("a beginning");
    assert!(response.bytes().await.is_err());
    assert_eq!(created(&client), 2);
}

#[tokio::test]
async fn a_frozen_cursor_never_advances() {
    let client = Client::start().await;
    let operation = Some("contacts.list".to_owned());
    client.sandbox.add_fault(Fault {
        operation,
        what: FaultKind::FrozenCursor,
        done: true,
        ..Fault::default()
    });
    let first = client.call("contacts.list", json!({ "limit": 5 })).await.ok("first");
    let cursor = json!({ "limit": 5, "startAfter": first["meta"]["startAfter"], "startAfterId": first["meta"]["startAfterId"] });
    let second = client.call("contacts.list", cursor).await.ok("second");
    assert_eq!(
        (&first["contacts"], &first["meta"]["startAfterId"]),
        (&second["contacts"], &second["meta"]["startAfterId"])
    );
}

#[tokio::test]
async fn control_goes_over_http_too() {
    let client = Client::start().await;
    let url = |path: &str| format!("http://{}/_sandbox/{path}", client.running.address());
    let fault = json!({ "operation": "contacts.list", "what": { "status": { "status": 503 } }, "times": 1 });
    assert_eq!(client.send(client.bare("POST", &url("faults")).json(&fault)).await.status, 204);
    assert_eq!(client.call("contacts.list", json!({})).await.status, 503);
    client.call("contacts.list", json!({})).await.ok("only once");
    let log = client.send(client.bare("GET", &url("log"))).await.ok("log");
    assert_eq!((&log["served"], &log["totals"]["contacts.list"]), (&json!(2), &json!(2)));
    assert_eq!((&log["entries"][0]["status"], &log["entries"][0]["method"]), (&json!(503), &json!("GET")));
    client.send(request(&client, "n@example.com")).await.ok("create");
    let state = client.send(client.bare("GET", &url("state"))).await.ok("state");
    assert_eq!(state["highlevel"]["contacts"], 41);
    let records = url("state?connector=fitr&collection=leads&limit=2");
    assert_eq!(
        client.send(client.bare("GET", &records)).await.ok("records").as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(client.send(client.bare("POST", &url("reset"))).await.status, 204);
    assert_eq!(client.sandbox.counts("highlevel")["contacts"], 40);
    assert!(client.sandbox.log().is_empty());
}

#[tokio::test]
async fn refresh_tokens_are_good_once() {
    let client = Client::start().await;
    let url = format!("{}/oauth/token", client.running.base_url("highlevel"));
    let grant = |fields: Value| client.send(client.bare("POST", &url).form(&fields));
    let first = grant(json!({ "grant_type": "authorization_code", "code": "x" })).await.ok("first");
    let code = grant(json!({ "grant_type": "authorization_code", "code": "x" })).await;
    assert_eq!(code.status, 400, "a code is good once as well");
    let refresh = json!({ "grant_type": "refresh_token", "refresh_token": first["refresh_token"] });
    let second = grant(refresh.clone()).await.ok("second");
    assert_ne!(first["access_token"], second["access_token"]);
    let again = grant(refresh).await;
    assert_eq!(
        (again.status, again.body["error_description"].as_str()),
        (400, Some("Invalid grant: refresh token is invalid"))
    );
    let location = client.sandbox.settings("highlevel")["location"].clone();
    let contacts = format!("{}/contacts/?locationId={location}", client.running.base_url("highlevel"));
    let token = second["access_token"].as_str().expect("a token");
    let request = client.bare("GET", &contacts).header("Version", "2021-07-28").bearer_auth(token);
    client.send(request).await.ok("with the new token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_never_make_one_contact_twice() {
    let client = Client::start().await;
    let requests = (0..200).map(|n| client.send(request(&client, &format!("p{}@example.com", n % 20))));
    let answers = futures::future::join_all(requests).await;
    let done = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.status == 400).count();
    assert_eq!((done, refused, created(&client)), (20, 180, 20));
    assert_eq!(client.sandbox.counts("highlevel")["contacts"], 60);
    assert_eq!(client.sandbox.totals().0, 200);
}
