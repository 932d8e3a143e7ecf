use hob::journal::RunUpdate;
use hob::run::RunState;

use crate::fixture::{StoreLocation, add, end, ids, lease, remark, sleep_until, update};

pub async fn a_lane_goes_one_at_a_time_in_order(location: &StoreLocation) {
    let journal = location.open().await;
    let mut expected = Vec::new();
    for n in 0..5 {
        expected.push(add(&*journal, &n.to_string(), "a", "lane").await);
    }
    for id in expected {
        let leased = lease(&*journal, 9, 0).await;
        assert_eq!(ids(&leased), [id]);
        assert!(lease(&*journal, 9, 0).await.is_empty());
        end(&*journal, &leased[0], RunState::Succeeded).await;
    }
    assert!(lease(&*journal, 9, 0).await.is_empty());
    // An empty lane is free.
    let next = add(&*journal, "next", "a", "lane").await;
    assert_eq!(ids(&lease(&*journal, 9, 0).await), [next]);
}

pub async fn lanes_and_recipes_do_not_wait_for_each_other(location: &StoreLocation) {
    let journal = location.open().await;
    let one = add(&*journal, "1", "a", "x").await;
    let other_lane = add(&*journal, "2", "a", "y").await;
    add(&*journal, "3", "a", "x").await;
    let other_recipe = add(&*journal, "4", "b", "x").await;
    let first = lease(&*journal, 2, 0).await;
    assert_eq!(ids(&first), [one, other_recipe]);
    assert_eq!(ids(&lease(&*journal, 2, 0).await), [other_lane]);
}

pub async fn a_parked_run_holds_its_lane(location: &StoreLocation) {
    let journal = location.open().await;
    add(&*journal, "1", "a", "x").await;
    add(&*journal, "2", "a", "x").await;
    let leased = lease(&*journal, 9, 0).await;
    end(&*journal, &leased[0], RunState::Parked).await;
    assert!(lease(&*journal, 9, 1000).await.is_empty());
    add(&*journal, "3", "a", "x").await;
    assert!(lease(&*journal, 9, 1000).await.is_empty());
}

pub async fn any_other_end_frees_the_lane(location: &StoreLocation) {
    let journal = location.open().await;
    let ends =
        [RunState::Succeeded, RunState::Failed, RunState::Filtered, RunState::Suppressed, RunState::Skipped];
    for state in ends {
        add(&*journal, state.name(), "a", "x").await;
    }
    for state in ends {
        let leased = lease(&*journal, 9, 0).await;
        assert_eq!(leased[0].event.dedup.0, state.name());
        end(&*journal, &leased[0], state).await;
    }
}

pub async fn a_sleeping_run_holds_its_lane(location: &StoreLocation) {
    let journal = location.open().await;
    let first = add(&*journal, "1", "a", "x").await;
    let second = add(&*journal, "2", "a", "x").await;
    let leased = lease(&*journal, 9, 0).await;
    journal.record(&leased[0].lease, Vec::new(), sleep_until(60)).await.unwrap();
    assert!(lease(&*journal, 9, 59).await.is_empty());
    let leased = lease(&*journal, 9, 60).await;
    assert_eq!(ids(&leased), [first]);
    end(&*journal, &leased[0], RunState::Failed).await;
    assert_eq!(ids(&lease(&*journal, 9, 60).await), [second]);
}

pub async fn a_person_takes_up_an_ended_run(location: &StoreLocation) {
    let journal = location.open().await;
    let failed = add(&*journal, "1", "a", "x").await;
    let next = add(&*journal, "2", "a", "x").await;
    let leased = lease(&*journal, 9, 0).await;
    end(&*journal, &leased[0], RunState::Failed).await;
    let again = |seen| journal.amend(&failed, seen, vec![remark(2, "again")], update(RunState::Waiting, 2));
    // An intervention based on another history is rejected.
    assert!(!again(1).await.unwrap());
    assert!(again(0).await.unwrap());
    let detail = journal.run(&failed).await.unwrap().unwrap();
    assert_eq!((detail.row.state, detail.row.finished, detail.entries.len()), (RunState::Waiting, None, 1));
    // It goes behind the current run and before later ones.
    let last = add(&*journal, "3", "a", "x").await;
    for expected in [next, failed.clone(), last] {
        let leased = lease(&*journal, 9, 3).await;
        assert_eq!(ids(&leased), [expected]);
        // A leased run cannot be intervened in.
        let run = &leased[0].run.id;
        let seen = leased[0].entries.len();
        assert!(!journal.amend(run, seen, vec![], update(RunState::Skipped, 3)).await.unwrap());
        end(&*journal, &leased[0], RunState::Succeeded).await;
    }
    assert!(journal.amend(&failed, 1, vec![], update(RunState::Waiting, 4)).await.unwrap());
    assert_eq!(ids(&lease(&*journal, 9, 4).await), [failed]);
}

pub async fn a_person_skips_what_holds_a_lane(location: &StoreLocation) {
    let journal = location.open().await;
    let parked = add(&*journal, "1", "a", "x").await;
    let behind = add(&*journal, "2", "a", "x").await;
    let last = add(&*journal, "3", "a", "x").await;
    let leased = lease(&*journal, 9, 0).await;
    end(&*journal, &leased[0], RunState::Parked).await;
    // Ending a waiting run frees nothing.
    assert!(journal.amend(&behind, 0, vec![], update(RunState::Skipped, 1)).await.unwrap());
    assert!(lease(&*journal, 9, 1).await.is_empty());
    assert!(journal.amend(&parked, 0, vec![], update(RunState::Skipped, 1)).await.unwrap());
    assert_eq!(ids(&lease(&*journal, 9, 1).await), [last]);
    let detail = journal.run(&parked).await.unwrap().unwrap();
    assert_eq!((detail.row.state, detail.row.finished.is_some()), (RunState::Skipped, true));
    let skipped = journal.totals(None).await.unwrap().runs["skipped"];
    assert_eq!(skipped, 2);
}

pub async fn a_failed_run_can_hold_its_lane(location: &StoreLocation) {
    let journal = location.open().await;
    let failed = add(&*journal, "1", "a", "x").await;
    let next = add(&*journal, "2", "a", "x").await;
    let last = add(&*journal, "3", "a", "x").await;
    let fails = RunUpdate { holds_lane: true, ..update(RunState::Failed, 1) };
    let leased = lease(&*journal, 9, 0).await;
    journal.record(&leased[0].lease, vec![], fails.clone()).await.unwrap();
    assert!(lease(&*journal, 9, 1000).await.is_empty());
    let row = journal.run(&failed).await.unwrap().unwrap().row;
    assert_eq!((row.state, row.finished), (RunState::Failed, None));
    // A retry goes first, and may fail again.
    assert!(journal.amend(&failed, 0, vec![], update(RunState::Waiting, 2)).await.unwrap());
    let leased = lease(&*journal, 9, 2).await;
    assert_eq!(ids(&leased), std::slice::from_ref(&failed));
    journal.record(&leased[0].lease, vec![], fails).await.unwrap();
    assert!(lease(&*journal, 9, 1000).await.is_empty());
    assert!(journal.amend(&failed, 0, vec![], update(RunState::Skipped, 3)).await.unwrap());
    for expected in [next, last] {
        let leased = lease(&*journal, 9, 3).await;
        assert_eq!(ids(&leased), [expected]);
        // A failed run that does not hold its lane frees it.
        end(&*journal, &leased[0], RunState::Failed).await;
    }
}
