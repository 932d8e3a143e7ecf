use std::collections::HashMap;

use hob::event::{Cursor, CursorKey, Event, Seen, WithheldRemovals};
use hob::journal::{
    Batch, Error, Journal, Progress, SeenCount, accept_removals, accepted_removals, forget_accepted_removals,
};
use hob::run::Accounts;

use crate::fixture::{StoreLocation, add_event, at, cursor, event, new_run};

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
        save(
            &*journal,
            Progress { cursor, seen: vec![], forgotten: vec![], reset: false, claim: None, beside: false },
        )
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
            Progress {
                cursor,
                seen: both.clone(),
                forgotten: vec![],
                reset: false,
                claim: None,
                beside: false,
            },
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
        beside: false,
    };
    save(&*journal, progress).await;
    assert_eq!(known(&*journal, &one.key, &["1", "2", "3"]).await, [owned("1", "z"), owned("3", "w")]);

    let anew = Progress {
        cursor: one.clone(),
        seen: seen(&[("9", "n")]),
        forgotten: vec![],
        reset: true,
        claim: None,
        beside: false,
    };
    save(&*journal, anew).await;
    assert_eq!(known(&*journal, &one.key, &["1", "3", "9"]).await, [owned("9", "n")]);
    assert_eq!(known(&*journal, &other.key, &["1", "2"]).await.len(), 2);
}

pub async fn many_records_are_forgotten_at_once(location: &StoreLocation) {
    let journal = location.open().await;
    let (one, other) = (cursor("a", 1), cursor("b", 1));
    let all: Vec<String> = (0..12_345).map(|number| format!("record {number}")).collect();
    let all: Vec<(&str, &str)> = all.iter().map(|record| (record.as_str(), "")).collect();
    let progress = |cursor: &Cursor, seen, reset| Progress {
        cursor: cursor.clone(),
        seen,
        forgotten: vec![],
        reset,
        claim: None,
        beside: false,
    };
    save(&*journal, progress(&one, seen(&all), false)).await;
    save(&*journal, progress(&other, seen(&all[..7]), false)).await;
    save(&*journal, progress(&one, vec![], true)).await;
    let known = async |key| journal.count_seen(key, 9).await.unwrap().known;
    assert_eq!((known(&one.key).await, known(&other.key).await), (0, 7));
}

pub async fn vanished_records_come_in_pages(location: &StoreLocation) {
    let journal = location.open().await;
    let first = cursor("a", 1);
    let key = first.key.clone();
    assert!(journal.vanished(&key, 2, None, 10).await.unwrap().is_empty());
    let all = seen(&[("1", ""), ("2", ""), ("3", ""), ("4", ""), ("5", "")]);
    save(
        &*journal,
        Progress { cursor: first, seen: all, forgotten: vec![], reset: false, claim: None, beside: false },
    )
    .await;
    let again = seen(&[("2", "")]);
    save(
        &*journal,
        Progress {
            cursor: cursor("a", 2),
            seen: again,
            forgotten: vec![],
            reset: false,
            claim: None,
            beside: false,
        },
    )
    .await;
    let page = async |after, limit| journal.vanished(&key, 2, after, limit).await.unwrap();
    assert_eq!(page(None, 2).await, ["1", "3"]);
    assert_eq!(page(Some("3"), 2).await, ["4", "5"]);
    assert!(page(Some("5"), 2).await.is_empty());
    assert!(journal.vanished(&key, 1, None, 10).await.unwrap().is_empty());
    let count = async |before| journal.count_seen(&key, before).await.unwrap();
    assert_eq!(count(2).await, SeenCount { known: 5, missing: 4 });
    assert_eq!(count(1).await, SeenCount { known: 5, missing: 0 });
    assert_eq!(journal.count_seen(&cursor("b", 1).key, 9).await.unwrap(), SeenCount::default());
}

