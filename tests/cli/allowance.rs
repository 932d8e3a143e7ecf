//! Runs that wait for an API use at least 99 % of what it allows, without a refusal, runs of live webhooks go first, and
//! recipes take turns.

use std::fs;
use std::time::Duration;

use hob::connection::http_client;
use hob::sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::cluster::Cluster;
use crate::listening::{Listening, Running, listen};
use crate::program::{hob, hob_with};
use crate::waiting_runs::{ALLOWED, CALLS, Setup, none_refused, rest, statuses, wait_until};

/// The length of a window, instead of ten seconds: long enough for a hundred requests of the debug build on a machine
/// that runs other tests.
const WINDOW: Duration = Duration::from_secs(4);
/// A busy machine may stop a process for so long that a window ends meanwhile. A fault would show each time.
const TRIALS: usize = 3;

const LIVE: &str = "name: live
connections: { highlevel: studio }
trigger: { webhook: /live, verify: none }
actions:
  - { do: contacts.tags.add, with: { contactId: \"{{ event.contact }}\", tags: [a] } }
  - { do: contacts.tags.add, with: { contactId: \"{{ event.contact }}\", tags: [b] } }
  - { do: contacts.tags.add, with: { contactId: \"{{ event.contact }}\", tags: [c] } }
";

/// Runs trials until one has used 99 %.
#[track_caller]
fn used_by_one_of(trial: impl Fn() -> f64) {
    let mut used = Vec::new();
    while used.iter().all(|share| *share < 0.99) {
        assert!(used.len() < TRIALS, "{used:?} of what is allowed was used");
        used.push(trial());
    }
}

const FOUR: [(&str, &str); 4] = [("a", "studio"), ("b", "studio"), ("c", "studio"), ("d", "studio")];
/// Runs of each of the four.
const RUNS: usize = 36;

#[test]
fn four_recipes_use_what_is_allowed() {
    used_by_one_of(|| {
        let setup = Setup::new(1_000_000, WINDOW, &FOUR);
        setup.queue_in_sqlite(&FOUR, RUNS);
        let _running = Running::start(setup.path());
        let all = FOUR.len() * RUNS * CALLS;
        wait_until("all requests are sent", || statuses(&setup.stand_in).len() >= all);
        setup.used()
    });
}

#[test]
fn four_processes_use_what_is_allowed() {
    let Some(cluster) = Cluster::shared() else { return };
    used_by_one_of(|| {
        let setup = Setup::new(1_000_000, WINDOW, &FOUR);
        setup.queue_in_postgres(&cluster.store(), &FOUR, RUNS);
        let _running = [(); 4].map(|()| Running::start(setup.path()));
        let all = FOUR.len() * RUNS * CALLS;
        wait_until("all requests are sent", || statuses(&setup.stand_in).len() >= all);
        setup.used()
    });
}

#[test]
fn two_tokens_use_up_the_day_that_they_share() {
    const DAY: usize = 630;
    let recipes = [("one", "studio"), ("two", "office")];
    let setup = Setup::new(DAY as u64, WINDOW, &recipes);
    setup.queue_in_sqlite(&recipes, 2 * DAY / CALLS / recipes.len());
    let _running = Running::start(setup.path());
    let sent = || statuses(&setup.stand_in).len();
    wait_until("99 % are used", || sent() * 100 >= DAY * 99);
    rest(&setup.stand_in, 2 * WINDOW);
    let before = sent();
    // The rest is for those that somebody waits for.
    assert!(before <= DAY - CALLS, "{before} of {DAY}");
    let event = json!({ "id": "live", "contact": setup.contact }).to_string();
    hob_with(setup.path(), &["trigger", "one", "--event", "-"], &event).code(0);
    wait_until("a person's run goes on", || sent() >= before + CALLS);
    none_refused(&setup.stand_in);
}

#[test]
fn a_live_webhook_goes_before_a_backfill() {
    let recipes = [("a", "studio")];
    let setup = Setup::new(1_000_000, WINDOW, &recipes);
    fs::write(setup.path().join("recipes/live.yaml"), LIVE).unwrap();
    setup.queue_in_sqlite(&recipes, 500);
    let Listening { mut child, address } = listen(setup.path());
    let client = http_client(&Default::default()).unwrap();
    let log = || setup.stand_in.sandbox.log();
    let served = || log().iter().filter(|entry| entry.path.ends_with("/tags")).count();
    for number in 1..=4 {
        // In the middle of the backfill.
        let before = log().len();
        wait_until("the backfill goes on", || log().len() >= before + ALLOWED / 2);
        let posted = client
            .post(format!("{address}/webhooks/live"))
            .json(&json!({ "contact": setup.contact, "n": number }));
        let before = log().len();
        setup.stand_in.runtime.block_on(async { posted.send().await.unwrap().error_for_status().unwrap() });
        wait_until("the webhook is served", || served() >= CALLS * number);
        let between = log().len() - before;
        assert!(between <= 2 * ALLOWED, "{between} requests later");
    }
    assert!(log().len() < 500 * CALLS, "the backfill has ended before");
    none_refused(&setup.stand_in);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_live_webhook_starts_at_once_while_a_backfill_waits_for_answers() {
    let recipes = [("a", "studio")];
    let setup = Setup::new(1_000_000, WINDOW, &recipes);
    fs::write(setup.path().join("recipes/live.yaml"), LIVE).unwrap();
    setup.queue_in_sqlite(&recipes, 60);
    // After the first answers, from which the limits are learned, no run of the backfill ends.
    const ANSWERED: u32 = 3;
    let (operation, what) = (Some("contacts.get".to_owned()), FaultKind::Hang);
    setup.stand_in.sandbox.add_fault(Fault { operation, what, after: ANSWERED, ..Fault::default() });
    let Listening { mut child, address } = listen(setup.path());
    let count = |operation: &str| {
        let log = setup.stand_in.sandbox.log();
        log.iter().filter(|entry| entry.operation.as_deref() == Some(operation)).count()
    };
    let begun = || count("contacts.get").saturating_sub(ANSWERED as usize);
    wait_until("the backfill waits for answers", || begun() > 1);
    rest(&setup.stand_in, Duration::from_secs(2));
    let slots = begun();
    assert!((10..16).contains(&slots), "{slots} of 16");
    let client = http_client(&Default::default()).unwrap();
    let posted = client.post(format!("{address}/webhooks/live")).json(&json!({ "contact": setup.contact }));
    setup.stand_in.runtime.block_on(async { posted.send().await.unwrap().error_for_status().unwrap() });
    wait_until("the webhook is served", || count("contacts.tags.add") == CALLS);
    assert_eq!(begun(), slots, "no run had to end before");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_recipe_with_many_waiting_runs_does_not_hold_up_another() {
    let recipes = [("big", "studio"), ("small", "office")];
    let setup = Setup::new(1_000_000, WINDOW, &recipes);
    setup.queue_in_sqlite(&recipes[..1], 60);
    setup.queue_in_sqlite(&recipes[1..], 3);
    // One at a time, so that the order of the requests is that of the runs.
    let once = ["run", "--once", "--concurrency", "1", "--format", "json"];
    let summary = hob(setup.path(), &once).code(0).json();
    assert_eq!(summary["runs"], json!({ "succeeded": 63 }));
    let listed = hob(setup.path(), &["runs", "list", "--limit", "0", "--format", "json"]).code(0).json();
    let mut ended: Vec<(&str, &str)> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (run["finished"].as_str().unwrap(), run["recipe"].as_str().unwrap()))
        .collect();
    ended.sort_unstable();
    let order: Vec<&str> = ended.iter().take(6).map(|(_, recipe)| *recipe).collect();
    assert_eq!(order, ["big", "small", "big", "small", "big", "small"]);
}
