//! Pauses, and clocks that are set back meanwhile.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::clock::HandClock;

fn start() -> DateTime<Utc> {
    "2026-11-28T10:00:00Z".parse().unwrap()
}

/// Works until nothing is left to do now, as a new process or as one that goes on; where the run stands.
async fn state(engine: &Engine, journal: &Sqlite) -> RunState {
    engine.run_until_idle().await.unwrap();
    rows(journal).await.remove(0).state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_back_makes_no_pause_longer() {
    let bench = Bench::new("actions:\n- { do: wait, with: { for: 10m } }\n").await;
    let (hand, journal) = (HandClock::new(start()), bench.store());
    add(journal.as_ref(), &[json!({})]).await;
    let engine = bench.engine_by(hand.clock().steady(), journal.clone(), quick());
    assert_eq!(state(&engine, &journal).await, RunState::Waiting);
    hand.advance(TimeDelta::minutes(2));
    hand.advance(TimeDelta::hours(-1));
    hand.advance(TimeDelta::minutes(7));
    assert_eq!(state(&engine, &journal).await, RunState::Waiting);
    hand.advance(TimeDelta::seconds(61));
    assert_eq!(state(&engine, &journal).await, RunState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_one_set_back_before_a_start() {
    let bench = Bench::new("actions:\n- { do: wait, with: { for: 10m } }\n").await;
    let (hand, journal) = (HandClock::new(start()), bench.store());
    add(journal.as_ref(), &[json!({})]).await;
    let first = bench.engine_by(hand.clock().steady(), journal.clone(), quick());
    assert_eq!(state(&first, &journal).await, RunState::Waiting);
    hand.advance(TimeDelta::hours(-1));
    let second = bench.engine_by(hand.clock().steady(), journal.clone(), quick());
    assert_eq!(state(&second, &journal).await, RunState::Waiting);
    hand.advance(TimeDelta::seconds(601));
    assert_eq!(state(&second, &journal).await, RunState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_until_a_time_is_by_the_wall_clock() {
    let bench = Bench::new("actions:\n- { do: wait, with: { until: '2026-11-28T10:10:00Z' } }\n").await;
    let (hand, journal) = (HandClock::new(start()), bench.store());
    add(journal.as_ref(), &[json!({})]).await;
    let engine = bench.engine_by(hand.clock().steady(), journal.clone(), quick());
    assert_eq!(state(&engine, &journal).await, RunState::Waiting);
    hand.advance(TimeDelta::minutes(-30));
    hand.advance(TimeDelta::minutes(39));
    assert_eq!(state(&engine, &journal).await, RunState::Waiting);
    hand.advance(TimeDelta::minutes(2));
    assert_eq!(state(&engine, &journal).await, RunState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_comes_in_time() {
    let bench = Bench::new("actions:\n- { do: things.get, with: { id: a } }\n").await;
    let bad = ResponseTemplate::new(503);
    Mock::given(method("GET")).respond_with(bad).up_to_n_times(1).mount(&bench.server).await;
    let bench = bench.on("GET", "/things/a", ok(json!({}))).await;
    let (hand, journal) = (HandClock::new(start()), bench.store());
    add(journal.as_ref(), &[json!({})]).await;
    let options = Options { horizon: Duration::ZERO, ..quick() };
    let engine = bench.engine_by(hand.clock().steady(), journal.clone(), options);
    assert_eq!(state(&engine, &journal).await, RunState::Waiting);
    hand.advance(TimeDelta::hours(-1));
    hand.advance(TimeDelta::minutes(1));
    assert_eq!(state(&engine, &journal).await, RunState::Succeeded);
}
