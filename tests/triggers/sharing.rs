//! Recipes that poll the same list share requests, and each finds everything it would find alone.

use std::sync::Arc;

use chrono::TimeDelta;
use hob::check::CheckedRecipe;
use hob::trigger::Triggers;
use serde_json::json;

use crate::fixture::Fixture;
use crate::lists::{List, catalog};

/// A list sorted by change, newest first, fifty per page.
fn sorted(count: usize) -> Arc<List> {
    let list = Arc::new(List::default());
    let item = |n: usize| {
        let time = format!("2026-10-{:02}T00:{:02}:00Z", 1 + n % 28, n % 60);
        json!({ "id": format!("c{n:05}"), "created": "2026-01-01T00:00:00Z", "updated": time })
    };
    list.items.lock().unwrap().extend((0..count).map(item));
    list
}

fn recipes(fixture: &Fixture, count: usize, trigger: impl Fn(usize) -> String) -> Vec<CheckedRecipe> {
    (0..count).map(|n| fixture.named(&format!("r{n}"), &format!("trigger: {{ {} }}", trigger(n)))).collect()
}

/// One round of all recipes: requests and runs.
async fn round(fixture: &Fixture, list: &List, triggers: &Triggers) -> (usize, usize) {
    fixture.clock.advance(TimeDelta::minutes(10));
    let before = list.requests();
    let taken = triggers.once().await.unwrap();
    assert!(taken.polls.iter().all(|polled| polled.finished && polled.error.is_none()), "{:?}", taken.polls);
    (list.requests() - before, taken.runs)
}

/// As the second of a change.
fn change(fixture: &Fixture, list: &List, from: usize, count: usize) {
    let now = fixture.context.services.clock.now().to_rfc3339();
    for item in list.items.lock().unwrap().iter_mut().skip(from).take(count) {
        item["updated"] = json!(now);
    }
}

#[tokio::test]
async fn twenty_recipes_cost_as_much_as_one() {
    let list = sorted(400);
    let fixture = Fixture::new(catalog(), &[("one", "lists", &list.serve().await, &[])]);
    let every = ["5m", "10m", "1h", "7m"];
    let recipes = recipes(&fixture, 20, |n| format!("poll: lists.newest, every: {}", every[n % every.len()]));
    let triggers = Triggers::new(&recipes, fixture.context.clone()).unwrap();
    assert_eq!(round(&fixture, &list, &triggers).await, (1, 0));
    assert_eq!(round(&fixture, &list, &triggers).await, (1, 0));
    change(&fixture, &list, 100, 130);
    let (requests, runs) = round(&fixture, &list, &triggers).await;
    assert_eq!(runs, 20 * 130);
    assert!(requests <= 130_usize.div_ceil(50) + 1, "{requests} requests");
    for _ in 0..3 {
        round(&fixture, &list, &triggers).await;
    }
    assert_eq!(round(&fixture, &list, &triggers).await, (1, 0));
}

#[tokio::test]
async fn a_whole_list_is_read_once_for_all() {
    for (style, pages) in [("none", 1), ("flag", 3), ("item", 4), ("page", 4), ("offset", 4), ("halves", 4)] {
        let list = List::of(150);
        let fixture = Fixture::new(catalog(), &[("one", "lists", &list.serve().await, &[])]);
        let recipes = recipes(&fixture, 5, |n| {
            let emit = ["[new, changed]", "[new]", "[new, changed, removed]"][n % 3];
            format!("poll: lists.{style}, emit: {emit}, start: {}", ["now", "all"][n % 2])
        });
        let triggers = Triggers::new(&recipes, fixture.context.clone()).unwrap();
        let (requests, runs) = round(&fixture, &list, &triggers).await;
        assert_eq!(runs, 2 * 150, "{style}");
        assert!(requests <= 2 * pages, "{style}: {requests} requests");
        assert_eq!(round(&fixture, &list, &triggers).await, (pages, 0), "{style}");
        {
            let mut items = list.items.lock().unwrap();
            items.push(json!({ "id": "z" }));
            items[3]["name"] = json!("other");
            items.remove(70);
        }
        let (requests, runs) = round(&fixture, &list, &triggers).await;
        assert_eq!(runs, 5 + 3 + 1, "{style}: new for each, changed for three, removed for one");
        assert!(requests <= 2 * pages, "{style}: {requests} requests");
    }
}

/// Each has its own cursor: one that starts later, or was paused, misses nothing.
#[tokio::test]
async fn each_recipe_keeps_its_own_progress() {
    let list = sorted(120);
    let fixture = Fixture::new(catalog(), &[("one", "lists", &list.serve().await, &[])]);
    let recipes =
        recipes(&fixture, 3, |n| format!("poll: lists.newest, start: {}", ["now", "now", "all"][n]));
    let triggers = |who: &[CheckedRecipe]| Triggers::new(who, fixture.context.clone()).unwrap();
    assert_eq!(round(&fixture, &list, &triggers(&recipes[..2])).await, (1, 0));
    change(&fixture, &list, 0, 10);
    assert_eq!(round(&fixture, &list, &triggers(&recipes[..1])).await, (1, 10), "the second one is away");
    change(&fixture, &list, 10, 5);
    let all = triggers(&recipes);
    let (requests, runs) = round(&fixture, &list, &all).await;
    assert_eq!(runs, 5 + 15 + 120, "what is new since each of them was there");
    assert!(requests <= 4, "{requests} requests");
    change(&fixture, &list, 20, 1);
    assert_eq!(round(&fixture, &list, &all).await, (1, 3));
    assert_eq!(round(&fixture, &list, &all).await, (1, 0));
}

#[tokio::test]
async fn polls_that_are_not_equal_share_nothing() {
    let (here, there) = (List::of(3), List::of(3));
    let accounts: [crate::fixture::Account<'_>; 2] =
        [("one", "lists", &here.serve().await, &[]), ("two", "lists", &there.serve().await, &[])];
    let fixture = Fixture::new(catalog(), &accounts);
    let texts = [
        "connections: { lists: [one, two] }\ntrigger: { poll: lists.none }",
        "connections: { lists: one }\ntrigger: { poll: lists.newest, with: { sort: asc } }",
        "connections: { lists: one }\ntrigger: { poll: lists.newest, with: { sort: other } }",
        "connections: { lists: two }\ntrigger: { poll: lists.none }",
    ];
    let recipes: Vec<_> =
        texts.iter().enumerate().map(|(n, text)| fixture.named(&format!("r{n}"), text)).collect();
    let triggers = Triggers::new(&recipes, fixture.context.clone()).unwrap();
    assert_eq!(round(&fixture, &here, &triggers).await.0, 1 + 2 * 2);
    assert_eq!(there.requests(), 1, "the last one is equal to a half of the first");
}

#[tokio::test]
async fn a_shared_refusal_is_not_requested_again() {
    let list = List::of(3);
    let fixture = Fixture::new(catalog(), &[("one", "lists", &list.serve().await, &[])]);
    let recipes = recipes(&fixture, 10, |_| "poll: lists.none".to_owned());
    let triggers = Triggers::new(&recipes, fixture.context.clone()).unwrap();
    *list.bad.lock().unwrap() = vec![axum::http::StatusCode::FORBIDDEN; 10];
    let taken = triggers.once().await.unwrap();
    assert!(
        taken.polls.iter().all(|polled| polled.error.as_ref().is_some_and(|error| error.contains("403")))
    );
    assert_eq!(list.requests(), 1);
    list.bad.lock().unwrap().clear();
    assert_eq!(round(&fixture, &list, &triggers).await, (1, 0), "and it is not kept");
}
