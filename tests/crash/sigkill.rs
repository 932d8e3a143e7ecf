//! The real program is killed at random moments under load and restarted.

use std::time::Duration;

use crate::chaos_run::{ChaosRun, Target};
use crate::cluster::{Cluster, QUICK};
use crate::settings;

/// A short lease, so that processes on one store take over from each other quickly.
const SHORT_LEASE: &[&str] = &["--lease", "2s"];

#[test]
fn one_process_on_sqlite_is_killed_again_and_again() {
    let chaos_run = ChaosRun {
        name: "crash harness, SQLite",
        store: None,
        processes: 1,
        arguments: &[],
        target: Target::Program,
        kills: settings::kills(100),
        requests_between_kills: 0..100,
        pause: None,
    };
    chaos_run.run().assert_sufficient();
}

#[test]
fn three_processes_on_postgresql_are_killed_and_paused_beyond_their_leases() {
    let Some(cluster) = Cluster::shared() else { return };
    let chaos_run = ChaosRun {
        name: "crash harness, PostgreSQL",
        store: Some(&cluster.store()),
        processes: 3,
        arguments: SHORT_LEASE,
        target: Target::Program,
        kills: settings::kills(40),
        requests_between_kills: 0..300,
        pause: Some(Duration::from_secs(4)),
    };
    chaos_run.run().assert_sufficient();
}

#[test]
fn the_server_of_three_processes_ends_under_load_and_comes_back() {
    let Some(cluster) = Cluster::start(QUICK) else { return };
    let chaos_run = ChaosRun {
        name: "crash harness, PostgreSQL's own end",
        store: Some(&cluster.store()),
        processes: 3,
        arguments: SHORT_LEASE,
        target: Target::Server(&cluster),
        kills: settings::kills(100) / 10,
        requests_between_kills: 200..600,
        pause: None,
    };
    chaos_run.run();
}
