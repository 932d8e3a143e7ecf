//! Lists page like the real ones, including their pitfalls.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use hob::catalog::{NextValue, Paging, path};
use serde_json::{Map, Value, json};

use super::client::Client;

fn items(client: &Client, operation: &str, answer: &Value) -> Vec<Value> {
    let operation = client.operation(operation);
    let list = operation.list.as_ref().expect("a list");
    let found = path::read_first(answer, &list.items).expect("items");
    found.as_array().expect("a list").clone()
}

fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["id"].as_str().or(item["_id"].as_str()).expect("an id").to_owned()).collect()
}

/// Inputs for the next page, according to the catalog; `None` if there is none.
fn next(
    paging: &Paging,
    inputs: &mut Map<String, Value>,
    answer: &Value,
    items: &[Value],
    size: usize,
) -> Option<()> {
    let last = items.last()?;
    match paging {
        Paging::None | Paging::Link { .. } => return None,
        Paging::Offset { offset, .. } => {
            let skipped = inputs.get(offset).and_then(Value::as_u64).unwrap_or(0);
            inputs.insert(offset.clone(), json!(skipped + items.len() as u64));
        }
        Paging::Page { page, first, .. } => {
            let number = inputs.get(page).and_then(Value::as_u64).unwrap_or(u64::from(*first));
            inputs.insert(page.clone(), json!(number + 1));
        }
        Paging::Cursor { next, .. } => {
            for (input, value) in next {
                let value = match value {
                    NextValue::Answer { path } => path::read(answer, path),
                    NextValue::LastItem { paths, .. } => path::read_first(last, paths),
                };
                inputs.insert(input.clone(), value.filter(|value| !value.is_null())?);
            }
        }
    }
    (items.len() == size).then_some(())
}

/// Reads a list to its end; returns the ids in order and the number of requests.
async fn read(
    client: &Client,
    operation: &str,
    mut inputs: Map<String, Value>,
    size: usize,
) -> (Vec<String>, usize) {
    let described = client.operation(operation);
    let paging = &described.list.as_ref().expect("a list").paging;
    let limit = match paging {
        Paging::Offset { limit, .. } => Some(limit),
        Paging::Page { limit, .. } | Paging::Cursor { limit, .. } => limit.as_ref(),
        _ => None,
    };
    if let Some(limit) = limit {
        inputs.insert(limit.clone(), json!(size));
    }
    let mut found = Vec::new();
    for requests in 1.. {
        let mut answer = client.call(operation, Value::Object(inputs.clone())).await.ok(operation);
        let items = take_items(&mut answer, &described.list.as_ref().expect("a list").items[0]);
        found.extend(ids(&items));
        if next(paging, &mut inputs, &answer, &items, size).is_none() {
            return (found, requests);
        }
    }
    unreachable!()
}

#[tokio::test]
async fn every_paged_list_reads_each_record_once() {
    let client = Client::start().await;
    let paged = [
        ("contacts.list", "contacts", 7),
        ("contacts.search", "contacts", 7),
        ("opportunities.search", "opportunities", 5),
        ("conversations.search", "conversations", 5),
        ("users.search", "users", 3),
        ("businesses.list", "businesses", 2),
        ("blogs.posts.list", "blog_posts", 1),
        ("associations.list", "associations", 1),
        ("fitr.clients.list", "clients", 3),
        ("fitr.tasks.list", "tasks", 4),
        ("fitr.leads.list", "leads", 3),
    ];
    for (operation, collection, size) in paged {
        let inputs = client.sandbox.example(operation).expect("a request");
        let inputs = inputs.into_iter().filter(|(name, _)| name != "offset" && name != "skip").collect();
        let inputs = with_first_offset(&client, operation, inputs);
        let (found, requests) = read(&client, operation, inputs, size).await;
        let distinct: HashSet<&String> = found.iter().collect();
        let all = client.sandbox.counts(&client.operation(operation).connector)[collection];
        assert_eq!((found.len(), distinct.len()), (all, all), "{operation}");
        assert!(requests >= all.div_ceil(size), "{operation}: {requests} requests");
    }
}

