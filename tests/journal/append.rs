use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use hob::event::{Seen, Source};
use hob::journal::{Appended, Batch, Link, Progress};
use hob::run::RunState;
use serde_json::json;

use crate::fixture::{StoreLocation, add, cursor, end, event, ids, lease, new_run, remark, update};

pub async fn a_known_event_is_left_out(location: &StoreLocation) {
    let journal = location.open().await;
    let once = |dedup| (event(dedup), vec![new_run("a", "1"), new_run("b", "1")]);
    let batch = Batch { events: vec![once("x"), once("y"), once("x")], progress: None };
    let appended = journal.append(batch).await.unwrap();
    assert_eq!(appended, Appended { events: 2, runs: 4, duplicates: 1 });

    let batch = Batch { events: vec![once("y"), once("z")], progress: None };
    let appended = journal.append(batch).await.unwrap();
    assert_eq!(appended, Appended { events: 1, runs: 2, duplicates: 1 });
    assert_eq!(journal.totals(None).await.unwrap().events, 3);
    assert_eq!(journal.runs(&Default::default()).await.unwrap().len(), 6);
}

pub async fn a_receipt_that_is_forgotten_lets_its_event_come_again(location: &StoreLocation) {
    let journal = location.open().await;
    let append = async |dedup| {
        let batch = Batch { events: vec![(event(dedup), vec![])], progress: None };
        journal.append(batch).await.unwrap().events
    };
    let first = event("x");
    assert_eq!(append("x").await, 1);
    journal.forget_receipt(&first.source, &first.dedup, first.received - TimeDelta::hours(1)).await.unwrap();
    assert_eq!(append("x").await, 0, "it came later than that");
    let other = Source::Path("/other".to_owned());
    journal.forget_receipt(&other, &first.dedup, first.received + TimeDelta::hours(1)).await.unwrap();
    assert_eq!(append("x").await, 0, "another source");
    journal.forget_receipt(&first.source, &first.dedup, first.received + TimeDelta::hours(1)).await.unwrap();
    assert_eq!(append("x").await, 1);
    assert_eq!(append("x").await, 0, "it is remembered again");
}

pub async fn dedup_keys_belong_to_their_source(location: &StoreLocation) {
    let journal = location.open().await;
    let mut other = event("x");
    other.source = Source::Path("/highlevel".to_owned());
    let batch = Batch { events: vec![(event("x"), vec![]), (other, vec![])], progress: None };
    assert_eq!(journal.append(batch).await.unwrap().events, 2);
}

pub async fn a_batch_is_all_or_nothing(location: &StoreLocation) {
    let journal = location.open().await;
    let cursor = cursor("a", 1);
    let key = cursor.key.clone();
    let seen = vec![Seen { record: "1".to_owned(), fingerprint: "f".to_owned() }];
    let progress = || {
        let seen = seen.clone();
        Some(Progress {
            cursor: cursor.clone(),
            seen,
            forgotten: vec![],
            reset: false,
            claim: None,
            beside: false,
        })
    };
    // The second event's run has the id of the first one's, which every store rejects.
    let run = new_run("a", "1");
    let events = vec![(event("x"), vec![run.clone()]), (event("y"), vec![run.clone()])];
    journal.append(Batch { events, progress: progress() }).await.unwrap_err();
    assert_eq!(journal.totals(None).await.unwrap(), Default::default());
    assert_eq!(journal.cursor(&key).await.unwrap(), None);
    assert!(lease(&*journal, 9, 0).await.is_empty());

    let events = vec![(event("x"), vec![run])];
    journal.append(Batch { events, progress: progress() }).await.unwrap();
    assert_eq!(journal.cursor(&key).await.unwrap(), Some(cursor.clone()));
    assert_eq!(journal.seen(&key, &["1".to_owned()]).await.unwrap()["1"], "f");
    assert_eq!(lease(&*journal, 9, 0).await.len(), 1);
}

pub async fn everything_is_there_after_reopening(location: &StoreLocation) {
    let journal = location.open().await;
    let first = add(&*journal, "x", "a", "1").await;
    let second = add(&*journal, "y", "a", "1").await;
    let leased = lease(&*journal, 9, 0).await;
    journal.record(&leased[0].lease, vec![remark(0, "hello")], update(RunState::Running, 0)).await.unwrap();
    let link = Link { name: "n".to_owned(), from: "f".to_owned(), to: "t".to_owned() };
    journal.save_link(&link).await.unwrap();
    journal.put_state("k", &json!([1])).await.unwrap();
    journal.close().await;
    journal.put_state("k", &json!([2])).await.unwrap_err();
    drop(journal);

    let journal = location.open().await;
    assert_eq!(journal.state("k").await.unwrap(), Some(json!([1])));
    assert_eq!(journal.links_by_record("t").await.unwrap(), [link]);
    assert_eq!(journal.run(&first).await.unwrap().unwrap().entries, [remark(0, "hello")]);
    // The lease and the lane are still held, the dedup key still known.
    assert!(lease(&*journal, 9, 0).await.is_empty());
    let again = Batch { events: vec![(event("x"), vec![])], progress: None };
    assert_eq!(journal.append(again).await.unwrap().duplicates, 1);
    end(&*journal, &leased[0], RunState::Succeeded).await;
    assert_eq!(ids(&lease(&*journal, 9, 0).await), [second]);
}

pub async fn many_may_create_a_store_at_once(location: &StoreLocation) {
    let create = async |n: usize| add(&*location.client().await, &n.to_string(), "a", "x").await;
    futures::future::join_all((0..8).map(create)).await;
    assert_eq!(location.open().await.totals(None).await.unwrap().events, 8);
}

pub async fn many_writers_at_once_lose_and_repeat_nothing(location: &StoreLocation) {
    let journal = location.open().await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16 {
        let journal = Arc::clone(&journal);
        writers.spawn(async move {
            let mut appended = Appended::default();
            for n in 0..25 {
                // Every second event comes from two writers.
                let dedup =
                    if n % 2 == 0 { format!("{}-{n}", writer / 2) } else { format!("own-{writer}-{n}") };
                let events = vec![(event(&dedup), vec![new_run("a", &dedup)])];
                let one = journal.append(Batch { events, progress: None }).await.unwrap();
                appended.events += one.events;
                appended.duplicates += one.duplicates;
            }
            appended
        });
    }
    let all = writers.join_all().await;
    let expected = 8 * 13 + 16 * 12;
    assert_eq!(all.iter().map(|one| one.events).sum::<usize>(), expected);
    assert_eq!(all.iter().map(|one| one.duplicates).sum::<usize>(), 8 * 13);
    let leased: BTreeSet<_> = ids(&lease(&*journal, 1000, 0).await).into_iter().collect();
    assert_eq!(leased.len(), expected);
    let since = Some(chrono::DateTime::<Utc>::UNIX_EPOCH);
    assert_eq!(journal.totals(since).await.unwrap().events, expected as u64);
}
