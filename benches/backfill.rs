//! A backfill of HighLevel's contacts that is killed ten times: every record gets one run, in at most 100 MB. Its time is
//! a ratio to that of a bare client that reads the same list once. Fails above the limit.
//!
//! `cargo bench --bench backfill`; with a number, so many contacts instead of 1,000,000.

#[path = "../tests/cli/interrupted_backfill.rs"]
mod interrupted_backfill;
#[path = "../tests/cli/program.rs"]
mod program;
#[path = "../tests/cli/spawn.rs"]
mod spawn;
#[path = "../tests/cli/stand_in.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod stand_in;
#[path = "../tests/cli/stand_in_workspace.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod stand_in_workspace;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stand_in::StandIn;

/// hob reads the list twice, stores an event and a run of each record, and starts eleven times.
const LIMIT: f64 = 6.0;

fn main() {
    // reqwest needs a process-wide rustls provider, even for plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let records: usize = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let stand_in = interrupted_backfill::stand_in(records);
    let folder = stand_in_workspace::workspace(&stand_in, &[interrupted_backfill::POLL]);
    let took = interrupted_backfill::run(&stand_in, folder.path(), records);
    let bare = stand_in.runtime.block_on(read_all(&stand_in, records));
    let ratio = took.as_secs_f64() / bare.as_secs_f64();
    println!("bare client, read once {:>10.1?}", bare);
    println!("backfill               {:>10.1?}", took);
    println!("ratio                  {ratio:>10.2} (at most {LIMIT})");
    assert!(ratio <= LIMIT, "the backfill is slow");
}

/// How long a bare client needs for the list.
async fn read_all(stand_in: &StandIn, records: usize) -> Duration {
    let http = reqwest::Client::builder().tcp_nodelay(true).build().unwrap();
    let url = format!("{}/contacts/search", stand_in.base_url("highlevel"));
    let credential = stand_in.sandbox.credential("highlevel").unwrap();
    let token = credential["token"].as_str().unwrap();
    let settings = stand_in.sandbox.settings("highlevel");
    let location = settings.get("location").unwrap();
    let mut body = json!({ "locationId": location, "pageLimit": 100 });
    let (begun, mut seen) = (Instant::now(), 0);
    loop {
        let request = http.post(&url).bearer_auth(token).header("Version", "2021-07-28").json(&body);
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        let page: Value = answer.json().await.unwrap();
        let contacts = page["contacts"].as_array().unwrap();
        let Some(last) = contacts.last() else { break };
        seen += contacts.len();
        body["searchAfter"] = last["searchAfter"].clone();
    }
    assert_eq!(seen, records, "the whole list was read");
    begun.elapsed()
}
