use hob::journal::{Batch, Journal, Pruned, Retention, RunFilter, RunUpdate};
use hob::run::RunState;

use crate::fixture::{
    StoreLocation, add, add_event, at, end, event, lease, new_run, remark, sleep_until, update,
};

const ALL: usize = 1000;

/// Events at 0, 10, 20 … seconds, each with a run that ended a second later.
async fn ended(journal: &dyn Journal, count: i64) {
    for n in 0..count {
        let mut event = event(&n.to_string());
        event.received = at(n * 10);
        add_event(journal, event, "a", &n.to_string()).await;
        let run = lease(journal, 1, n * 10).await.remove(0);
        let done = update(RunState::Succeeded, n * 10 + 1);
        journal.record(&run.lease, vec![remark(n * 10, "done")], done).await.unwrap();
    }
}

async fn left(journal: &dyn Journal) -> (u64, usize) {
    let runs = journal.runs(&RunFilter::default()).await.unwrap();
    let totals = journal.totals(None).await.unwrap();
    assert_eq!(totals, journal.totals(Some(at(-1000))).await.unwrap(), "the counters are right");
    (totals.events, runs.len())
}

pub async fn old_runs_go_with_their_events(location: &StoreLocation) {
    let journal = location.open().await;
    ended(&*journal, 10).await;
    // Two recipes on one event, one of which ended later.
    let mut both = event("both");
    both.received = at(5);
    let runs = vec![new_run("a", "both"), new_run("b", "both")];
    journal.append(Batch { events: vec![(both.clone(), runs)], progress: None }).await.unwrap();
    let leased = lease(&*journal, 9, 100).await;
    journal.record(&leased[0].lease, vec![], update(RunState::Failed, 6)).await.unwrap();
    journal.record(&leased[1].lease, vec![], update(RunState::Failed, 600)).await.unwrap();
    // An event without runs.
    journal.append(Batch { events: vec![(event("none"), vec![])], progress: None }).await.unwrap();

    let before = |seconds| Retention { before: Some(at(seconds)), ..Retention::default() };
    assert_eq!(journal.prune(&before(0), ALL).await.unwrap(), Pruned::default());
    // In small steps.
    let some = journal.prune(&before(50), 2).await.unwrap();
    assert_eq!((some.runs, some.dedup_keys), (2, 0));
    let runs = journal.prune(&before(50), ALL).await.unwrap();
    // Events without runs are deleted once no old run is left.
    let events = journal.prune(&before(50), ALL).await.unwrap();
    assert_eq!((some.runs + runs.runs, some.events + runs.events + events.events), (6, 6));
    assert_eq!(left(&*journal).await, (6, 6));
    assert_eq!(journal.event(&both.id).await.unwrap(), Some(both));
    assert_eq!(journal.prune(&before(50), ALL).await.unwrap(), Pruned::default());
    let rest = journal.prune(&before(1000), ALL).await.unwrap();
    assert_eq!((rest.runs, rest.events), (6, 6));
    assert_eq!(left(&*journal).await, (0, 0));
    // Deleted events stay known.
    let again = Batch { events: vec![(event("3"), vec![new_run("a", "x")])], progress: None };
    assert_eq!(journal.append(again).await.unwrap().duplicates, 1);
}

pub async fn only_so_many_runs_are_kept(location: &StoreLocation) {
    let journal = location.open().await;
    ended(&*journal, 10).await;
    let most = |runs| Retention { most_runs: Some(runs), ..Retention::default() };
    assert_eq!(journal.prune(&most(10), ALL).await.unwrap(), Pruned::default());
    let pruned = journal.prune(&most(3), 5).await.unwrap();
    assert_eq!((pruned.runs, pruned.events), (5, 5));
    let pruned = journal.prune(&most(3), 5).await.unwrap();
    assert_eq!((pruned.runs, pruned.events), (2, 2));
    let runs = journal.runs(&RunFilter::default()).await.unwrap();
    let records: Vec<_> = runs.into_iter().filter_map(|run| run.record).collect();
    assert_eq!(records, ["contact-9", "contact-8", "contact-7"]);
}

pub async fn what_is_unfinished_is_kept(location: &StoreLocation) {
    let journal = location.open().await;
    for n in 0..6 {
        add(&*journal, &n.to_string(), "a", &n.to_string()).await;
    }
    let leased = lease(&*journal, 5, 0).await;
    end(&*journal, &leased[0], RunState::Parked).await;
    let holds = RunUpdate { holds_lane: true, ..update(RunState::Failed, 1) };
    journal.record(&leased[1].lease, vec![], holds).await.unwrap();
    journal.record(&leased[2].lease, vec![], sleep_until(9)).await.unwrap();
    end(&*journal, &leased[3], RunState::Succeeded).await;
    let everything = Retention { before: Some(at(100)), most_runs: Some(0), dedup_before: Some(at(100)) };
    let pruned = journal.prune(&everything, ALL).await.unwrap();
    assert_eq!((pruned.runs, pruned.events), (1, 1));
    assert_eq!(left(&*journal).await, (5, 5));
    assert_eq!(journal.prune(&everything, ALL).await.unwrap().runs, 0);
}

pub async fn dedup_keys_have_their_own_age(location: &StoreLocation) {
    let journal = location.open().await;
    ended(&*journal, 4).await;
    let pruned = journal.prune(&Retention { dedup_before: Some(at(20)), ..Retention::default() }, ALL).await;
    assert_eq!(pruned.unwrap(), Pruned { runs: 0, events: 0, dedup_keys: 2 });
    for (dedup, duplicates) in [("1", 0), ("2", 1)] {
        let again = Batch { events: vec![(event(dedup), vec![])], progress: None };
        assert_eq!(journal.append(again).await.unwrap().duplicates, duplicates, "{dedup}");
    }
}
