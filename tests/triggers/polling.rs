//! Lists read to their end, each item once, and the resulting events.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use chrono::TimeDelta;
use hob::trigger::{Polled, Poller, Triggers};
use serde_json::json;

use crate::fixture::Fixture;
use crate::lists::{List, catalog};

async fn fixture(list: &Arc<List>) -> Fixture {
    Fixture::new(catalog(), &[("one", "lists", &list.serve().await, &[])])
}

fn poller(fixture: &Fixture, trigger: &str) -> Poller {
    let recipe = fixture.recipe(&format!("trigger: {trigger}"));
    Poller::all(&recipe, &fixture.context.services).unwrap().remove(0)
}

async fn poll(fixture: &Fixture, poller: &Poller) -> Polled {
    let polled = poller.poll(&fixture.context).await.unwrap();
    assert_eq!(polled.error, None);
    assert!(polled.finished);
    polled
}

#[tokio::test]
async fn every_style_reads_each_item_once() {
    for style in ["none", "offset", "page", "flag", "halves", "item", "link"] {
        for count in [0, 49, 50, 230] {
            let list = List::of(count);
            let fixture = fixture(&list).await;
            let poller = poller(&fixture, &format!("{{ poll: lists.{style}, start: all }}"));
            let polled = poll(&fixture, &poller).await;
            assert_eq!(polled.items, count as u64, "{style}");
            let expected: Vec<String> = (0..count).map(|n| format!("c{n:05}")).collect();
            assert_eq!(fixture.records().await, expected, "{style} {count}");
            let again = poll(&fixture, &poller).await;
            assert_eq!((again.events, again.runs), (0, 0), "{style}: nothing happened since");
        }
    }
}

/// A bad record is one failed run: the others are read, and it is reported once.
#[tokio::test]
async fn a_bad_record_never_stops_the_others() {
    for style in ["none", "offset", "page", "flag", "item", "link"] {
        let list = List::of(60);
        let bad =
            [json!({ "name": "no id" }), json!({ "id": { "$oid": "x" }, "name": "y" }), json!({ "id": "" })];
        {
            let mut items = list.items.lock().unwrap();
            for (at, item) in [3, 30, 55].into_iter().zip(&bad) {
                items[at] = item.clone();
            }
        }
        let fixture = fixture(&list).await;
        let poller = poller(
            &fixture,
            &format!("{{ poll: lists.{style}, start: all, emit: [new, changed, removed] }}"),
        );
        assert_eq!(poll(&fixture, &poller).await.events, 60, "{style}");
        let mut changes = fixture.changes().await;
        changes.retain(|(kind, _)| kind == "unreadable");
        assert_eq!(changes.len(), 3, "{style}");
        assert_eq!(poll(&fixture, &poller).await.events, 0, "{style}: nothing is told anew");
        list.items.lock().unwrap()[55] = json!({ "id": "c00055" });
        assert_eq!(poll(&fixture, &poller).await.events, 1, "{style}: mended, and it is new");
        let last = fixture.changes().await.pop().unwrap();
        assert_eq!(last, ("new".to_owned(), "c00055".to_owned()), "{style}");
    }
}

#[tokio::test]
async fn bad_records_that_were_there_before_make_no_runs() {
    let list = List::of(3);
    list.items.lock().unwrap()[1] = json!({ "name": "no id" });
    let fixture = fixture(&list).await;
    let poller = poller(&fixture, "{ poll: lists.none }");
    assert_eq!(poll(&fixture, &poller).await.events, 0);
    list.items.lock().unwrap().push(json!({ "id": ["z"] }));
    assert_eq!(poll(&fixture, &poller).await.events, 1);
    let payload = fixture.payload().await;
    let reason = payload["reason"].as_str().unwrap();
    assert!(
        reason.contains("`lists.none`") && reason.contains("record 4") && reason.contains("a list"),
        "{reason}"
    );
    assert_eq!(payload["record"], json!({ "id": ["z"] }));
    assert_eq!(poll(&fixture, &poller).await.events, 0);
}

