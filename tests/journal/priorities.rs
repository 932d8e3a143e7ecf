use hob::event::{CursorKey, Source};
use hob::journal::{Due, Journal, Part, Record};
use hob::run::{RunId, RunState};

use crate::fixture::{
    StoreLocation, WORKER, add, add_event, at, end, event, ids, lease, sleep_until, update,
};

/// Adds a run of a polled event.
async fn polled(journal: &dyn Journal, dedup: &str, lane: &str) -> RunId {
    let source = Source::Poll(CursorKey::new("contacts", &["studio-1".into()]));
    add_event(journal, hob::event::Event { source, ..event(dedup) }, "polls", lane).await
}

pub async fn what_somebody_waits_for_goes_first(location: &StoreLocation) {
    let journal = location.open().await;
    let found = [
        polled(&*journal, "1", "x").await,
        polled(&*journal, "2", "y").await,
        polled(&*journal, "3", "x").await,
    ];
    assert_eq!(ids(&lease(&*journal, 1, 0).await), [found[0].clone()]);
    let received = add(&*journal, "4", "hooks", "x").await;
    assert_eq!(ids(&lease(&*journal, 2, 0).await), [received, found[1].clone()]);
    assert_eq!(journal.next_due().await.unwrap(), None, "a priority is no time");
}

pub async fn it_keeps_its_place_whatever_happens(location: &StoreLocation) {
    let journal = location.open().await;
    for n in 0..6 {
        polled(&*journal, &n.to_string(), &(n % 3).to_string()).await;
    }
    let first = lease(&*journal, 3, 0).await;
    // One ends and frees its lane, one waits for a moment, one loses its lease.
    end(&*journal, &first[0], RunState::Succeeded).await;
    journal.record(&first[1].lease, vec![], update(RunState::Waiting, 0)).await.unwrap();
    assert_eq!(journal.reclaim(WORKER, at(31)).await.unwrap(), 1);
    // A finished one is reopened.
    assert!(journal.amend(&first[0].run.id, 0, vec![], update(RunState::Waiting, 31)).await.unwrap());
    let received = add(&*journal, "hook", "hooks", "x").await;
    let next = lease(&*journal, 1, 31).await;
    assert_eq!(ids(&next), [received]);
    journal.record(&next[0].lease, vec![], sleep_until(40)).await.unwrap();
    let exported = journal.snapshot().await.unwrap().export(Part::Runs, None, 99).await.unwrap().records;
    let dues = exported.iter().map(|record| match record {
        Record::Run { due, .. } => *due,
        other => panic!("{other:?}"),
    });
    let (never, now) = (Due::Never, Due::Now);
    assert_eq!(dues.collect::<Vec<_>>(), [never, now, now, now, never, never, Due::At(at(40))]);
}
