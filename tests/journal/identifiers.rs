//! The index of values that identify.

use hob::journal::{IdentifierKey, Journal, Retention};
use hob::run::{RunState, Write};
use serde_json::{Value, json};

use crate::fixture::{StoreLocation, add_event, at, end, event, lease, update};

/// The first 16 bytes of the texts below `email`.
fn keys(value: &Value) -> Vec<IdentifierKey> {
    value["email"].as_str().map(key).into_iter().collect()
}

fn key(text: &str) -> IdentifierKey {
    let mut key = IdentifierKey::default();
    key.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    key
}

async fn index(journal: &dyn Journal, limit: usize) -> usize {
    let mut rounds = 0;
    loop {
        let found = journal.unindexed(limit).await.unwrap();
        if !found.is_new {
            return rounds;
        }
        journal.index(&found.entries(keys)).await.unwrap();
        rounds += 1;
    }
}

async fn found(journal: &dyn Journal, text: &str) -> Vec<Value> {
    let events = journal.identified(&key(text), 9).await.unwrap();
    events.into_iter().map(|event| event.payload["n"].clone()).collect()
}

pub async fn events_are_found_by_their_values_and_those_that_their_runs_wrote(location: &StoreLocation) {
    let journal = location.open().await;
    assert_eq!(index(&*journal, 10).await, 0);
    let mut runs = Vec::new();
    for n in 0..5 {
        let mut event = event(&n.to_string());
        event.received = at(n);
        event.payload = json!({ "n": n, "email": if n % 2 == 0 { "even" } else { "odd" } });
        runs.push(add_event(&*journal, event, "a", &n.to_string()).await);
    }
    let since = journal.unindexed(1).await.unwrap().since;
    assert_eq!(since, Some(at(0)));
    assert!(index(&*journal, 2).await >= 3);
    assert_eq!(found(&*journal, "even").await, [4, 2, 0]);
    assert_eq!(found(&*journal, "odd").await, [3, 1]);
    assert!(found(&*journal, "other").await.is_empty());
    assert!(!journal.unindexed(9).await.unwrap().is_new);

    let leased = lease(&*journal, 1, 10).await.remove(0);
    let write = Write {
        connection: "studio-1".to_owned(),
        record: "c-1".to_owned(),
        operation: "contacts.create".to_owned(),
        fields: json!({ "email": "written" }),
        origin: None,
    };
    let mut written = update(RunState::Succeeded, 20);
    written.writes.push(write);
    journal.record(&leased.lease, vec![], written).await.unwrap();
    index(&*journal, 10).await;
    assert_eq!(found(&*journal, "written").await, [0]);

    let events: Vec<_> =
        journal.identified(&key("even"), 9).await.unwrap().into_iter().map(|event| event.id).collect();
    let mut rows = journal.runs_of(&events).await.unwrap();
    rows.sort_by_key(|row| row.created);
    let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
    assert_eq!(ids, [&runs[0], &runs[2], &runs[4]].map(Clone::clone));
    let mut pairs = journal.events_of(&ids).await.unwrap();
    pairs.sort_by_key(|(row, _)| row.created);
    assert_eq!(
        pairs.iter().map(|(_, event)| &event.id).rev().collect::<Vec<_>>(),
        events.iter().collect::<Vec<_>>()
    );
    let writes = journal.writes_of(&ids).await.unwrap();
    assert_eq!(writes.iter().map(|written| &written.run).collect::<Vec<_>>(), [&runs[0]]);
    assert_eq!(writes, journal.written("c-1", None, 9).await.unwrap());
}

pub async fn the_index_forgets_what_retention_deletes(location: &StoreLocation) {
    let journal = location.open().await;
    for (n, seconds) in [(0, 0), (1, 1000)] {
        let mut event = event(&n.to_string());
        event.received = at(seconds);
        event.payload = json!({ "n": n, "email": "same" });
        add_event(&*journal, event, "a", &n.to_string()).await;
    }
    index(&*journal, 10).await;
    for run in lease(&*journal, 9, 2000).await {
        end(&*journal, &run, RunState::Succeeded).await;
    }
    assert_eq!(found(&*journal, "same").await, [1, 0]);
    let retention = Retention { before: Some(at(500)), ..Retention::default() };
    let pruned = journal.prune(&retention, 10).await.unwrap();
    assert_eq!((pruned.runs, pruned.events), (1, 1));
    assert_eq!(found(&*journal, "same").await, [1]);
    location.assert_rows("identifiers", 1);
}
