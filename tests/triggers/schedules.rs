//! Schedules: fired once each, made up for once, whatever the clock does.

use chrono::TimeDelta;
use hob::catalog::Catalog;
use hob::journal::{PauseSubject, pause, resume};
use hob::trigger::{Schedule, Triggers};

use crate::fixture::Fixture;

const DAILY: &str = "trigger: { schedule: { cron: \"0 14 * * *\", timezone: Europe/Berlin } }";

fn schedule(fixture: &Fixture, text: &str) -> Schedule {
    Schedule::for_recipe(&fixture.recipe(text)).unwrap()
}

async fn fire(fixture: &Fixture, schedule: &Schedule) -> usize {
    schedule.fire(&fixture.context).await.unwrap().0.events
}

#[tokio::test]
async fn fires_each_time_once() {
    let fixture = Fixture::new(Catalog::built_in(), &[]);
    let daily = schedule(&fixture, DAILY);
    let (appended, next) = daily.fire(&fixture.context).await.unwrap();
    assert_eq!((appended.events, next), (0, "2026-11-23T13:00:00Z".parse().ok()), "the beginning");
    fixture.clock.advance(TimeDelta::minutes(59));
    assert_eq!(fire(&fixture, &daily).await, 0);
    fixture.clock.advance(TimeDelta::minutes(1));
    assert_eq!(fire(&fixture, &daily).await, 1);
    assert_eq!(fire(&fixture, &daily).await, 0);
    let payload = fixture.payload().await;
    assert_eq!(
        (&payload["time"], &payload["local"]),
        (&"2026-11-23T13:00:00Z".into(), &"2026-11-23T14:00:00+01:00".into())
    );
}

#[tokio::test]
async fn makes_up_for_the_latest_missed_time_only() {
    let fixture = Fixture::new(Catalog::built_in(), &[]);
    let hourly = schedule(&fixture, "trigger: { schedule: \"@hourly\" }");
    fire(&fixture, &hourly).await;
    fixture.clock.advance(TimeDelta::minutes(60 * 70 + 30));
    assert_eq!(fire(&fixture, &hourly).await, 1);
    assert_eq!(fixture.payload().await["time"], "2026-11-26T10:00:00Z");
    let monthly = schedule(&fixture, "trigger: { schedule: \"0 0 1 * *\" }");
    fire(&fixture, &monthly).await;
    fixture.clock.advance(TimeDelta::days(10));
    assert_eq!(fire(&fixture, &monthly).await, 0, "missed by more than a day");
}

#[tokio::test]
async fn a_clock_that_is_set_back_repeats_nothing() {
    let fixture = Fixture::new(Catalog::built_in(), &[]);
    let daily = schedule(&fixture, DAILY);
    fire(&fixture, &daily).await;
    fixture.clock.advance(TimeDelta::hours(2));
    assert_eq!(fire(&fixture, &daily).await, 1);
    fixture.clock.advance(TimeDelta::hours(-2));
    assert_eq!(fire(&fixture, &daily).await, 0);
    fixture.clock.advance(TimeDelta::hours(2));
    assert_eq!(fire(&fixture, &daily).await, 0);
    fixture.clock.advance(TimeDelta::hours(24));
    assert_eq!(fire(&fixture, &daily).await, 1);
}

#[tokio::test]
async fn an_edited_schedule_starts_over() {
    let fixture = Fixture::new(Catalog::built_in(), &[]);
    fire(&fixture, &schedule(&fixture, DAILY)).await;
    fixture.clock.advance(TimeDelta::hours(3));
    assert_eq!(fire(&fixture, &schedule(&fixture, "trigger: { schedule: \"0 13 * * *\" }")).await, 0);
    let taken =
        Triggers::new(&[fixture.recipe(DAILY)], fixture.context.clone()).unwrap().once().await.unwrap();
    assert_eq!(taken.runs, 0);
}

#[tokio::test]
async fn a_time_in_a_pause_on_one_account_starts_only_the_others() {
    let settings: &[(&str, &str)] = &[("location", "L")];
    let account = |name: &'static str| (name, "highlevel", "http://127.0.0.1:9", settings);
    let fixture = Fixture::new(Catalog::built_in(), &[account("one"), account("two")]);
    let hourly = schedule(
        &fixture,
        "connections: { highlevel: [one, two] }\ntrigger: { schedule: \"@hourly\" }\non_failure: [{ do: contacts.get, with: { contactId: x } }]",
    );
    let (journal, on_two) =
        (&fixture.context.services.journal, PauseSubject::on(hourly.recipe().name(), "two"));
    fire(&fixture, &hourly).await;
    pause(journal.as_ref(), &on_two, fixture.context.services.clock.now()).await.unwrap();
    fixture.clock.advance(TimeDelta::hours(1));
    fire(&fixture, &hourly).await;
    assert_eq!(fixture.runs().await.len(), 1, "only on one");
    resume(journal.as_ref(), &on_two, fixture.context.services.clock.now()).await.unwrap();
    assert_eq!(fire(&fixture, &hourly).await, 0, "what was skipped is not made up for");
    fixture.clock.advance(TimeDelta::hours(1));
    fire(&fixture, &hourly).await;
    assert_eq!(fixture.runs().await.len(), 3, "on both again");
}