/// Lists that require a start.
fn with_first_offset(client: &Client, operation: &str, mut inputs: Map<String, Value>) -> Map<String, Value> {
    let described = client.operation(operation);
    if let Some(Paging::Offset { offset, .. }) = described.list.as_ref().map(|list| &list.paging) {
        inputs.insert(offset.clone(), json!(0));
    }
    inputs
}

#[tokio::test]
async fn half_a_cursor_repeats_page_one() {
    let client = Client::start().await;
    let page = async |inputs: Value| {
        let answer = client.call("contacts.list", inputs).await.ok("list");
        (ids(&items(&client, "contacts.list", &answer)), answer["meta"].clone())
    };
    let (first, meta) = page(json!({ "limit": 10 })).await;
    let (trap, _) = page(json!({ "limit": 10, "startAfter": meta["startAfter"] })).await;
    assert_eq!(trap, first);
    let both = json!({ "limit": 10, "startAfter": meta["startAfter"], "startAfterId": meta["startAfterId"] });
    let (second, _) = page(both).await;
    assert!(second.iter().all(|id| !first.contains(id)));
    let (last, meta) = page(json!({ "limit": 100 })).await;
    assert!(last.len() < 100 && meta["startAfterId"].is_string(), "the last page has a cursor too: {meta}");
}

#[tokio::test]
async fn a_search_pages_by_record_or_by_number_never_both() {
    let client = Client::start().await;
    let search = |inputs: Value| client.call("contacts.search", inputs);
    let newest = json!([{ "field": "dateUpdated", "direction": "desc" }]);
    let first = search(json!({ "pageLimit": 5, "sort": newest })).await.ok("first");
    let contacts = items(&client, "contacts.search", &first);
    // The cursor is the record's own, so a page may continue from any of its records.
    let middle = json!({ "pageLimit": 5, "sort": newest, "searchAfter": contacts[2]["searchAfter"] });
    let middle = search(middle).await.ok("middle");
    assert_eq!(items(&client, "contacts.search", &middle)[0], contacts[3]);
    let second = search(json!({ "pageLimit": 2, "page": 2, "sort": newest })).await.ok("second");
    assert_eq!(ids(&items(&client, "contacts.search", &second)), ids(&contacts[2..4]));
    let both = json!({ "pageLimit": 2, "page": 2, "searchAfter": contacts[2]["searchAfter"] });
    assert_eq!(search(both).await.status, 422);
    assert_eq!(search(json!({ "pageLimit": 500, "page": 21 })).await.status, 400);
    assert_eq!(search(json!({ "pageLimit": 501 })).await.status, 400);
}

#[tokio::test]
async fn a_search_filters_and_sorts() {
    let client = Client::start().await;
    let find = async |filters: Value| {
        let answer =
            client.call("contacts.search", json!({ "pageLimit": 50, "filters": filters })).await.ok("search");
        let names = items(&client, "contacts.search", &answer);
        names
            .iter()
            .map(|contact| contact["email"].as_str().expect("an e-mail").to_owned())
            .collect::<Vec<_>>()
    };
    let rosa = json!([{ "field": "email", "operator": "eq", "value": "rosa.whitfield@example.com" }]);
    assert_eq!(find(rosa).await, ["rosa.whitfield@example.com"]);
    let either = json!([{ "group": "OR", "filters": [
        { "field": "email", "operator": "contains", "value": "whitfield" },
        { "field": "tags", "operator": "contains", "value": "vip" },
    ] }]);
    assert!(find(either).await.len() > 1);
    let early =
        json!([{ "field": "dateUpdated", "operator": "range", "value": { "lt": "2024-01-08T08:08:00Z" } }]);
    assert_eq!(find(early).await, ["rosa.whitfield@example.com"]);
}

