//! The limits of an account that processes share, against those that each has for itself.

use std::fmt::Write;

use hob::connection::Breaker;
use hob::journal::{Access, Journal, Postgres, RequestEnd, RequestLeave, RequestLimits};

use crate::postgres::Cluster;

/// A store in the cluster that all share, and its schema.
async fn place() -> Option<(&'static Cluster, Postgres, String)> {
    let cluster = Cluster::shared()?;
    let url = cluster.store();
    let schema = url.split("schema=").nth(1)?.split('&').next()?.to_owned();
    Some((cluster, Postgres::open(&url, Access::Runner).await.expect("opens"), schema))
}

#[tokio::test]
async fn an_account_is_left_alone_as_long_by_many_as_by_one() {
    let Some((cluster, _store, schema)) = place().await else { return };
    let mut checks = String::new();
    for failures in 1..=20 {
        let pause = Breaker::pause(failures).as_micros();
        write!(
            checks,
            "ASSERT {schema}.hob_respite({failures}) = {pause}, '{failures}: ' || {schema}.hob_respite({failures});"
        )
        .unwrap();
    }
    cluster.user(&format!("DO $$ BEGIN {checks} END $$"));
}

#[tokio::test]
async fn an_account_is_left_alone_after_as_many_failures_by_many_as_by_one() {
    let Some((_, store, _)) = place().await else { return };
    let (breaker, limits) = (Breaker::default(), RequestLimits::default());
    let dead = RequestEnd { alive: Some(false), pause: None };
    assert_eq!(store.admit("dead", &limits).await.unwrap(), RequestLeave::Go(0));
    for failures in 1..=9 {
        store.settle("dead", 0, &dead).await.unwrap();
        breaker.report(false);
        let leave = store.admit("dead", &limits).await.unwrap();
        let left_alone = matches!(leave, RequestLeave::LeftAlone(_));
        assert_eq!(left_alone, breaker.check().is_err(), "after {failures} failures: {leave:?}");
        assert_eq!(left_alone, breaker.is_open());
    }
    assert!(breaker.is_open());
}
