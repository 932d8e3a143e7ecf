use hob::event::CursorKey;
use hob::journal::{Batch, Claim, Error, Progress};

use crate::fixture::{StoreLocation, TTL, at, cursor, event, new_run};

pub async fn a_claim_passes_on_when_it_ends(location: &StoreLocation) {
    let journal = location.open().await;
    let claim = |name: &'static str, owner: &'static str, seconds| {
        let journal = journal.clone();
        async move { journal.claim(name, owner, at(seconds), TTL).await.unwrap() }
    };
    let first = claim("a", "one", 0).await.expect("is free");
    assert_eq!(claim("b", "one", 0).await.map(|claim| claim.name), Some("b".to_owned()));
    // Extending is not taking.
    assert_eq!(claim("a", "one", 10).await, Some(first.clone()));
    if journal.is_shared() {
        assert_eq!(claim("a", "two", 39).await, None);
    }
    let second = claim("a", "two", 40).await.expect("has ended");
    assert!(second.epoch > first.epoch);
    // The previous holder cannot release it.
    journal.release(&first).await.unwrap();
    assert_eq!(claim("a", "two", 41).await, Some(second.clone()));
    journal.release(&second).await.unwrap();
    let third = claim("a", "one", 42).await.expect("was given up");
    assert!(third.epoch > second.epoch);
    // An expired claim may have had another owner before the same one takes it again.
    assert!(claim("a", "one", 200).await.unwrap().epoch > third.epoch);
}

pub async fn what_was_claimed_fences_the_cursor(location: &StoreLocation) {
    let journal = location.open().await;
    let key = CursorKey::new("a", &["fitr".to_owned()]);
    let batch = |dedup: &str, scan: u64, claim: &Claim| Batch {
        events: vec![(event(dedup), vec![new_run("a", dedup)])],
        progress: Some(Progress {
            cursor: cursor("a", scan),
            seen: vec![],
            forgotten: vec![],
            reset: false,
            claim: Some(claim.clone()),
            beside: false,
        }),
    };
    let first = journal.claim("cursor:a", "one", at(0), TTL).await.unwrap().unwrap();
    assert_eq!(journal.append(batch("1", 1, &first)).await.unwrap().runs, 1);
    let second = journal.claim("cursor:a", "two", at(31), TTL).await.unwrap().unwrap();
    assert_eq!(journal.append(batch("2", 2, &second)).await.unwrap().runs, 1);
    let late = journal.append(batch("3", 1, &first)).await.unwrap_err();
    assert!(matches!(&late, Error::Overtaken { claim } if claim == "cursor:a"), "{late}");
    // All or nothing.
    assert_eq!(journal.cursor(&key).await.unwrap().unwrap().scan, 2);
    assert_eq!(journal.totals(None).await.unwrap().events, 2);
    assert_eq!(journal.append(batch("3", 3, &second)).await.unwrap().runs, 1);
}
