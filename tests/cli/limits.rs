//! Requests stay within the sandbox's limits: none is rejected.

use std::fs;
use std::time::{Duration, Instant};

use hob::sandbox::{Budget, Fault, FaultKind, Options};
use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::listening::Running;
use crate::program::hob;
use crate::stand_in::{StandIn, built_in};
use crate::waiting_runs::{none_refused, on_postgres, rest, statuses, wait_until};

/// Each contact found by a poll is read once more.
fn recipe(name: &str, connection: &str) -> String {
    format!(
        "name: {name}
connections: {{ highlevel: {connection} }}
trigger: {{ poll: contacts.list, every: 1h, start: all }}
actions:
  - {{ do: contacts.get, with: {{ contactId: \"{{{{ event.id }}}}\" }} }}
"
    )
}

/// A sandbox with limits and `records` contacts, with delayed answers.
pub fn limited(budget: Budget, records: usize) -> StandIn {
    let options = Options { budget, records: Some(records), log: usize::MAX, ..Options::default() };
    let stand_in = StandIn::with(built_in(), options);
    let what = FaultKind::Delay(10);
    stand_in.sandbox.add_fault(Fault {
        connector: Some("highlevel".into()),
        what,
        done: true,
        ..Fault::default()
    });
    stand_in
}

/// A workspace with connections of these names to the sandbox's location, and a recipe for each.
fn workspace(stand_in: &StandIn, names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    let mut text = "connections:\n".to_owned();
    for name in names {
        text += &format!(
            "  {name}:\n    connector: highlevel\n    base_url: {}\n",
            stand_in.base_url("highlevel")
        );
        for (setting, value) in stand_in.sandbox.settings("highlevel") {
            text += &format!("    {setting}: {value}\n");
        }
        text += &format!("    auth: {}\n", stand_in.sandbox.credential("highlevel").unwrap());
        fs::write(folder.path().join(format!("recipes/{name}.yaml")), recipe(name, name)).unwrap();
    }
    fs::write(folder.path().join("hob.yaml"), text).unwrap();
    folder
}

const DAY_OF_60: Budget = Budget::Limited { requests: 1000, interval_ms: 1000, daily: 60 };

#[test]
fn a_day_ends_without_a_refusal_and_is_used_up() {
    let stand_in = limited(DAY_OF_60, 200);
    let folder = workspace(&stand_in, &["studio"]);
    let _running = Running::start(folder.path());
    wait_until("the day is used up", || statuses(&stand_in).len() >= 60);
    rest(&stand_in, Duration::from_secs(1));
    none_refused(&stand_in);
    assert_eq!(statuses(&stand_in).len(), 60);
}

#[test]
fn restarts_know_what_was_sent_before() {
    let budget = Budget::Limited { requests: 40, interval_ms: 1500, daily: 120 };
    let stand_in = limited(budget, 400);
    let folder = workspace(&stand_in, &["studio"]);
    for kill in 1..=6 {
        let running = Running::start(folder.path());
        // In the middle of a window, and once in the last one of the day.
        let wanted = (kill * 17).min(118);
        wait_until("requests are sent", || statuses(&stand_in).len() >= wanted);
        drop(running);
    }
    let _running = Running::start(folder.path());
    rest(&stand_in, Duration::from_secs(4));
    none_refused(&stand_in);
    // Requests in flight at the kill count as sent, whether they were or not.
    assert!(statuses(&stand_in).len() > 80, "{} of 120", statuses(&stand_in).len());
}

#[test]
fn two_connections_of_a_location_share_what_is_counted_together() {
    let stand_in = limited(Budget::Limited { requests: 25, interval_ms: 500, daily: 150 }, 100);
    let folder = workspace(&stand_in, &["one", "two"]);
    let _running = Running::start(folder.path());
    wait_until("the day is used up", || statuses(&stand_in).len() >= 149);
    rest(&stand_in, Duration::from_secs(1));
    none_refused(&stand_in);
    // A hundredth is kept for live webhooks.
    assert_eq!(statuses(&stand_in).len(), 149);
}

#[test]
fn after_a_refusal_one_goes_to_see() {
    let stand_in = limited(Budget::Limited { requests: 100, interval_ms: 500, daily: 10_000 }, 50);
    let folder = workspace(&stand_in, &["studio"]);
    let what = FaultKind::Status { status: 429, body: None, headers: vec![] };
    let refusing = Fault { operation: Some("contacts.get".into()), what, ..Fault::default() };
    stand_in.sandbox.clear_faults();
    stand_in.sandbox.add_fault(refusing);
    let _running = Running::start(folder.path());
    let refused = || statuses(&stand_in).iter().filter(|status| **status == 429).count();
    wait_until("it is refused", || refused() > 0);
    rest(&stand_in, Duration::from_millis(300));
    let at_once = refused();
    let begun = Instant::now();
    wait_until("some go to see", || refused() >= at_once + 4);
    assert!(begun.elapsed() > Duration::from_millis(1400), "one in each interval: {:?}", begun.elapsed());
    stand_in.sandbox.clear_faults();
    let served = || statuses(&stand_in).iter().filter(|status| **status == 200).count();
    wait_until("the rest follow", || served() > 50);
}

#[test]
fn somebody_else_with_the_same_token_is_not_run_into() {
    let stand_in = limited(Budget::Limited { requests: 30, interval_ms: 500, daily: 10_000 }, 300);
    let (one, other) = (workspace(&stand_in, &["studio"]), workspace(&stand_in, &["studio"]));
    let _running = (Running::start(one.path()), Running::start(other.path()));
    wait_until("both are done", || statuses(&stand_in).len() >= 600);
    let statuses = statuses(&stand_in);
    let refused = |statuses: &[u16]| statuses.iter().filter(|status| **status == 429).count();
    // Without communication not all rejections can be avoided, but far fewer occur than the 30 of each window.
    assert!(refused(&statuses) < 60, "{} of {}", refused(&statuses), statuses.len());
    let late = &statuses[statuses.len() / 2..];
    assert!(refused(late) <= 30, "{} of the last {}", refused(late), late.len());
}

#[test]
fn processes_on_postgres_share_the_day_and_what_headers_say_of_it() {
    let Some(cluster) = Cluster::shared() else { return };
    let manual = hob::clock::ManualClock::running("2026-11-28T00:00:00Z".parse().unwrap());
    let budget = Budget::Limited { requests: 20, interval_ms: 500, daily: 60 };
    let options =
        Options { budget, records: Some(100), log: usize::MAX, clock: manual.clock(), ..Options::default() };
    let stand_in = StandIn::with(built_in(), options);
    let folder = workspace(&stand_in, &["studio"]);
    on_postgres(folder.path(), &cluster.store());
    // The sandbox's day began almost a day ago.
    hob(folder.path(), &["call", "contacts.list"]).code(0);
    manual.advance(chrono::TimeDelta::seconds(86_400 - 6));
    let _running = [(); 3].map(|()| Running::start(folder.path()));
    wait_until("the rest goes in the next day", || statuses(&stand_in).len() > 102);
    // If hob counted its own day, 30 requests would wait.
    none_refused(&stand_in);
}