#[tokio::test]
async fn messages_come_newest_first_and_say_whether_there_is_more() {
    let client = Client::start().await;
    let conversation =
        client.sandbox.example("conversations.get").expect("a request")["conversationId"].clone();
    let list = |more: Value| {
        let mut inputs = json!({ "conversationId": conversation, "limit": 3 });
        inputs.as_object_mut().expect("inputs").extend(more.as_object().expect("inputs").clone());
        client.call("conversations.messages.list", inputs)
    };
    let first = list(json!({})).await.ok("first")["messages"].clone();
    assert_eq!(first["nextPage"], true);
    let times: Vec<&str> = first["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .filter_map(|m| m["dateAdded"].as_str())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let second =
        list(json!({ "lastMessageId": first["lastMessageId"] })).await.ok("second")["messages"].clone();
    assert_eq!((second["messages"].as_array().map(Vec::len), &second["nextPage"]), (Some(2), &json!(false)));
}

#[tokio::test]
async fn a_change_in_between_moves_to_the_front_and_nothing_is_lost() {
    let client = Client::start().await;
    let oldest = json!([{ "field": "dateUpdated", "direction": "asc" }]);
    let first = client.call("contacts.search", json!({ "pageLimit": 10, "sort": oldest })).await.ok("first");
    let contacts = items(&client, "contacts.search", &first);
    let touched = contacts[9]["id"].clone();
    client.call("contacts.update", json!({ "contactId": touched, "city": "Wells" })).await.ok("touch");
    let cursor = contacts[9]["searchAfter"].clone();
    let rest = json!({ "pageLimit": 100, "sort": oldest, "searchAfter": cursor });
    let rest =
        ids(&items(&client, "contacts.search", &client.call("contacts.search", rest).await.ok("rest")));
    assert_eq!(rest.len(), 31);
    assert_eq!(rest.last().map(String::as_str), touched.as_str());
}

/// Moves the items out of the answer: copying 170,000 of them would be slow.
fn take_items(answer: &mut Value, path: &str) -> Vec<Value> {
    let pointer = path.trim_start_matches('$').trim_end_matches("[*]").replace('.', "/");
    match answer.pointer_mut(&pointer).map(Value::take) {
        Some(Value::Array(items)) => items,
        other => panic!("no list at {path} but {other:?}"),
    }
}

/// Resident memory of this process in megabytes, if known.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

#[tokio::test]
async fn a_hundred_and_seventy_thousand_contacts_page_in_little_memory() {
    const MANY: usize = 170_000;
    let client = Client::start_with(|options| options.records = Some(MANY)).await;
    let begin = Instant::now();
    let (found, requests) = read(&client, "contacts.search", Map::new(), 500).await;
    println!("{requests} requests in {:?}, peak {:?} MB", begin.elapsed(), resident());
    let distinct: HashSet<&String> = found.iter().collect();
    assert_eq!((found.len(), distinct.len()), (MANY, MANY));
    // The ids alone, theirs and ours, take 2 × 10 MB; the records would take about 400.
    assert!(resident().is_none_or(|megabytes| megabytes < 250), "{:?} MB", resident());
    // One contact among many is found by its index.
    let last = client.call("contacts.list", json!({ "limit": 1 })).await.ok("list")["contacts"][0].clone();
    let found = client.call("contacts.get_duplicate", json!({ "email": last["email"] })).await.ok("found");
    assert_eq!(found["contact"]["id"], last["id"]);
}

#[tokio::test]
async fn a_page_far_behind_costs_no_more_than_the_first() {
    let client = Client::start_with(|options| options.records = Some(170_000)).await;
    let page = async |inputs: Value| {
        let begin = Instant::now();
        let answer = client.call("contacts.list", inputs).await.ok("list");
        (begin.elapsed(), answer)
    };
    let newest =
        client.call("contacts.list", json!({ "limit": 1 })).await.ok("list")["meta"]["startAfter"].clone();
    // Contacts are eight minutes apart; a cursor need not name an existing one.
    let middle = newest.as_i64().expect("a time") - 85_000 * 8 * 60_000;
    let cursor = json!({ "limit": 100, "startAfter": middle, "startAfterId": "x" });
    let (mut first, mut far) = (Duration::MAX, Duration::MAX);
    // The fastest of several: the machine may be busy in between.
    for _ in 0..10 {
        first = first.min(page(json!({ "limit": 100 })).await.0);
        let (took, answer) = page(cursor.clone()).await;
        far = far.min(took);
        assert_eq!(answer["contacts"].as_array().map(Vec::len), Some(100));
    }
    assert!(far < first * 20, "first {first:?}, far behind {far:?}");
}