/// Servers choose page sizes: their own unknown one, or a cap below the requested one.
#[tokio::test]
async fn every_style_reads_on_from_a_page_that_is_smaller_than_asked() {
    for style in ["offset", "page", "strict", "flag", "holes", "halves", "item", "link"] {
        for count in [0, 9, 23] {
            let list = List::of(count);
            list.cap.store(10, Ordering::SeqCst);
            let fixture = fixture(&list).await;
            let emit = "emit: [new, changed, removed]";
            let poller = poller(&fixture, &format!("{{ poll: lists.{style}, start: all, {emit} }}"));
            assert_eq!(poll(&fixture, &poller).await.items, count as u64, "{style} {count}");
            let expected: Vec<String> = (0..count).map(|n| format!("c{n:05}")).collect();
            assert_eq!(fixture.records().await, expected, "{style} {count}");
            assert_eq!(poll(&fixture, &poller).await.events, 0, "{style}: nothing happened since");
        }
    }
}

#[tokio::test]
async fn a_404_after_a_full_page_is_the_end_only_where_the_connector_says_so() {
    for count in [50, 100] {
        let list = List::of(count);
        let fixture = fixture(&list).await;
        let (one, two) = ("{ poll: lists.strict, start: all }", "{ poll: lists.strict, every: 1m }");
        let recipes = [("one", one), ("two", two)]
            .map(|(name, trigger)| fixture.named(name, &format!("trigger: {trigger}")));
        let triggers = Triggers::new(&recipes, fixture.context.clone()).unwrap();
        for polled in triggers.once().await.unwrap().polls {
            assert_eq!((polled.error, polled.finished), (None, true), "{}", polled.recipe);
        }
        assert_eq!(fixture.records().await.len(), count, "shared by both");
        let abrupt = poller(&fixture, "{ poll: lists.abrupt, start: all }");
        let polled = abrupt.poll(&fixture.context).await.unwrap();
        assert!(!polled.finished && polled.error.unwrap().contains("Invalid page"));
    }
}

#[tokio::test]
async fn start_now_fires_nothing_and_then_every_difference() {
    let list = List::of(120);
    let fixture = fixture(&list).await;
    let poller = poller(&fixture, "{ poll: lists.flag, emit: [new, changed, removed] }");
    assert_eq!(poll(&fixture, &poller).await.events, 0);
    {
        let mut items = list.items.lock().unwrap();
        items[3]["name"] = json!("other");
        items.remove(70);
        items.push(json!({ "id": "z", "name": "late" }));
    }
    assert_eq!(poll(&fixture, &poller).await.events, 3);
    let expected = [("changed", "c00003"), ("new", "z"), ("removed", "c00070")];
    let expected = expected.map(|(kind, record)| (kind.to_owned(), record.to_owned()));
    assert_eq!(fixture.changes().await, expected);
    assert_eq!(poll(&fixture, &poller).await.events, 0);
    list.items.lock().unwrap()[3]["name"] = json!("n3");
    assert_eq!(poll(&fixture, &poller).await.events, 1, "back as it was is a change too");
    list.items.lock().unwrap()[3]["name"] = json!("other");
    assert_eq!(poll(&fixture, &poller).await.events, 1, "and there again");
}

#[tokio::test]
async fn between_counted_pages_a_record_must_be_missing_in_two_readings() {
    let list = List::of(120);
    let fixture = fixture(&list).await;
    let poller = poller(&fixture, "{ poll: lists.offset, emit: [removed] }");
    poll(&fixture, &poller).await;
    let polled_first = list.requests();
    assert_eq!(polled_first, 2 * 4, "what was there from the start is read until nothing more turns up");
    list.items.lock().unwrap().remove(70);
    assert_eq!(poll(&fixture, &poller).await.events, 1);
    assert_eq!(list.requests() - polled_first, 2 * 4, "the list is read once more to be sure");
    assert_eq!(fixture.records().await, ["c00070"]);
    assert_eq!(poll(&fixture, &poller).await.events, 0);
    assert_eq!(list.requests() - polled_first, 3 * 4);
}

