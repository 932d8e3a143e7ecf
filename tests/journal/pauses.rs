//! Pausing and resuming recipes.

use hob::journal::{Part, PauseSubject, Record, RunUpdate, pause, pause_reason, paused, resume};
use hob::run::RunState;

use crate::fixture::{StoreLocation, add, at, end, ids, lease, update};

pub async fn runs_of_a_paused_recipe_wait(location: &StoreLocation) {
    let journal = location.open().await;
    for n in 0..3 {
        add(&*journal, &format!("a{n}"), "a", &n.to_string()).await;
    }
    add(&*journal, "b", "b", "x").await;
    assert!(pause(&*journal, &PauseSubject::recipe("a"), at(1)).await.unwrap());
    assert!(!pause(&*journal, &PauseSubject::recipe("a"), at(2)).await.unwrap(), "it is paused already");
    assert_eq!(paused(&*journal).await.unwrap(), [("a".to_owned(), at(1))].into());

    let leased = lease(&*journal, 99, 2).await;
    assert_eq!(leased.iter().map(|leased| &leased.run.recipe).collect::<Vec<_>>(), ["b"]);
    assert!(lease(&*journal, 99, 1_000_000_000).await.is_empty(), "they do not come back by themselves");
    assert_eq!(journal.next_due().await.unwrap(), None, "and nobody waits for a time");
    let rows = journal.runs(&Default::default()).await.unwrap();
    let waiting: Vec<_> = rows.iter().filter(|row| row.recipe == "a").collect();
    assert!(
        waiting.iter().all(|row| row.state == RunState::Waiting
            && row.error == Some(pause_reason(&PauseSubject::recipe("a"))))
    );

    assert!(resume(&*journal, &PauseSubject::recipe("a"), at(3)).await.unwrap());
    assert!(!resume(&*journal, &PauseSubject::recipe("a"), at(4)).await.unwrap(), "it goes on already");
    assert!(paused(&*journal).await.unwrap().is_empty());
    let leased = lease(&*journal, 99, 4).await;
    assert_eq!(leased.len(), 3);
    assert!(leased.iter().all(|leased| leased.entries.is_empty()));
    for run in &leased {
        end(&*journal, run, RunState::Succeeded).await;
    }
    assert_eq!(journal.totals(None).await.unwrap().runs["succeeded"], 3);
}

/// A run that waits for a time keeps it; one that becomes due meanwhile continues afterwards.
pub async fn a_pause_moves_no_times(location: &StoreLocation) {
    let journal = location.open().await;
    for n in 0..2 {
        add(&*journal, &n.to_string(), "a", &n.to_string()).await;
    }
    let leased = lease(&*journal, 2, 0).await;
    for (run, due) in leased.iter().zip([100, 200]) {
        let update = RunUpdate { due: Some(at(due)), ..update(RunState::Waiting, 0) };
        journal.record(&run.lease, vec![], update).await.unwrap();
    }
    pause(&*journal, &PauseSubject::recipe("a"), at(50)).await.unwrap();
    assert!(lease(&*journal, 2, 150).await.is_empty());
    resume(&*journal, &PauseSubject::recipe("a"), at(160)).await.unwrap();
    assert_eq!(ids(&lease(&*journal, 2, 160).await), [leased[0].run.id.clone()]);
    assert_eq!(journal.next_due().await.unwrap(), Some(at(200)));
    assert_eq!(ids(&lease(&*journal, 2, 200).await), [leased[1].run.id.clone()]);
}

/// A paused recipe stays paused, and its runs asleep, in a store that everything is moved to.
pub async fn a_pause_moves_with_the_store(location: &StoreLocation) {
    let (old, place) = (location.open().await, location.another());
    add(&*old, "x", "a", "x").await;
    pause(&*old, &PauseSubject::recipe("a"), at(1)).await.unwrap();
    assert!(lease(&*old, 9, 2).await.is_empty());
    let (new, moment) = (place.open().await, old.snapshot().await.unwrap());
    for part in Part::ALL {
        let records: Vec<Record> = moment.export(part, None, 99).await.unwrap().records;
        let line = |record: &Record| serde_json::from_str(&serde_json::to_string(record).unwrap()).unwrap();
        new.import(records.iter().map(line).collect()).await.unwrap();
    }
    assert!(lease(&*new, 9, 3).await.is_empty());
    resume(&*new, &PauseSubject::recipe("a"), at(4)).await.unwrap();
    assert_eq!(lease(&*new, 9, 5).await.len(), 1);
}
