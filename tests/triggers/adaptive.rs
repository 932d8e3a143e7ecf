//! Polls whose interval adapts.

use chrono::TimeDelta;
use hob::trigger::Triggers;
use serde_json::json;

use crate::fixture::Fixture;
use crate::lists::{List, catalog};

#[tokio::test]
async fn a_quiet_poll_slows_down_and_a_change_brings_it_back() {
    let list = List::of(3);
    let fixture = Fixture::new(catalog(), &[("one", "lists", &list.serve().await, &[])]);
    let recipe = fixture.recipe("trigger: { poll: lists.none, every: 1m..15m }");
    let mut gaps = Vec::new();
    for poll in 0..9 {
        if poll == 6 {
            list.items.lock().unwrap().push(json!({ "id": "new" }));
        }
        // As after a restart: the pace is in the store.
        let triggers = Triggers::new(std::slice::from_ref(&recipe), fixture.context.clone()).unwrap();
        let polled = triggers.once().await.unwrap().polls.remove(0);
        let gap = polled.due - fixture.context.services.clock.now();
        gaps.push(gap.num_minutes());
        fixture.clock.advance(gap);
    }
    assert_eq!(gaps, [2, 4, 8, 15, 15, 15, 1, 2, 4]);
}

#[tokio::test]
async fn removed_records_are_a_change_too() {
    let list = List::of(3);
    let fixture = Fixture::new(catalog(), &[("one", "lists", &list.serve().await, &[])]);
    let recipe = fixture.recipe("trigger: { poll: lists.none, every: 1m..15m, emit: removed }");
    let triggers = Triggers::new(&[recipe], fixture.context.clone()).unwrap();
    triggers.once().await.unwrap();
    fixture.clock.advance(TimeDelta::minutes(2));
    list.items.lock().unwrap().pop();
    let polled = triggers.once().await.unwrap().polls.remove(0);
    assert_eq!((polled.events, (polled.due - fixture.context.services.clock.now()).num_minutes()), (1, 1));
}