#[tokio::test]
async fn a_stopped_scan_continues_where_it_was() {
    let list = List::of(230);
    let fixture = fixture(&list).await;
    let poller = poller(&fixture, "{ poll: lists.flag, start: all }");
    list.hang_from.store(4, Ordering::SeqCst);
    let stopped = poller.poll(&fixture.context);
    tokio::select! {
        _ = stopped => panic!("the server does not answer"),
        () = async { while list.requests() < 4 { tokio::task::yield_now().await; } } => {}
    }
    let cursor = fixture.context.services.journal.cursor(poller.key()).await.unwrap().unwrap();
    assert_eq!((cursor.pages, cursor.baseline_done), (3, false));
    assert_eq!(fixture.records().await.len(), 150);
    list.hang_from.store(0, Ordering::SeqCst);
    poll(&fixture, &poller).await;
    assert_eq!(fixture.records().await.len(), 230);
    let asked = list.requests.lock().unwrap().clone();
    assert_eq!(asked.iter().filter(|query| !query.contains("cursor")).count(), 1, "page 1 is read once");
}

#[tokio::test]
async fn a_cursor_that_does_not_advance_is_an_error_and_no_loop() {
    for (style, most, words) in
        [("frozen", 2, "does not advance"), ("deaf", 2, "repeats the items of the page before")]
    {
        let list = List::of(120);
        let fixture = fixture(&list).await;
        let poller = poller(&fixture, &format!("{{ poll: lists.{style}, start: all }}"));
        let polled = poller.poll(&fixture.context).await.unwrap();
        let error = polled.error.unwrap();
        assert!(error.contains(words) && error.contains(&format!("lists.{style}")), "{error}");
        assert!(list.requests() <= most, "{style}: {} requests", list.requests());
        let cursor = fixture.context.services.journal.cursor(poller.key()).await.unwrap().unwrap();
        assert_eq!(cursor.error.as_deref(), Some(error.as_str()));
        assert_eq!((cursor.failures, cursor.page.is_none()), (1, true));
        assert!(cursor.due > fixture.context.services.clock.now());
        let totals = fixture.context.services.journal.totals(None).await.unwrap();
        assert_eq!(totals.events, 51, "{style}: a page of events, and one that tells of the error");
        poller.poll(&fixture.context).await.unwrap();
        assert_eq!(fixture.records().await.len(), 50, "nothing twice");
    }
}

#[tokio::test]
async fn failures_are_reported_and_read_pages_stay() {
    let list = List::of(60);
    let fixture = fixture(&list).await;
    let poller = poller(&fixture, "{ poll: lists.offset, start: all }");
    *list.bad.lock().unwrap() = vec![StatusCode::FORBIDDEN];
    let polled = poller.poll(&fixture.context).await.unwrap();
    assert!(polled.error.unwrap().contains("403"));
    assert!(!polled.finished && polled.due > fixture.context.services.clock.now());
    *list.bad.lock().unwrap() = vec![StatusCode::BAD_GATEWAY];
    assert_eq!(poll(&fixture, &poller).await.runs, 60, "one bad gateway is tried again at once");
    let cursor = fixture.context.services.journal.cursor(poller.key()).await.unwrap().unwrap();
    assert_eq!((cursor.failures, cursor.error), (0, None));
}

#[tokio::test]
async fn a_quiet_poll_of_a_sorted_list_costs_one_request() {
    let list = Arc::new(List::default());
    let item = |n: usize, day: u32| {
        let time = format!("2026-10-{day:02}T00:{:02}:00Z", n % 60);
        json!({ "id": format!("c{n:05}"), "created": "2026-01-01T00:00:00Z", "updated": time })
    };
    list.items.lock().unwrap().extend((0..400).map(|n| item(n, 1 + n as u32 % 28)));
    let fixture = fixture(&list).await;
    let poller = poller(&fixture, "{ poll: lists.newest }");
    poll(&fixture, &poller).await;
    assert!(list.requests() <= 2, "the beginning reads only the newest: {}", list.requests());
    list.requests.lock().unwrap().clear();
    assert_eq!(poll(&fixture, &poller).await.events, 0);
    assert_eq!(list.requests(), 1);
    {
        let mut items = list.items.lock().unwrap();
        items[200]["updated"] = json!("2026-11-01T00:00:00Z");
        items
            .push(json!({ "id": "z", "created": "2026-11-02T00:00:00Z", "updated": "2026-11-02T00:00:00Z" }));
    }
    assert_eq!(poll(&fixture, &poller).await.events, 2);
    let mut changes = fixture.changes().await;
    changes.sort();
    let expected = [("changed", "c00200"), ("new", "z")];
    assert_eq!(changes, expected.map(|(kind, record)| (kind.to_owned(), record.to_owned())));
    list.items.lock().unwrap().remove(390);
    assert_eq!(poll(&fixture, &poller).await.events, 0, "what moves up into sight is not new");
}