pub async fn accepted_removals_are_kept_until_they_are_forgotten(location: &StoreLocation) {
    let withheld =
        |before| WithheldRemovals { missing: 9, known: 9, before, since: at(0), reason: String::new() };
    let journal = location.open().await;
    let key = cursor("a", 7).key;
    let mut held = cursor("a", 7);
    held.withheld = Some(Box::new(withheld(7)));
    save(
        &*journal,
        Progress {
            cursor: held.clone(),
            seen: vec![],
            forgotten: vec![],
            reset: false,
            claim: None,
            beside: false,
        },
    )
    .await;
    accept_removals(&*journal, &key, &withheld(7)).await.unwrap();
    journal.close().await;
    let journal = location.open().await;
    assert_eq!(journal.cursor(&key).await.unwrap(), Some(held));
    assert_eq!(accepted_removals(&*journal, &key, &withheld(8)).await.unwrap(), Some(7));
    assert_eq!(accepted_removals(&*journal, &key, &withheld(6)).await.unwrap(), None, "of another time");
    assert_eq!(accepted_removals(&*journal, &cursor("b", 7).key, &withheld(8)).await.unwrap(), None);
    forget_accepted_removals(&*journal, &key).await.unwrap();
    assert_eq!(accepted_removals(&*journal, &key, &withheld(8)).await.unwrap(), None);
}

pub async fn events_are_stored_beside_a_poller_that_has_not_gone_on(location: &StoreLocation) {
    let journal = location.open().await;
    let reading = cursor("a", 2);
    let between = Cursor { page: None, ..cursor("a", 3) };
    let mut dedup = 0;
    let mut beside = async |cursor: &Cursor| {
        dedup += 1;
        let progress = Progress {
            cursor: cursor.clone(),
            seen: seen(&[(&dedup.to_string(), "x")]),
            forgotten: vec![],
            reset: false,
            claim: None,
            beside: true,
        };
        let events = vec![(event(&dedup.to_string()), vec![new_run("a", "1")])];
        journal.append(Batch { events, progress: Some(progress) }).await
    };
    let is_overtaken = |stored| matches!(stored, Err(Error::Overtaken { .. }));
    assert!(is_overtaken(beside(&reading).await), "there is no cursor");
    for stored in [reading.clone(), between.clone()] {
        let progress = Progress {
            cursor: Cursor { due: at(900), ..stored.clone() },
            seen: vec![],
            forgotten: vec![],
            reset: false,
            claim: None,
            beside: false,
        };
        save(&*journal, progress).await;
        assert!(beside(&stored).await.is_ok());
        let other = Cursor { page: cursor("a", 1).page.filter(|_| stored.page.is_none()), ..stored.clone() };
        assert!(is_overtaken(beside(&other).await), "it is at another page");
        assert!(is_overtaken(beside(&cursor("a", 7)).await), "it is in another scan");
        assert_eq!(journal.cursor(&stored.key).await.unwrap().unwrap().due, at(900), "it stays as it is");
    }
    assert_eq!(journal.totals(None).await.unwrap().events, 2);
    let owned = |record: &str| (record.to_owned(), "x".to_owned());
    let all = ["1", "2", "3", "4", "5", "6", "7"];
    assert_eq!(known(&*journal, &reading.key, &all).await, [owned("2"), owned("5")]);
}

pub async fn runs_about_records_are_found(location: &StoreLocation) {
    let journal = location.open().await;
    assert_eq!(journal.first_run("a").await.unwrap(), None);
    let mut ids = Vec::new();
    for (dedup, record, recipe) in [("1", "x", "a"), ("2", "y", "a"), ("3", "x", "a"), ("4", "x", "b")] {
        let event = Event { record: Some(record.to_owned()), ..event(dedup) };
        ids.push(add_event(&*journal, event, recipe, record).await);
    }
    let accounts = new_run("a", "1").accounts;
    let about = async |recipe, accounts: &Accounts, records: &[&str]| {
        let records: Vec<String> = records.iter().map(|record| (*record).to_owned()).collect();
        let rows = journal.runs_about(recipe, accounts, &records).await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(about("a", &accounts, &["x"]).await, [ids[0].clone(), ids[2].clone()]);
    assert_eq!(about("a", &accounts, &["x", "y", "z"]).await, ids[..3]);
    assert_eq!(about("b", &accounts, &["y"]).await, []);
    assert_eq!(about("a", &Accounts::default(), &["x"]).await, []);
    let many: Vec<String> = (0..100).map(|n| n.to_string()).chain(["y".to_owned()]).collect();
    assert_eq!(journal.runs_about("a", &accounts, &many).await.unwrap().len(), 1);
    assert_eq!(journal.first_run("a").await.unwrap(), Some(at(0)));
}
