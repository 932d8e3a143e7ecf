//! Alerts are stored together, and only if nobody changed them meanwhile.

use hob::journal::StoredAlert;
use serde_json::json;

use crate::fixture::{StoreLocation, at};

fn alert(key: &str, version: i64, live: bool) -> StoredAlert {
    let alert = json!({ "is": format!("{key}{version}\0") });
    StoredAlert { key: key.to_owned(), version, live, changed: at(version), alert }
}

pub async fn an_alert_follows_the_one_that_was_seen(location: &StoreLocation) {
    let journal = location.open().await;
    let (a, b) = (alert("a", 1, true), alert("b", 1, true));
    assert!(journal.put_alerts(&[a.clone(), b.clone()]).await.unwrap());
    assert_eq!(journal.alerts().await.unwrap(), [a.clone(), b.clone()]);
    let next = alert("b", 2, false);
    // Somebody who has not seen `a` stores only what nobody else has changed.
    assert!(!journal.put_alerts(&[alert("a", 1, false), next.clone()]).await.unwrap());
    assert!(!journal.put_alerts(&[alert("a", 3, false)]).await.unwrap());
    assert_eq!(journal.alerts().await.unwrap(), [a, next]);
}

pub async fn alerts_that_are_over_are_forgotten(location: &StoreLocation) {
    let journal = location.open().await;
    let many: Vec<StoredAlert> = (0..120).map(|n| alert(&format!("a{n:03}"), 1, n == 7)).collect();
    assert!(journal.put_alerts(&many).await.unwrap());
    assert!(journal.put_alerts(&[]).await.unwrap());
    journal.forget_alerts(at(1)).await.unwrap();
    assert_eq!(journal.alerts().await.unwrap().len(), 120);
    journal.forget_alerts(at(2)).await.unwrap();
    assert_eq!(journal.alerts().await.unwrap(), [many[7].clone()]);
}
