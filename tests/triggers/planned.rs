//! The requests of a day of polls, against what `hob plan` says of it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use hob::check::CheckedRecipe;
use hob::connection::Rate;
use hob::plan::{AccountCounters, Assumptions, Input, LimitFrom, Period, plan};
use hob::trigger::Triggers;
use indexmap::IndexMap;
use serde_json::json;

use crate::fixture::Fixture;
use crate::lists::{List, catalog};

fn planned(recipes: &[CheckedRecipe], records: usize, start: DateTime<Utc>) -> f64 {
    let counters = AccountCounters {
        connector: "lists".into(),
        day: "day".into(),
        window: "window".into(),
        daily: None,
        reserve: 0,
        daily_from: LimitFrom::Unknown,
        burst: None::<Rate>,
        burst_from: LimitFrom::Unknown,
    };
    let accounts = IndexMap::from([("one".to_owned(), counters)]);
    let assumptions = Assumptions::parse(&[format!("records={records}")]).unwrap();
    let (history, polls) = Default::default();
    let input = Input {
        recipes,
        accounts: &accounts,
        assumptions: &assumptions,
        history: &history,
        polls: &polls,
        period: Period::Day(start),
    };
    let plan = plan(&input);
    plan.counters.iter().map(|counter| counter.calls.expected).sum()
}

/// A list whose records have times, newest first.
fn dated(records: usize) -> Arc<List> {
    let list = Arc::new(List::default());
    let item = |n: usize| {
        let time = format!("2026-10-01T00:{:02}:{:02}Z", 59 - n / 60, 59 - n % 60);
        json!({ "id": format!("c{n:05}"), "created": time, "updated": time })
    };
    list.items.lock().unwrap().extend((0..records).map(item));
    list
}

#[tokio::test]
async fn a_day_of_polls_is_planned_within_five_percent() {
    let start: DateTime<Utc> = "2026-11-24T00:00:00Z".parse().unwrap();
    for (list, trigger, records) in [
        ("newest", "every: 5m", 10),
        ("newest", "every: 90s", 10),
        ("flag", "every: 15m", 120),
        ("page", "every: 1h", 230),
        ("newest", "cron: \"*/20 8-17 * * *\", timezone: Europe/London", 10),
    ] {
        let served = dated(records);
        let fixture = Fixture::new(catalog(), &[("one", "lists", &served.serve().await, &[])]);
        let recipe = fixture.recipe(&format!("trigger: {{ poll: lists.{list}, {trigger} }}"));
        let recipes = [recipe];
        let planned = planned(&recipes, records, start);
        let triggers = Triggers::new(&recipes, fixture.context.clone()).unwrap();
        fixture.clock.advance(start - fixture.context.services.clock.now());
        // The first poll reads more.
        let mut next = triggers.once().await.unwrap().polls[0].due;
        let before = served.requests();
        while next < start + TimeDelta::days(1) {
            fixture.clock.advance(next - fixture.context.services.clock.now());
            let polls = triggers.once().await.unwrap().polls;
            next = polls[0].due;
        }
        let sent = (served.requests() - before) as f64;
        assert!((planned - sent).abs() <= sent * 0.05, "{list} {trigger}: planned {planned}, sent {sent}");
    }
}
