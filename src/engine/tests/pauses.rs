//! Pauses, and clocks that are set back during them.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::clock::ManualClock;

fn start() -> DateTime<Utc> {
    "2026-11-28T10:00:00Z".parse().unwrap()
}

/// Works until idle, as a new process or as a continuing one; returns the run's state.
async fn state(engine: &Engine, journal: &Sqlite) -> RunState {
    engine.run_until_idle().await.unwrap();
    rows(journal).await.remove(0).state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_back_makes_no_pause_longer() {
    let bed = TestBed::new("actions:\n- { do: wait, with: { for: 10m } }\n").await;
    let (manual, journal) = (ManualClock::new(start()), bed.store());
    add(journal.as_ref(), &[json!({})]).await;
    let engine = bed.engine_by(manual.clock().steady(), journal.clone(), quick());
    assert_eq!(state(&engine, &journal).await, RunState::Waiting);
    manual.advance(TimeDelta::minutes(2));
    manual.advance(TimeDelta::hours(-1));
    manual.advance(TimeDelta::minutes(7));
    assert_eq!(state(&engine, &journal).await, RunState::Waiting);
    manual.advance(TimeDelta::seconds(61));
    assert_eq!(state(&engine, &journal).await, RunState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_one_set_back_before_a_start() {
    let bed = TestBed::new("actions:\n- { do: wait, with: { for: 10m } }\n").await;
    let (manual, journal) = (ManualClock::new(start()), bed.store());
    add(journal.as_ref(), &[json!({})]).await;
    let first = bed.engine_by(manual.clock().steady(), journal.clone(), quick());
    assert_eq!(state(&first, &journal).await, RunState::Waiting);
    manual.advance(TimeDelta::hours(-1));
    let second = bed.engine_by(manual.clock().steady(), journal.clone(), quick());
    assert_eq!(state(&second, &journal).await, RunState::Waiting);
    manual.advance(TimeDelta::seconds(601));
    assert_eq!(state(&second, &journal).await, RunState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_until_a_time_is_by_the_wall_clock() {
    let bed = TestBed::new("actions:\n- { do: wait, with: { until: '2026-11-28T10:10:00Z' } }\n").await;
    let (manual, journal) = (ManualClock::new(start()), bed.store());
    add(journal.as_ref(), &[json!({})]).await;
    let engine = bed.engine_by(manual.clock().steady(), journal.clone(), quick());
    assert_eq!(state(&engine, &journal).await, RunState::Waiting);
    manual.advance(TimeDelta::minutes(-30));
    manual.advance(TimeDelta::minutes(39));
    assert_eq!(state(&engine, &journal).await, RunState::Waiting);
    manual.advance(TimeDelta::minutes(2));
    assert_eq!(state(&engine, &journal).await, RunState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_comes_in_time() {
    let bed = TestBed::new("actions:\n- { do: things.get, with: { id: a } }\n").await;
    let bad = ResponseTemplate::new(503);
    Mock::given(method("GET")).respond_with(bad).up_to_n_times(1).mount(&bed.server).await;
    let bed = bed.on("GET", "/things/a", ok(json!({}))).await;
    let (manual, journal) = (ManualClock::new(start()), bed.store());
    add(journal.as_ref(), &[json!({})]).await;
    let options = Options { horizon: Duration::ZERO, ..quick() };
    let engine = bed.engine_by(manual.clock().steady(), journal.clone(), options);
    assert_eq!(state(&engine, &journal).await, RunState::Waiting);
    manual.advance(TimeDelta::hours(-1));
    manual.advance(TimeDelta::minutes(1));
    assert_eq!(state(&engine, &journal).await, RunState::Succeeded);
}
