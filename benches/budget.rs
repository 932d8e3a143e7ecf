//! What waiting runs of three requests use of an API's limit of 100 requests in an interval that is 50 times as short as
//! HighLevel's, with several processes ten times: four recipes in one process, four processes on PostgreSQL, and two tokens
//! that share a day. Fails if less than 99 % is used, or if anything is refused.
//!
//! `cargo bench --bench budget`; with a number, so many runs instead of 20,000.

#[path = "../tests/postgres/cluster.rs"]
mod cluster;
#[path = "../tests/cli/listening.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod listening;
#[path = "../tests/cli/spawn.rs"]
mod spawn;
#[path = "../tests/cli/stand_in.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod stand_in;
#[path = "../tests/cli/waiting_runs.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod waiting_runs;

use std::time::{Duration, Instant};

use cluster::Cluster;
use listening::Running;
use waiting_runs::{ALLOWED, CALLS, Setup, statuses};

const WINDOW: Duration = Duration::from_millis(200);
/// Several processes agree in the store, which takes its milliseconds however short the interval is.
const SHARED_WINDOW: Duration = Duration::from_secs(1);
const LEAST: f64 = 0.99;
const ENDLESS: u64 = 1_000_000_000;
const FOUR: [(&str, &str); 4] = [("a", "studio"), ("b", "studio"), ("c", "studio"), ("d", "studio")];
const TWO: [(&str, &str); 2] = [("one", "studio"), ("two", "office")];

fn main() {
    // reqwest needs a process-wide rustls provider, even for plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runs: usize = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(20_000);
    let mut all = vec![];
    let setup = Setup::new(ENDLESS, WINDOW, &FOUR);
    setup.queue_in_sqlite(&FOUR, runs / FOUR.len());
    all.push(measure("four recipes", &setup, WINDOW, 1, runs * CALLS));
    if let Some(cluster) = Cluster::shared() {
        let setup = Setup::new(ENDLESS, SHARED_WINDOW, &FOUR);
        setup.queue_in_postgres(&cluster.store(), &FOUR, runs / FOUR.len());
        all.push(measure("four processes on PostgreSQL", &setup, SHARED_WINDOW, 4, runs * CALLS));
    }
    let day = runs * CALLS / 2;
    let setup = Setup::new(day as u64, WINDOW, &TWO);
    setup.queue_in_sqlite(&TWO, runs / TWO.len());
    let _running = Running::start(setup.path());
    // The last hundredth is kept for live webhooks.
    let sent = wait_for(&setup, day - day / 100);
    let used = sent as f64 / day as f64;
    println!("{:<30} {used:>7.4} of the day", "two tokens on one day");
    all.push(used);
    assert!(all.iter().all(|used| *used >= LEAST), "less than {LEAST} was used");
}

/// Waits until `most` requests were sent by `processes`; answers the share of the windows that was used.
fn measure(what: &str, setup: &Setup, window: Duration, processes: usize, most: usize) -> f64 {
    let _running: Vec<Running> = (0..processes).map(|_| Running::start(setup.path())).collect();
    let begun = Instant::now();
    wait_for(setup, most);
    let allowed = begun.elapsed().as_secs_f64() / window.as_secs_f64() * ALLOWED as f64;
    let used = setup.used();
    let of_time = most as f64 / allowed;
    println!("{what:<30} {used:>7.4} of the windows (at least {LEAST}), {of_time:>7.4} of the time");
    used
}

fn wait_for(setup: &Setup, most: usize) -> usize {
    while statuses(&setup.stand_in).len() < most {
        std::thread::park_timeout(WINDOW);
    }
    waiting_runs::none_refused(&setup.stand_in);
    statuses(&setup.stand_in).len()
}