/// Far more than a page of records with one time: known ones are not read again with every poll, and late ones are
/// still reported.
#[tokio::test]
async fn a_bulk_change_does_not_make_every_poll_dear() {
    let list = Arc::new(List::default());
    let item = |n: usize, time: &str| json!({ "id": format!("c{n:05}"), "created": "2026-01-01T00:00:00Z", "updated": time });
    list.items
        .lock()
        .unwrap()
        .extend((0..70).map(|n| item(n, &format!("2026-10-{:02}T{:02}:00:00Z", 1 + n / 24, n % 24))));
    let fixture = fixture(&list).await;
    let poller = poller(&fixture, "{ poll: lists.newest }");
    poll(&fixture, &poller).await;
    fixture.clock.advance(TimeDelta::hours(1));
    poll(&fixture, &poller).await;
    let bulk = fixture.context.services.clock.now().to_rfc3339();
    list.items.lock().unwrap().extend((70..1_070).map(|n| item(n, &bulk)));
    let cost = async || {
        let before = list.requests();
        let events = poll(&fixture, &poller).await.events;
        (list.requests() - before, events)
    };
    assert_eq!(cost().await, (21, 1_000));
    assert_eq!((cost().await, cost().await), ((1, 0), (1, 0)));
    // At the end of those with the same time, and among them a second change.
    {
        let mut items = list.items.lock().unwrap();
        items.push(item(5_000, &bulk));
        items[700]["name"] = json!("again");
    }
    fixture.clock.advance(TimeDelta::minutes(6));
    assert_eq!(cost().await, (21, 2), "read again once it can lag no more");
    assert_eq!(cost().await, (1, 0));
    // Between numbered pages a record may have slipped through, so they are read once more.
    fixture.clock.advance(TimeDelta::minutes(6));
    cost().await;
    for minutes in [0, 1, 6, 60, 600] {
        fixture.clock.advance(TimeDelta::minutes(minutes));
        assert_eq!(cost().await, (1, 0));
    }
    // A new one at the top costs only its page.
    let new = fixture.context.services.clock.now().to_rfc3339();
    list.items.lock().unwrap().push(json!({ "id": "z", "created": new, "updated": new }));
    assert_eq!(cost().await, (1, 1));
}

/// A bulk change during an abandoned scan does not count as known.
#[tokio::test]
async fn a_scan_that_was_given_up_is_made_up_for() {
    let list = Arc::new(List::default());
    let item = |n: usize, time: &str| json!({ "id": format!("c{n:05}"), "created": "2026-01-01T00:00:00Z", "updated": time });
    list.items.lock().unwrap().extend((0..20).map(|n| item(n, "2026-11-01T00:00:00Z")));
    let fixture = fixture(&list).await;
    let poller = poller(&fixture, "{ poll: lists.newest }");
    poll(&fixture, &poller).await;
    fixture.clock.advance(TimeDelta::hours(1));
    poll(&fixture, &poller).await;
    let now = fixture.context.services.clock.now().to_rfc3339();
    list.items.lock().unwrap().extend((20..320).map(|n| item(n, &now)));
    list.refuse_from.store(list.requests() + 4, Ordering::SeqCst);
    let polled = poller.poll(&fixture.context).await.unwrap();
    assert!(polled.error.is_some() && polled.events == 150, "{polled:?}");
    list.refuse_from.store(0, Ordering::SeqCst);
    assert_eq!(poll(&fixture, &poller).await.events, 150);
}

