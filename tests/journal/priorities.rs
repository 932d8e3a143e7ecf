use hob::event::{CursorKey, Event, Priority, Source};
use hob::journal::{Batch, Due, Journal, NewRun, Part, Record, Slots};
use hob::run::{RunId, RunState};

use crate::fixture::{
    StoreLocation, TTL, WORKER, add, add_event, at, end, event, ids, lease, new_run, sleep_until, update,
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

/// Adds `count` runs of a recipe on an account, each with a lane of its own.
async fn waiting(journal: &dyn Journal, priority: Priority, recipe: &str, account: &str, count: usize) {
    let key = CursorKey::new(recipe, &[account.into()]);
    let source = match priority {
        Priority::Webhook => Source::Connector("highlevel".into()),
        Priority::Poll => Source::Poll(key),
        Priority::Backfill => Source::Backfill(key),
    };
    let events = (0..count).map(|n| {
        let lane = format!("{recipe} {account} {}", RunId::new());
        let run = NewRun {
            accounts: [("highlevel".to_owned(), account.to_owned())].into_iter().collect(),
            ..new_run(recipe, &lane)
        };
        (Event { source: source.clone(), ..event(&format!("{lane} {n}")) }, vec![run])
    });
    journal.append(Batch { events: events.collect(), progress: None }).await.expect("appends");
}

/// The recipes, with their accounts, of the runs that are leased one after another.
async fn one_by_one(journal: &dyn Journal, count: usize, seconds: i64) -> Vec<String> {
    let mut order = Vec::new();
    for _ in 0..count {
        for leased in lease(journal, 1, seconds).await {
            order.push(format!("{}@{}", leased.run.recipe, leased.run.accounts["highlevel"]));
        }
    }
    order
}

pub async fn recipes_and_their_accounts_take_turns(location: &StoreLocation) {
    let journal = location.open().await;
    waiting(&*journal, Priority::Poll, "big", "one", 30).await;
    let first = one_by_one(&*journal, 2, 0).await;
    assert_eq!(first, ["big@one", "big@one"]);
    waiting(&*journal, Priority::Poll, "small", "one", 2).await;
    waiting(&*journal, Priority::Poll, "big", "two", 3).await;
    let order = one_by_one(&*journal, 9, 0).await;
    let turns = [
        "big@two",
        "small@one",
        "big@one",
        "big@two",
        "small@one",
        "big@one",
        "big@two",
        "big@one",
        "big@one",
    ];
    assert_eq!(order, turns);
    // As well among runs that are leased at once.
    waiting(&*journal, Priority::Poll, "small", "one", 9).await;
    let leased = lease(&*journal, 6, 0).await;
    assert_eq!(leased.iter().filter(|run| run.run.recipe == "small").count(), 3);
}

pub async fn runs_that_have_waited_take_turns_as_well(location: &StoreLocation) {
    let journal = location.open().await;
    waiting(&*journal, Priority::Webhook, "big", "one", 12).await;
    waiting(&*journal, Priority::Webhook, "small", "one", 2).await;
    for run in lease(&*journal, 14, 0).await {
        journal.record(&run.lease, vec![], sleep_until(10)).await.unwrap();
    }
    assert!(lease(&*journal, 14, 9).await.is_empty());
    waiting(&*journal, Priority::Webhook, "big", "one", 2).await;
    let order = one_by_one(&*journal, 6, 10).await;
    assert_eq!(order.iter().filter(|run| *run == "small@one").count(), 2, "{order:?}");
    assert_eq!(journal.next_due().await.unwrap(), None, "those that are left wait for no time");
    // Two that have never waited are among four of one recipe.
    let begun = journal.runs(&hob::journal::RunFilter::default()).await.unwrap();
    let fresh = begun.iter().take(2).filter(|run| run.state == RunState::Running).count();
    assert_eq!(fresh, 2);
}

pub async fn no_run_goes_before_one_that_somebody_waits_for(location: &StoreLocation) {
    let journal = location.open().await;
    waiting(&*journal, Priority::Poll, "polls", "one", 4).await;
    waiting(&*journal, Priority::Backfill, "backfills", "one", 4).await;
    for run in lease(&*journal, 6, 0).await {
        journal.record(&run.lease, vec![], sleep_until(10)).await.unwrap();
    }
    waiting(&*journal, Priority::Webhook, "hooks", "one", 2).await;
    let order = one_by_one(&*journal, 9, 10).await;
    let in_order = [["hooks@one"; 2].as_slice(), &["polls@one"; 4], &["backfills@one"; 3]].concat();
    assert_eq!(order, in_order);
}

pub async fn a_priority_gets_the_slots_that_it_may_take(location: &StoreLocation) {
    let journal = location.open().await;
    let lease = async |slots: Slots| {
        let leased = journal.lease(WORKER, slots, at(0), TTL).await.expect("leases");
        leased.into_iter().map(|run| run.run.recipe).collect::<Vec<_>>()
    };
    waiting(&*journal, Priority::Backfill, "backfills", "one", 9).await;
    let slots = Slots::any(9).with_limit(Priority::Poll, 4).with_limit(Priority::Backfill, 2);
    assert_eq!(lease(slots).await, ["backfills"; 2]);
    waiting(&*journal, Priority::Poll, "polls", "one", 3).await;
    // The third of the slots for both is left to a backfill.
    assert_eq!(lease(slots).await, ["polls", "polls", "polls", "backfills"]);
    waiting(&*journal, Priority::Poll, "polls", "one", 9).await;
    waiting(&*journal, Priority::Webhook, "hooks", "one", 9).await;
    let first = Slots::any(4).with_limit(Priority::Poll, 2).with_limit(Priority::Backfill, 1);
    assert_eq!(
        lease(first.with_first(Some(Priority::Backfill))).await,
        ["backfills", "hooks", "hooks", "hooks"]
    );
    assert_eq!(lease(first.with_first(Some(Priority::Poll))).await, ["polls", "hooks", "hooks", "hooks"]);
    assert_eq!(lease(Slots::any(0).with_first(Some(Priority::Poll))).await, [""; 0]);
    let none = Slots::any(1).with_limit(Priority::Poll, 0).with_limit(Priority::Backfill, 0);
    assert_eq!(lease(none.with_first(Some(Priority::Poll))).await, ["hooks"]);
}

pub async fn every_waiting_run_is_leased_in_the_end(location: &StoreLocation) {
    let journal = location.open().await;
    for (place, recipe) in ["a", "b", "c"].into_iter().enumerate() {
        waiting(&*journal, Priority::ALL[place], recipe, "one", 50).await;
        waiting(&*journal, Priority::ALL[place], recipe, "two", 7).await;
    }
    let mut leased = 0;
    loop {
        let some = lease(&*journal, 10, 0).await;
        if some.is_empty() {
            break;
        }
        leased += some.len();
    }
    assert_eq!(leased, 3 * 57);
}
