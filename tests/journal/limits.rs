//! The stored limits of accounts: a text that a writer may replace if it has seen the latest version.

use hob::journal::LimitWrite;

use crate::fixture::StoreLocation;

pub async fn limits_are_replaced_by_who_has_seen_them(location: &StoreLocation) {
    let (one, other) = (location.open().await, location.client().await);
    let none = one.limits("studio").await.unwrap();
    assert_eq!((none.version, none.text.as_str()), (0, ""));
    assert!(none.now > 1_700_000_000_000_000, "{none:?}");
    let first = version(one.put_limits("studio", 0, "first ü").await.unwrap());
    assert_eq!(first, 1);
    let LimitWrite::Conflict(kept) = other.put_limits("studio", 0, "late").await.unwrap() else {
        panic!("somebody was faster")
    };
    assert_eq!((kept.version, kept.text.as_str()), (1, "first ü"));
    assert_eq!(version(other.put_limits("studio", 1, "second").await.unwrap()), 2);
    assert_eq!(other.limits("another").await.unwrap().version, 0);
    assert_eq!(one.limits("studio").await.unwrap().text, "second");
}

pub async fn one_of_many_replaces_limits(location: &StoreLocation) {
    let store = location.open().await;
    let writes = (0..16).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { store.put_limits("studio", 0, &n.to_string()).await.unwrap() })
    });
    let mut done = 0;
    for write in writes.collect::<Vec<_>>() {
        match write.await.unwrap() {
            LimitWrite::Done { .. } => done += 1,
            LimitWrite::Conflict(kept) => assert_eq!(kept.version, 1),
        }
    }
    assert_eq!(done, 1);
}

fn version(write: LimitWrite) -> i64 {
    match write {
        LimitWrite::Done { version, .. } => version,
        LimitWrite::Conflict(kept) => panic!("{kept:?}"),
    }
}