#[tokio::test]
async fn another_subject_is_a_new_beginning() {
    let list = List::of(60);
    let fixture = fixture(&list).await;
    poll(&fixture, &poller(&fixture, "{ poll: lists.offset }")).await;
    let other = poller(&fixture, "{ poll: lists.item }");
    assert_eq!(poll(&fixture, &other).await.events, 0);
    list.items.lock().unwrap().push(json!({ "id": "z" }));
    assert_eq!(poll(&fixture, &other).await.events, 1);
}

#[tokio::test]
async fn each_account_has_its_own_cursor_and_runs() {
    let (here, there) = (List::of(2), List::of(3));
    let accounts: [crate::fixture::Account<'_>; 2] =
        [("one", "lists", &here.serve().await, &[]), ("two", "lists", &there.serve().await, &[])];
    let fixture = Fixture::new(catalog(), &accounts);
    let recipe =
        fixture.recipe("connections: { lists: [one, two] }\ntrigger: { poll: lists.none, start: all }");
    let triggers = Triggers::new(&[recipe], fixture.context.clone()).unwrap();
    let taken = triggers.once().await.unwrap();
    assert_eq!((taken.events, taken.runs, taken.polls.len()), (5, 5, 2));
    assert_eq!(triggers.once().await.unwrap().runs, 0);
}

#[tokio::test]
async fn runs_go_into_the_lane_that_the_recipe_says() {
    let list = List::of(2);
    let fixture = fixture(&list).await;
    let recipe = fixture.recipe(
        "trigger: { poll: lists.none, start: all }\nlane: \"{{ event.name }}-{{ connection.lists.name }}-{{ run.event.kind }}\"",
    );
    let poller = Poller::all(&recipe, &fixture.context.services).unwrap().remove(0);
    poll(&fixture, &poller).await;
    let mut lanes = Vec::new();
    for run in fixture.runs().await {
        lanes.push(fixture.context.services.journal.run(&run.id).await.unwrap().unwrap().run.lane);
    }
    assert_eq!(lanes, ["n0-one-new", "n1-one-new"]);
}

#[tokio::test]
async fn polls_when_due_until_stopped() {
    let list = List::of(1);
    let fixture = fixture(&list).await;
    let recipe = fixture.recipe("trigger: { poll: lists.none, every: 10m }");
    let triggers = Triggers::new(&[recipe], fixture.context.clone()).unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(async move { triggers.run(stopped).await });
    while list.requests() < 1 {
        tokio::task::yield_now().await;
    }
    stop.send(true).unwrap();
    running.await.unwrap();
    assert_eq!(list.requests(), 1);
}

#[tokio::test]
async fn a_clock_set_back_does_not_stall_it() {
    let list = List::of(1);
    let fixture = fixture(&list).await;
    let poller = poller(&fixture, "{ poll: lists.none, every: 10m }");
    poll(&fixture, &poller).await;
    fixture.clock.advance(TimeDelta::days(-1));
    let now = fixture.context.services.clock.now();
    assert_eq!(poller.due(&fixture.context).await.unwrap(), now);
    *list.bad.lock().unwrap() = vec![StatusCode::FORBIDDEN];
    let failed = poller.poll(&fixture.context).await.unwrap();
    assert!(failed.error.is_some());
    assert_eq!(poller.due(&fixture.context).await.unwrap(), failed.due, "a failure still makes it pause");
    assert!(failed.due > now && failed.due < now + TimeDelta::minutes(1));
}

/// A list as long as a large business's: each item once, one page in memory at a time.
#[tokio::test]
async fn a_long_list_is_read_page_by_page() {
    const COUNT: usize = 20_000;
    let list = List::of(COUNT);
    let fixture = fixture(&list).await;
    let poller = poller(&fixture, "{ poll: lists.halves, start: all }");
    let polled = poll(&fixture, &poller).await;
    assert_eq!((polled.items, polled.pages, polled.runs), (COUNT as u64, COUNT as u64 / 50 + 1, COUNT));
    let records = fixture.records().await;
    assert_eq!(records.len(), COUNT);
    assert!(records.windows(2).all(|pair| pair[0] < pair[1]), "each once");
    fixture.clock.advance(TimeDelta::minutes(5));
    assert_eq!(poll(&fixture, &poller).await.events, 0);
}
