//! Events about one record that fall together.

use std::time::Duration;

use hob::event::Event;
use hob::journal::{Batch, Journal, NewRun, RunFilter};
use hob::run::{Entry, RunId, RunState};

use crate::fixture::{StoreLocation, at, end, event, ids, lease, new_run};

const WINDOW: Duration = Duration::from_secs(2);

/// An event about `record` after so many seconds, with its run, which waits two seconds for others.
fn waiting(dedup: &str, record: &str, lane: &str, seconds: i64) -> (Event, NewRun) {
    let event = Event { record: Some(record.to_owned()), received: at(seconds), ..event(dedup) };
    (event, NewRun { coalesce: Some(WINDOW), ..new_run("a", lane) })
}

async fn add(journal: &dyn Journal, all: Vec<(Event, NewRun)>) -> Vec<RunId> {
    let added = all.iter().map(|(_, run)| run.id.clone()).collect();
    let events = all.into_iter().map(|(event, run)| (event, vec![run])).collect();
    journal.append(Batch { events, progress: None }).await.unwrap();
    added
}

async fn add_one(journal: &dyn Journal, one: (Event, NewRun)) -> RunId {
    add(journal, vec![one]).await.remove(0)
}

/// Asserts that `run` ended before it began, and was left to `into`.
#[track_caller]
fn assert_left(journal_run: Option<hob::journal::RunDetail>, into: &RunId) {
    let detail = journal_run.unwrap();
    assert_eq!(detail.row.state, RunState::Filtered);
    assert!(detail.row.finished.is_some());
    let error = detail.row.error.unwrap();
    assert!(error.starts_with("coalesced into ") && error.contains(&into.0), "{error}");
    let entries: Vec<Entry> = detail.entries.into_iter().map(|stamped| stamped.entry).collect();
    assert_eq!(entries, [Entry::Coalesced { into: into.clone() }]);
}

/// The counters agree with what is stored.
async fn is_consistent(journal: &dyn Journal) {
    assert_eq!(journal.totals(None).await.unwrap(), journal.totals(Some(at(-1))).await.unwrap());
}

pub async fn of_events_about_a_record_the_last_runs_at_the_end_of_the_first_window(location: &StoreLocation) {
    let journal = location.open().await;
    let first = add_one(&*journal, waiting("1", "c", "c", 0)).await;
    let other = add_one(&*journal, waiting("o", "d", "d", 1)).await;
    // Another process, or this one after it was killed.
    journal.close().await;
    let journal = location.open().await;
    let second = add_one(&*journal, waiting("2", "c", "c", 1)).await;
    let third = add_one(&*journal, waiting("3", "c", "c", 1)).await;
    // A repeated delivery is none.
    add_one(&*journal, waiting("1", "c", "c", 1)).await;
    assert_left(journal.run(&first).await.unwrap(), &second);
    assert_left(journal.run(&second).await.unwrap(), &third);
    assert!(lease(&*journal, 9, 1).await.is_empty(), "it waits");
    assert_eq!(journal.next_due().await.unwrap(), Some(at(2)));
    let leased = lease(&*journal, 9, 2).await;
    assert_eq!((ids(&leased), leased[0].event.dedup.0.as_str()), (vec![third.clone()], "3"));
    is_consistent(&*journal).await;
    // What has begun is left to nobody, and what comes then waits in its lane.
    let fourth = add_one(&*journal, waiting("4", "c", "c", 1)).await;
    assert_eq!(ids(&lease(&*journal, 9, 9).await), [other]);
    end(&*journal, &leased[0], RunState::Succeeded).await;
    let leased = lease(&*journal, 9, 9).await;
    assert_eq!(ids(&leased), [fourth]);
    end(&*journal, &leased[0], RunState::Succeeded).await;
    is_consistent(&*journal).await;
}

pub async fn a_stream_of_events_does_not_extend_the_window(location: &StoreLocation) {
    let journal = location.open().await;
    let mut added = Vec::new();
    for second in 0..6 {
        added.push(add_one(&*journal, waiting(&second.to_string(), "c", "c", second)).await);
    }
    let rows = journal.runs(&RunFilter::default()).await.unwrap();
    let waiting: Vec<RunId> =
        rows.into_iter().rev().filter(|row| row.state == RunState::Waiting).map(|row| row.id).collect();
    assert_eq!(waiting, [added[1].clone(), added[3].clone(), added[5].clone()], "two of each window");
    for (second, run) in [(2, 1), (4, 3), (6, 5)] {
        assert!(lease(&*journal, 9, second - 1).await.is_empty());
        let leased = lease(&*journal, 9, second).await;
        assert_eq!(ids(&leased), [added[run].clone()]);
        end(&*journal, &leased[0], RunState::Succeeded).await;
    }
}

pub async fn other_records_and_accounts_do_not_fall_together(location: &StoreLocation) {
    let journal = location.open().await;
    let first = add_one(&*journal, waiting("1", "c", "one", 0)).await;
    let between = add_one(&*journal, waiting("2", "d", "one", 1)).await;
    let mut elsewhere = waiting("3", "c", "one", 1);
    elsewhere.1.accounts = [("highlevel".to_owned(), "studio-2".to_owned())].into_iter().collect();
    let elsewhere = add_one(&*journal, elsewhere).await;
    let recipe = NewRun { coalesce: Some(WINDOW), ..new_run("b", "one") };
    let recipe = add_one(&*journal, (waiting("4", "c", "one", 1).0, recipe)).await;
    let last = add_one(&*journal, waiting("5", "c", "one", 1)).await;
    assert_left(journal.run(&first).await.unwrap(), &last);
    // The lane goes on with what came in between, in order, each when its window has ended.
    assert!(lease(&*journal, 9, 2).await.is_empty());
    assert_eq!(journal.next_due().await.unwrap(), Some(at(3)));
    let mut leased = lease(&*journal, 9, 3).await;
    assert_eq!(leased.len(), 2);
    leased.sort_by_key(|leased| leased.run.recipe.clone());
    assert_eq!(ids(&leased), [between, recipe]);
    for run in [elsewhere, last] {
        end(&*journal, &leased[0], RunState::Succeeded).await;
        leased = lease(&*journal, 9, 3).await;
        assert_eq!(ids(&leased), [run]);
    }
    is_consistent(&*journal).await;
}

pub async fn events_that_are_stored_at_once_fall_together(location: &StoreLocation) {
    let journal = location.open().await;
    let burst =
        |first: i64| (first..first + 20).map(|n| waiting(&n.to_string(), "c", "c", 0)).collect::<Vec<_>>();
    let added = add(&*journal, burst(0)).await;
    let appends = (1..5).map(|n| add(&*journal, burst(n * 100)));
    let others = futures::future::join_all(appends).await;
    let leased = lease(&*journal, 99, 2).await;
    assert_eq!(leased.len(), 1);
    assert!(others.iter().any(|added| added.last() == Some(&leased[0].run.id)));
    assert_left(journal.run(&added[0]).await.unwrap(), &added[1]);
    let filtered = journal.totals(None).await.unwrap().runs["filtered"];
    assert_eq!(filtered, 99);
    is_consistent(&*journal).await;
}
