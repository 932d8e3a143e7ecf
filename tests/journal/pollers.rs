use std::collections::HashMap;

use hob::event::{CursorKey, Seen};
use hob::journal::{Batch, Journal, Progress};

use crate::fixture::{StoreLocation, cursor};

fn seen(records: &[(&str, &str)]) -> Vec<Seen> {
    let seen = |(record, fingerprint): &(&str, &str)| Seen {
        record: (*record).to_owned(),
        fingerprint: (*fingerprint).to_owned(),
    };
    records.iter().map(seen).collect()
}

async fn save(journal: &dyn Journal, progress: Progress) {
    journal.append(Batch { events: Vec::new(), progress: Some(progress) }).await.unwrap();
}

async fn known(journal: &dyn Journal, key: &CursorKey, records: &[&str]) -> Vec<(String, String)> {
    let records: Vec<String> = records.iter().map(|record| (*record).to_owned()).collect();
    let known: HashMap<String, String> = journal.seen(key, &records).await.unwrap();
    let mut known: Vec<_> = known.into_iter().collect();
    known.sort();
    known
}

pub async fn progress_is_kept(location: &StoreLocation) {
    let journal = location.open().await;
    let first = cursor("a", 1);
    assert_eq!(journal.cursor(&first.key).await.unwrap(), None);
    for cursor in [first.clone(), cursor("b", 7), cursor("a", 2)] {
        save(&*journal, Progress { cursor, seen: vec![], forgotten: vec![], reset: false, claim: None })
            .await;
    }
    assert_eq!(journal.cursor(&first.key).await.unwrap(), Some(cursor("a", 2)));
    assert_eq!(journal.cursors().await.unwrap(), [cursor("a", 2), cursor("b", 7)]);
}

pub async fn records_are_remembered_and_forgotten(location: &StoreLocation) {
    let journal = location.open().await;
    let (one, other) = (cursor("a", 1), cursor("b", 1));
    let both = seen(&[("1", "x"), ("2", "y")]);
    for cursor in [one.clone(), other.clone()] {
        save(
            &*journal,
            Progress { cursor, seen: both.clone(), forgotten: vec![], reset: false, claim: None },
        )
        .await;
    }
    let owned = |record: &str, print: &str| (record.to_owned(), print.to_owned());
    assert_eq!(known(&*journal, &one.key, &["0", "1", "2"]).await, [owned("1", "x"), owned("2", "y")]);

    let progress = Progress {
        cursor: cursor("a", 2),
        seen: seen(&[("1", "z"), ("3", "w")]),
        forgotten: vec!["2".to_owned()],
        reset: false,
        claim: None,
    };
    save(&*journal, progress).await;
    assert_eq!(known(&*journal, &one.key, &["1", "2", "3"]).await, [owned("1", "z"), owned("3", "w")]);

    let anew = Progress {
        cursor: one.clone(),
        seen: seen(&[("9", "n")]),
        forgotten: vec![],
        reset: true,
        claim: None,
    };
    save(&*journal, anew).await;
    assert_eq!(known(&*journal, &one.key, &["1", "3", "9"]).await, [owned("9", "n")]);
    assert_eq!(known(&*journal, &other.key, &["1", "2"]).await.len(), 2);
}

pub async fn vanished_records_come_in_pages(location: &StoreLocation) {
    let journal = location.open().await;
    let first = cursor("a", 1);
    let key = first.key.clone();
    assert!(journal.vanished(&key, 2, None, 10).await.unwrap().is_empty());
    let all = seen(&[("1", ""), ("2", ""), ("3", ""), ("4", ""), ("5", "")]);
    save(&*journal, Progress { cursor: first, seen: all, forgotten: vec![], reset: false, claim: None })
        .await;
    let again = seen(&[("2", "")]);
    save(
        &*journal,
        Progress { cursor: cursor("a", 2), seen: again, forgotten: vec![], reset: false, claim: None },
    )
    .await;
    let page = async |after, limit| journal.vanished(&key, 2, after, limit).await.unwrap();
    assert_eq!(page(None, 2).await, ["1", "3"]);
    assert_eq!(page(Some("3"), 2).await, ["4", "5"]);
    assert!(page(Some("5"), 2).await.is_empty());
    assert!(journal.vanished(&key, 1, None, 10).await.unwrap().is_empty());
}
