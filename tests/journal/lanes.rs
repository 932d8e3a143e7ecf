use hob::run::RunState;

use crate::fixture::{Home, add, end, ids, lease, sleep_until};

pub async fn a_lane_goes_one_at_a_time_in_order(home: &Home) {
    let journal = home.open();
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
    // An empty lane is free again.
    let next = add(&*journal, "next", "a", "lane").await;
    assert_eq!(ids(&lease(&*journal, 9, 0).await), [next]);
}

pub async fn lanes_and_recipes_do_not_wait_for_each_other(home: &Home) {
    let journal = home.open();
    let one = add(&*journal, "1", "a", "x").await;
    let other_lane = add(&*journal, "2", "a", "y").await;
    add(&*journal, "3", "a", "x").await;
    let other_recipe = add(&*journal, "4", "b", "x").await;
    let first = lease(&*journal, 2, 0).await;
    assert_eq!(ids(&first), [one, other_lane]);
    assert_eq!(ids(&lease(&*journal, 2, 0).await), [other_recipe]);
}

pub async fn a_parked_run_holds_its_lane(home: &Home) {
    let journal = home.open();
    add(&*journal, "1", "a", "x").await;
    add(&*journal, "2", "a", "x").await;
    let leased = lease(&*journal, 9, 0).await;
    end(&*journal, &leased[0], RunState::Parked).await;
    assert!(lease(&*journal, 9, 1000).await.is_empty());
    add(&*journal, "3", "a", "x").await;
    assert!(lease(&*journal, 9, 1000).await.is_empty());
}

pub async fn any_other_end_frees_the_lane(home: &Home) {
    let journal = home.open();
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

pub async fn a_sleeping_run_holds_its_lane(home: &Home) {
    let journal = home.open();
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
