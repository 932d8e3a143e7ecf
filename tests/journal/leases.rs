use std::sync::Arc;
use std::time::Duration;

use hob::journal::{Error, Lease, RunFilter, RunUpdate, Slots};
use hob::run::RunState;

use crate::fixture::{
    StoreLocation, TIMEOUT, TTL, WORKER, add, add_event, at, end, event, ids, lease, remark, sleep_until,
    update,
};

pub async fn a_run_waits_until_it_is_due(location: &StoreLocation) {
    let journal = location.open().await;
    assert_eq!(journal.next_due().await.unwrap(), None);
    let run = add(&*journal, "1", "a", "x").await;
    let leased = lease(&*journal, 1, 0).await;
    journal.record(&leased[0].lease, Vec::new(), sleep_until(90)).await.unwrap();
    assert_eq!(journal.next_due().await.unwrap(), Some(at(90)));
    assert_eq!(journal.run(&run).await.unwrap().unwrap().row.state, RunState::Waiting);
    assert!(lease(&*journal, 1, 89).await.is_empty());
    assert_eq!(ids(&lease(&*journal, 1, 90).await), [run]);
    assert_eq!(journal.next_due().await.unwrap(), None);
}

pub async fn old_and_new_runs_share_a_lease(location: &StoreLocation) {
    let journal = location.open().await;
    let mut old = Vec::new();
    for n in 0..4 {
        old.push(add(&*journal, &format!("old-{n}"), "a", &n.to_string()).await);
    }
    for run in lease(&*journal, 4, 0).await {
        journal.record(&run.lease, Vec::new(), sleep_until(10)).await.unwrap();
    }
    let mut new = Vec::new();
    for n in 4..6 {
        new.push(add(&*journal, &format!("new-{n}"), "a", &n.to_string()).await);
    }
    assert_eq!(ids(&lease(&*journal, 2, 10).await), [old[0].clone(), new[0].clone()]);
    // If one kind has few runs, the other kind gets its share.
    let rest = ids(&lease(&*journal, 4, 10).await);
    assert_eq!(rest, [old[1].clone(), new[1].clone(), old[2].clone(), old[3].clone()]);
}

pub async fn what_waits_tells_when_that_began(location: &StoreLocation) {
    let journal = location.open().await;
    assert_eq!(journal.last_wait(at(0)).await.unwrap(), None);
    for (dedup, began) in [("1", 5), ("2", 3)] {
        add(&*journal, dedup, "a", dedup).await;
        let lease = lease(&*journal, 1, 0).await.remove(0).lease;
        let waits = RunUpdate { due: Some(at(100)), ..update(RunState::Waiting, began) };
        journal.record(&lease, vec![remark(0, "x"), remark(began, "y")], waits).await.unwrap();
    }
    assert_eq!(journal.last_wait(at(0)).await.unwrap(), Some(at(5)));
    assert_eq!(journal.last_wait(at(101)).await.unwrap(), None, "nothing waits beyond that");
}

pub async fn a_late_worker_is_fenced(location: &StoreLocation) {
    let journal = location.open().await;
    let run = add(&*journal, "1", "a", "x").await;
    let late = lease(&*journal, 1, 0).await.remove(0).lease;
    journal.reclaim(WORKER, at(31)).await.unwrap();
    let record = |lease: Lease, state| {
        let journal = Arc::clone(&journal);
        async move { journal.record(&lease, vec![remark(0, "x")], update(state, 0)).await }
    };
    assert!(
        matches!(record(late.clone(), RunState::Running).await, Err(Error::Fenced { run: r }) if r == run)
    );
    let present = lease(&*journal, 1, 31).await.remove(0).lease;
    assert!(present.epoch > late.epoch);
    assert!(matches!(record(late.clone(), RunState::Succeeded).await, Err(Error::Fenced { .. })));
    record(present.clone(), RunState::Succeeded).await.unwrap();
    // A finished run has no valid lease.
    assert!(matches!(record(present, RunState::Failed).await, Err(Error::Fenced { .. })));
    let detail = journal.run(&run).await.unwrap().unwrap();
    assert_eq!((detail.row.state, detail.entries.len()), (RunState::Succeeded, 1));
}

pub async fn a_run_that_cannot_be_read_is_parked_and_others_go_on(location: &StoreLocation) {
    let journal = location.open().await;
    let spoilt = event("1");
    let id = spoilt.id.clone();
    let first = add_event(&*journal, spoilt, "a", "x").await;
    let second = add(&*journal, "2", "a", "y").await;
    location.spoil(&id);
    assert_eq!(ids(&lease(&*journal, 9, 0).await), [second]);
    let parked = RunFilter { state: Some(RunState::Parked), ..RunFilter::default() };
    let parked = journal.runs(&parked).await.unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].id, first);
    assert!(parked[0].error.as_deref().unwrap().starts_with("its stored data cannot be read"));
}

