//! Lists of the catalog read from the stand-in, which pages like the real APIs.

use std::sync::Arc;

use hob::catalog::{Catalog, Operation, Paging, Place, Wanted};
use hob::clock::ManualClock;
use hob::connection::{ApiHeader, Credential};
use hob::sandbox::{Budget, Options, Sandbox};
use hob::secret::Secret;
use hob::trigger::{Poller, Triggers};
use serde_json::{Value, json};

use crate::fixture::Fixture;

/// More than a page of every list, and not a multiple of a page.
const RECORDS: usize = 1_030;

/// Connector, operation, collection: each paging style of the built-in catalog.
const LISTS: [(&str, &str, &str); 3] = [
    ("fitr", "fitr.clients.list", "clients"),
    ("highlevel", "contacts.list", "contacts"),
    ("highlevel", "contacts.search", "contacts"),
];

#[tokio::test]
async fn each_record_is_read_once() {
    let mut many = false;
    for (connector, operation, collection) in LISTS {
        let options = Options { records: Some(RECORDS), budget: Budget::Unlimited, ..Options::default() };
        let sandbox = Sandbox::new(Arc::new(Catalog::built_in()), options).unwrap();
        let Some(auth) = sandbox.credential(connector) else {
            eprintln!("SKIPPED: the stand-in has no records of {connector}");
            continue;
        };
        let running = sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = running.base_url(connector);
        let settings = sandbox.settings(connector);
        let settings: Vec<(&str, &str)> =
            settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let account = ("one", connector, address.as_str(), &settings[..]);
        let fixture = Fixture::with_credential(Catalog::built_in(), &[account], credential(&auth));
        let recipe = fixture.recipe(&format!("trigger: {{ poll: {operation}, start: all }}"));
        let poller = Poller::all(&recipe, &fixture.context.services).unwrap().remove(0);
        let polled = poller.poll(&fixture.context).await.unwrap();
        assert_eq!((polled.error, polled.finished), (None, true), "{operation}");
        let count = sandbox.counts(connector)[collection];
        assert!(count > 0, "{operation}");
        many |= count >= RECORDS;
        assert_eq!((polled.items, polled.runs), (count as u64, count), "{operation}");
        let mut records = fixture.records().await;
        records.dedup();
        assert_eq!(records.len(), count, "{operation}: each once");
        let again = poller.poll(&fixture.context).await.unwrap();
        assert_eq!((again.error, again.events), (None, 0), "{operation}");
    }
    if !many {
        eprintln!("SKIPPED: no collection of the stand-in is longer than a page");
    }
}

/// The cursor of conversations is a time that several may share, also at the border of a page.
#[tokio::test]
async fn conversations_that_share_a_time_at_the_border_of_a_page_are_read_once() {
    const CONVERSATIONS: usize = 150;
    const PAGE: usize = 100;
    let manual = ManualClock::new("2026-11-20T09:00:00Z".parse().unwrap());
    let catalog = Arc::new(Catalog::built_in());
    let options = Options {
        records: Some(200),
        budget: Budget::Unlimited,
        clock: manual.clock(),
        ..Options::default()
    };
    let sandbox = Sandbox::new(Arc::clone(&catalog), options).unwrap();
    let running = sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = running.base_url("highlevel");
    let auth = sandbox.credential("highlevel").unwrap();
    let contacts = sandbox.records("highlevel", "contacts", 200).unwrap();
    let there = sandbox.counts("highlevel")["conversations"];
    let settings = sandbox.settings("highlevel");
    let settings: Vec<(&str, &str)> =
        settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let account = ("one", "highlevel", address.as_str(), &settings[..]);
    let fixture = Fixture::with_credential(Catalog::built_in(), &[account], credential(&auth));
    // A conversation for each contact without one, newest first in the list.
    let new = CONVERSATIONS - there;
    for (sent, contact) in contacts.iter().skip(there).take(new).enumerate() {
        if sent != new - PAGE {
            manual.advance(chrono::TimeDelta::seconds(1));
        }
        let request = reqwest::Client::new()
            .post(format!("{address}/conversations/messages"))
            .bearer_auth(auth["token"].as_str().unwrap())
            .header("version", "2021-04-15")
            .json(&json!({ "type": "SMS", "contactId": contact["id"], "message": "hello" }));
        assert!(request.send().await.unwrap().status().is_success());
    }
    let conversations = sandbox.records("highlevel", "conversations", CONVERSATIONS + 1).unwrap();
    let time = |conversation: &Value| conversation["lastMessageDate"].as_i64();
    let mut times: Vec<i64> = conversations.iter().filter_map(time).collect();
    times.sort_by_key(|time| std::cmp::Reverse(*time));
    assert_eq!((times.len(), times[PAGE - 1]), (CONVERSATIONS, times[PAGE]));
    let recipe =
        fixture.recipe("trigger: { poll: conversations.search, start: all, emit: [new, changed, removed] }");
    let poller = Poller::all(&recipe, &fixture.context.services).unwrap().remove(0);
    let first = poller.poll(&fixture.context).await.unwrap();
    assert_eq!((first.error, first.finished, first.events), (None, true, CONVERSATIONS));
    let mut records = fixture.records().await;
    records.sort();
    records.dedup();
    assert_eq!(records.len(), CONVERSATIONS, "each once");
    for _ in 0..3 {
        let again = poller.poll(&fixture.context).await.unwrap();
        assert_eq!((again.error, again.events), (None, 0), "nothing is new, changed or removed");
    }
}

