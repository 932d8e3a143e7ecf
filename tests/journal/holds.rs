use hob::journal::{HeldConnection, RunUpdate};

use crate::fixture::{StoreLocation, add, at, ids, lease, sleep_until};

fn held(reason: &str) -> HeldConnection {
    HeldConnection { connection: "studio".to_owned(), reason: reason.to_owned(), since: at(3) }
}

pub async fn runs_that_wait_for_a_connection_go_on_when_it_is_let_go(location: &StoreLocation) {
    let journal = location.open().await;
    assert!(!journal.release_hold("studio").await.unwrap());
    let waits = add(&*journal, "1", "a", "x").await;
    add(&*journal, "2", "a", "y").await;
    let leased = lease(&*journal, 2, 0).await;
    for (run, reason) in leased.iter().zip(["refused\0", "another reason"]) {
        let update = RunUpdate { error: Some(reason.to_owned()), ..sleep_until(90) };
        journal.record(&run.lease, Vec::new(), update).await.unwrap();
    }
    journal.hold(&held("first")).await.unwrap();
    journal.hold(&held("refused\0")).await.unwrap();
    assert_eq!(journal.held_connections().await.unwrap(), [held("refused\0")]);
    assert!(lease(&*journal, 9, 5).await.is_empty());
    assert!(journal.release_hold("studio").await.unwrap());
    assert_eq!(journal.held_connections().await.unwrap(), []);
    assert_eq!(ids(&lease(&*journal, 9, 5).await), [waits]);
}
