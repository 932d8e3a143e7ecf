//! The real program, killed at random moments while it works, and started again.

use std::time::Duration;

use crate::ordeal::{Ordeal, Victim};
use crate::postgres::{Cluster, QUICK};
use crate::settings;

/// Programs that share a store take over from each other quickly here.
const SHORT_LEASE: &[&str] = &["--lease", "2s"];

#[test]
fn one_process_on_sqlite_is_killed_again_and_again() {
    let ordeal = Ordeal {
        name: "crash harness, SQLite",
        store: None,
        processes: 1,
        arguments: &[],
        victim: Victim::Program,
        kills: settings::kills(200),
        life: 0..100,
        pause: None,
    };
    ordeal.go().assert_telling();
}

#[test]
fn three_processes_on_postgresql_are_killed_and_paused_beyond_their_leases() {
    let Some(cluster) = Cluster::shared() else { return };
    let ordeal = Ordeal {
        name: "crash harness, PostgreSQL",
        store: Some(&cluster.store()),
        processes: 3,
        arguments: SHORT_LEASE,
        victim: Victim::Program,
        kills: settings::kills(50),
        life: 0..300,
        pause: Some(Duration::from_secs(4)),
    };
    ordeal.go().assert_telling();
}

#[test]
fn the_server_of_three_processes_ends_under_load_and_comes_back() {
    let Some(cluster) = Cluster::start(QUICK) else { return };
    let ordeal = Ordeal {
        name: "crash harness, PostgreSQL's own end",
        store: Some(&cluster.store()),
        processes: 3,
        arguments: SHORT_LEASE,
        victim: Victim::Server(&cluster),
        kills: settings::kills(100) / 10,
        life: 200..600,
        pause: None,
    };
    ordeal.go();
}
