//! Set times: fired once each, made up for once, whatever the clock does.

use chrono::TimeDelta;
use hob::catalog::Catalog;
use hob::trigger::{Schedule, Triggers};

use crate::stage::Stage;

const DAILY: &str = "trigger: { schedule: { cron: \"0 14 * * *\", timezone: Europe/Berlin } }";

fn schedule(stage: &Stage, text: &str) -> Schedule {
    Schedule::of(&stage.recipe(text)).unwrap()
}

async fn fire(stage: &Stage, schedule: &Schedule) -> usize {
    schedule.fire(&stage.around).await.unwrap().0.events
}

#[tokio::test]
async fn fires_each_time_once() {
    let stage = Stage::new(Catalog::built_in(), &[]);
    let daily = schedule(&stage, DAILY);
    let (appended, next) = daily.fire(&stage.around).await.unwrap();
    assert_eq!((appended.events, next), (0, "2026-11-23T13:00:00Z".parse().ok()), "the beginning");
    stage.clock.advance(TimeDelta::minutes(59));
    assert_eq!(fire(&stage, &daily).await, 0);
    stage.clock.advance(TimeDelta::minutes(1));
    assert_eq!(fire(&stage, &daily).await, 1);
    assert_eq!(fire(&stage, &daily).await, 0);
    let payload = stage.payload().await;
    assert_eq!(
        (&payload["time"], &payload["local"]),
        (&"2026-11-23T13:00:00Z".into(), &"2026-11-23T14:00:00+01:00".into())
    );
}

#[tokio::test]
async fn makes_up_for_the_latest_missed_time_only() {
    let stage = Stage::new(Catalog::built_in(), &[]);
    let hourly = schedule(&stage, "trigger: { schedule: \"@hourly\" }");
    fire(&stage, &hourly).await;
    stage.clock.advance(TimeDelta::minutes(60 * 70 + 30));
    assert_eq!(fire(&stage, &hourly).await, 1);
    assert_eq!(stage.payload().await["time"], "2026-11-26T10:00:00Z");
    let monthly = schedule(&stage, "trigger: { schedule: \"0 0 1 * *\" }");
    fire(&stage, &monthly).await;
    stage.clock.advance(TimeDelta::days(10));
    assert_eq!(fire(&stage, &monthly).await, 0, "missed by more than a day");
}

#[tokio::test]
async fn a_clock_that_is_set_back_repeats_nothing() {
    let stage = Stage::new(Catalog::built_in(), &[]);
    let daily = schedule(&stage, DAILY);
    fire(&stage, &daily).await;
    stage.clock.advance(TimeDelta::hours(2));
    assert_eq!(fire(&stage, &daily).await, 1);
    stage.clock.advance(TimeDelta::hours(-2));
    assert_eq!(fire(&stage, &daily).await, 0);
    stage.clock.advance(TimeDelta::hours(2));
    assert_eq!(fire(&stage, &daily).await, 0);
    stage.clock.advance(TimeDelta::hours(24));
    assert_eq!(fire(&stage, &daily).await, 1);
}

#[tokio::test]
async fn edited_times_begin_anew() {
    let stage = Stage::new(Catalog::built_in(), &[]);
    fire(&stage, &schedule(&stage, DAILY)).await;
    stage.clock.advance(TimeDelta::hours(3));
    assert_eq!(fire(&stage, &schedule(&stage, "trigger: { schedule: \"0 13 * * *\" }")).await, 0);
    let taken = Triggers::new(&[stage.recipe(DAILY)], stage.around.clone()).unwrap().once().await.unwrap();
    assert_eq!(taken.runs, 0);
}