/// Every poller of the catalog costs what the reference states, in each way of polling.
#[tokio::test]
async fn a_quiet_poll_costs_what_the_catalog_says() {
    let catalog = Arc::new(Catalog::built_in());
    // More than a page of most lists.
    let options =
        Options { records: Some(130), budget: Budget::Unlimited, log: usize::MAX, ..Options::default() };
    let sandbox = Sandbox::new(Arc::clone(&catalog), options).unwrap();
    let running = sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    let (mut told, mut wrong) = (0, Vec::new());
    for operation in catalog.operations().filter(|operation| operation.is_poller()) {
        let Some(auth) = sandbox.credential(&operation.connector) else { continue };
        let settings = sandbox.settings(&operation.connector);
        let settings: Vec<(&str, &str)> =
            settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let address = running.base_url(&operation.connector);
        let account = ("one", operation.connector.as_str(), address.as_str(), &settings[..]);
        let fixture = Fixture::with_credential(Catalog::built_in(), &[account], credential(&auth));
        let listing = operation.list.as_ref().unwrap();
        let inputs = inputs(&sandbox, operation);
        for (emit, only_new, removed) in [
            ("[new, changed]", false, false),
            ("[new]", true, false),
            ("[new, changed, removed]", false, true),
        ] {
            let text =
                format!("trigger: {{ poll: {}, start: all, emit: {emit}, with: {inputs} }}", operation.id);
            let recipe = fixture.named(&format!("r{only_new}{removed}"), &text);
            let poller = Poller::all(&recipe, &fixture.context.services).unwrap().remove(0);
            // The first poll reads everything, the second moves the watermark to the end.
            let (mut before, mut polled) = (0, Vec::new());
            for _ in 0..3 {
                before = sandbox.totals().0;
                polled.push(poller.poll(&fixture.context).await.unwrap());
            }
            let Some(last) = polled.pop().filter(|last| last.finished && last.events == 0) else {
                wrong.push(format!("{} {emit}: {polled:?}", operation.id));
                continue;
            };
            let cost = sandbox.totals().0 - before;
            let quiet = listing.quiet_poll(Wanted { only_new, removed }, &inputs);
            match quiet.requests(last.items) {
                Some(expected) if !expected.contains(&cost) => {
                    wrong.push(format!(
                        "{} {emit}: {cost} requests for {} records, not {expected:?}",
                        operation.id, last.items
                    ));
                }
                _ => told += 1,
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(told > 150, "{told} polls");
}

/// Paged lists of the catalog that are read only as far as something is new, with the collection, the method that
/// changes a record, and a field to change.
const SORTED: [(&str, &str, &str, &str); 2] = [
    ("fitr.clients.list", "clients", "PATCH", "full_name"),
    ("contacts.search", "contacts", "PUT", "firstName"),
];

#[tokio::test]
async fn changes_cost_their_pages_and_twenty_recipes_as_much_as_one() {
    let catalog = Arc::new(Catalog::built_in());
    let wanted = Wanted { only_new: false, removed: false };
    let sorted = catalog.operations().filter(|operation| operation.is_poller()).filter(|operation| {
        let list = operation.list.as_ref().unwrap();
        !matches!(list.paging, Paging::None) && list.stops_early(wanted, &json!({})).is_some()
    });
    let mut sorted: Vec<&str> = sorted.map(|operation| operation.id.as_str()).collect();
    sorted.sort_unstable();
    let mut tested: Vec<&str> = SORTED.iter().map(|(operation, ..)| *operation).collect();
    tested.sort_unstable();
    assert_eq!(tested, sorted, "every paged list that is sorted by change is tested");
    let mut long = 0;
    for (operation, collection, method, field) in SORTED {
        let operation = catalog.operation(operation).unwrap();
        let manual = ManualClock::new("2026-11-23T12:00:00Z".parse().unwrap());
        let options = Options {
            records: Some(450),
            budget: Budget::Unlimited,
            clock: manual.clock(),
            ..Options::default()
        };
        let sandbox = Sandbox::new(Arc::clone(&catalog), options).unwrap();
        let running = sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
        let connector = operation.connector.as_str();
        let address = running.base_url(connector);
        let settings = sandbox.settings(connector);
        let settings: Vec<(&str, &str)> =
            settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let account = ("one", connector, address.as_str(), &settings[..]);
        let auth = sandbox.credential(connector).unwrap();
        let fixture = Fixture::with_credential(Catalog::built_in(), &[account], credential(&auth));
        let recipes: Vec<_> = (0..20)
            .map(|n| {
                fixture.named(&format!("r{n}"), &format!("trigger: {{ poll: {}, every: 5m }}", operation.id))
            })
            .collect();
        let triggers = Triggers::new(&recipes, fixture.context.clone()).unwrap();
        let cost = async || {
            manual.advance(chrono::TimeDelta::minutes(10));
            fixture.clock.advance(chrono::TimeDelta::minutes(10));
            let before = sandbox.totals().0;
            let taken = triggers.once().await.unwrap();
            assert!(
                taken.polls.iter().all(|polled| polled.finished && polled.error.is_none()),
                "{:?}",
                taken.polls
            );
            (sandbox.totals().0 - before, taken.runs)
        };
        cost().await;
        cost().await;
        assert_eq!(cost().await, (1, 0), "{}: nothing has changed", operation.id);
        let page = match &operation.list.as_ref().unwrap().paging {
            Paging::Offset { size, .. } | Paging::Page { size, .. } => *size as usize,
            Paging::Cursor { size, .. } => size.unwrap() as usize,
            other => panic!("{other:?}"),
        };
        let records = sandbox.records(connector, collection, 450).unwrap();
        long += usize::from(records.len() > 2 * page);
        let counts = [1, records.len() / 2, page - 1, page, page + 1, 2 * page];
        for changed in counts.into_iter().filter(|count| *count <= records.len()) {
            for record in &records[..changed] {
                let address = format!("{address}/{collection}/{}", record["id"].as_str().unwrap());
                let request = reqwest::Client::new().request(method.parse().unwrap(), address);
                let request = match auth["token"].as_str() {
                    Some(token) => request.bearer_auth(token).header("version", "2021-07-28"),
                    None => request.header(text(&auth["header"]["name"]), text(&auth["header"]["value"])),
                };
                let answer = request.json(&json!({ (field): format!("{changed}") })).send().await.unwrap();
                assert!(answer.status().is_success(), "{answer:?}");
            }
            let (requests, runs) = cost().await;
            assert_eq!(runs, 20 * changed, "{}", operation.id);
            let most = (changed as u64).div_ceil(page as u64) + 1;
            assert!(
                requests <= most,
                "{}: {requests} requests for {changed} of {page} on a page",
                operation.id
            );
            // What the list may show late is looked for once more.
            cost().await;
            assert_eq!(cost().await, (1, 0), "{}: {changed} have changed", operation.id);
        }
    }
    assert!(long > 0, "no list of the stand-in has several pages");
}

/// The required inputs of the operation, with records of the stand-in.
fn inputs(sandbox: &Sandbox, operation: &Operation) -> Value {
    let mut example = sandbox.example(&operation.id).unwrap_or_default();
    let paging = operation.list.as_ref().map(|list| list.paging.inputs()).unwrap_or_default();
    let needed: Vec<&str> = operation
        .inputs()
        .iter()
        .filter(|input| input.shape.required || input.place == Some(Place::Path))
        .map(|input| input.name)
        .chain(operation.one_of.iter().map(String::as_str))
        .collect();
    example.retain(|name, _| needed.contains(&name.as_str()) && !paging.contains(&name.as_str()));
    Value::Object(example)
}

fn text(value: &Value) -> String {
    value.as_str().map(str::to_owned).unwrap_or_default()
}

fn credential(auth: &Value) -> Credential {
    if auth["token"].is_string() {
        return Credential::Bearer(Secret::new(text(&auth["token"])));
    }
    let header = &auth["header"];
    Credential::Header(ApiHeader { name: text(&header["name"]), value: Secret::new(text(&header["value"])) })
}