pub async fn an_ended_lease_is_taken_back(location: &StoreLocation) {
    let journal = location.open().await;
    let run = add(&*journal, "1", "a", "x").await;
    let leased = lease(&*journal, 1, 0).await.remove(0);
    let entry = vec![remark(0, "x")];
    journal.record(&leased.lease, entry.clone(), update(RunState::Running, 0)).await.unwrap();
    assert_eq!(journal.reclaim(WORKER, at(29)).await.unwrap(), 0);
    assert_eq!(journal.reclaim(WORKER, at(30)).await.unwrap(), 1);
    assert_eq!(journal.run(&run).await.unwrap().unwrap().row.state, RunState::Waiting);
    let again = lease(&*journal, 1, 30).await.remove(0);
    assert_eq!((again.entries, again.lease.epoch), (entry, leased.lease.epoch + 1));
}

pub async fn a_gone_owner_is_not_waited_for(location: &StoreLocation) {
    let journal = location.open().await;
    add(&*journal, "1", "a", "x").await;
    add(&*journal, "2", "a", "y").await;
    journal.lease("worker-0", Slots::any(1), at(0), TTL).await.unwrap();
    lease(&*journal, 1, 0).await;
    // On a shared store only time shows that an owner is gone.
    let gone = if journal.is_shared() { 0 } else { 1 };
    assert_eq!(journal.reclaim(WORKER, at(1)).await.unwrap(), gone);
}

pub async fn leases_are_renewed_while_held(location: &StoreLocation) {
    let journal = location.open().await;
    add(&*journal, "1", "a", "x").await;
    add(&*journal, "2", "a", "y").await;
    let leased = lease(&*journal, 2, 0).await;
    end(&*journal, &leased[0], RunState::Succeeded).await;
    let both = [leased[0].lease.clone(), leased[1].lease.clone()];
    assert_eq!(journal.renew(&both, at(20), TTL).await.unwrap(), [both[1].clone()]);
    assert_eq!(journal.reclaim(WORKER, at(49)).await.unwrap(), 0);
    assert_eq!(journal.reclaim(WORKER, at(50)).await.unwrap(), 1);
}

pub async fn a_lease_has_all_that_is_needed(location: &StoreLocation) {
    let journal = location.open().await;
    let event = event("1");
    let id = add_event(&*journal, event.clone(), "a", "x").await;
    let leased = lease(&*journal, 1, 0).await.remove(0);
    assert_eq!(leased.event, event);
    assert_eq!((&leased.run.id, &leased.run.event, leased.run.version), (&id, &event.id, None));
    assert_eq!((&*leased.run.recipe, &*leased.run.lane, leased.run.created), ("a", "x", at(0)));
    assert_eq!(leased.run.accounts["highlevel"], "studio-1");
    assert!(leased.entries.is_empty());

    let entries: Vec<_> = (0..20).map(|n| remark(n, &n.to_string())).collect();
    let begin = RunUpdate { version: Some("v1".to_owned()), ..update(RunState::Running, 0) };
    journal.record(&leased.lease, entries[..7].to_vec(), begin).await.unwrap();
    journal.record(&leased.lease, entries[7..].to_vec(), update(RunState::Waiting, 0)).await.unwrap();
    let leased = lease(&*journal, 1, 0).await.remove(0);
    assert_eq!((leased.run.version.as_deref(), leased.entries), (Some("v1"), entries));
}

pub async fn waiting_for_change_ends_with_new_work(location: &StoreLocation) {
    let journal = location.open().await;
    assert!(lease(&*journal, 1, 0).await.is_empty());
    let wait = |journal: Arc<dyn hob::journal::Journal>| async move {
        let done = tokio::time::timeout(TIMEOUT, journal.changed(TIMEOUT * 2)).await;
        assert!(done.is_ok(), "waited for nothing");
    };
    let waiting = tokio::spawn(wait(Arc::clone(&journal)));
    tokio::task::yield_now().await;
    add(&*journal, "1", "a", "x").await;
    waiting.await.unwrap();

    let leased = lease(&*journal, 1, 0).await.remove(0);
    let waiting = tokio::spawn(wait(Arc::clone(&journal)));
    tokio::task::yield_now().await;
    journal.record(&leased.lease, Vec::new(), sleep_until(60)).await.unwrap();
    waiting.await.unwrap();
}

pub async fn work_between_leasing_and_waiting_is_not_missed(location: &StoreLocation) {
    let journal = location.open().await;
    assert!(lease(&*journal, 1, 0).await.is_empty());
    add(&*journal, "1", "a", "x").await;
    tokio::time::timeout(TIMEOUT, journal.changed(TIMEOUT * 2)).await.expect("resolves at once");
    // Once leased, it is no longer news.
    lease(&*journal, 1, 0).await;
    let short = Duration::from_millis(20);
    tokio::time::timeout(short, journal.changed(TIMEOUT)).await.expect_err("waits");
    tokio::time::timeout(TIMEOUT, journal.changed(short)).await.expect("ends at the limit");
}
