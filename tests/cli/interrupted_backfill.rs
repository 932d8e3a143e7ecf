//! A backfill that is killed again and again, and what it must have done at its end.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use hob::sandbox::{Budget, Options};

use crate::program::{EndedRun, hob};
use crate::spawn::spawn;
use crate::stand_in::{StandIn, built_in};

pub const POLL: &str = "name: contacts\ntrigger: { poll: contacts.search, every: 1h }\nactions:\n  \
    - { do: log, with: { message: \"{{ event.email }}\" } }\n";

const KILLS: usize = 10;
const PAGE: usize = 100;
/// The most memory that the process may use, in MB.
const MEMORY: usize = 100;
/// Longest wait for the next page.
const LONG: Duration = Duration::from_secs(60);

/// A sandbox with so many contacts, which logs all requests.
pub fn stand_in(records: usize) -> StandIn {
    let options =
        Options { budget: Budget::Unlimited, records: Some(records), log: usize::MAX, ..Options::default() };
    StandIn::with(built_in(), options)
}

/// `hob backfill` with its summary as JSON.
pub fn backfill(folder: &Path, arguments: &[&str]) -> EndedRun {
    hob(folder, &[&["backfill", "--format", "json"], arguments].concat())
}

/// How many runs there are by record.
pub fn runs_by_record(folder: &Path) -> BTreeMap<String, usize> {
    let listed = hob(folder, &["runs", "list", "--limit", "0", "--format", "json"]).code(0).json();
    let mut records = BTreeMap::new();
    for run in listed.as_array().unwrap() {
        *records.entry(run["record"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    records
}

/// Backfills the `records` contacts of `stand_in` into a workspace with [`POLL`], with a kill after each eleventh of them.
/// Panics unless every record has one run, no page was read again without need, and memory is within its limit. Returns
/// how long the processes took together.
pub fn run(stand_in: &StandIn, path: &Path, records: usize) -> Duration {
    let pages = records / PAGE;
    let (mut memory, mut took) = (0, Duration::ZERO);
    for kill in 1..=KILLS {
        let begun = Instant::now();
        let lines = until_killed(stand_in, path, kill * pages / (KILLS + 1), &mut memory);
        took += begun.elapsed();
        for other in [&["contacts", "--again"][..], &["contacts", "--since", "1y"]] {
            let refused = backfill(path, other).code(2);
            assert!(refused.errors.contains("`hob backfill contacts` continues it"), "{}", refused.errors);
        }
        assert_eq!(lines.contains("continues the backfill"), kill > 1, "{lines}");
    }
    let begun = Instant::now();
    let lines = until_ended(path, &mut memory);
    took += begun.elapsed();
    assert!(lines.contains("continues the backfill"), "{lines}");
    assert!(memory < MEMORY, "{memory} MB");
    let runs = runs_by_record(path);
    assert!(runs.len() == records && runs.values().all(|runs| *runs == 1), "{}", runs.len());
    // The list is read twice, because records may move to pages that were read. Each kill may cost the page that was
    // being read.
    let requests = requests_to(stand_in);
    assert!(requests <= 2 * (pages + 1) + KILLS, "{requests} requests");
    println!("{records} contacts, {KILLS} kills, one run each, {memory} MB at most");
    took
}

fn requests_to(stand_in: &StandIn) -> usize {
    usize::try_from(stand_in.sandbox.totals().0).unwrap()
}

fn start(folder: &Path) -> (Child, std::thread::JoinHandle<String>) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("hob"));
    command.args(["backfill", "contacts"]);
    let (child, lines) = spawn(command, folder);
    (child, std::thread::spawn(move || lines.collect::<Vec<_>>().join("\n")))
}

/// Kills a backfill once so many requests were sent in all; returns what it said.
fn until_killed(stand_in: &StandIn, folder: &Path, requests: usize, memory: &mut usize) -> String {
    let (mut child, lines) = start(folder);
    let (mut sent, mut since) = (0, Instant::now());
    while sent < requests {
        std::thread::park_timeout(Duration::from_millis(5));
        let now = requests_to(stand_in);
        if now > sent {
            (sent, since) = (now, Instant::now());
        }
        assert!(since.elapsed() < LONG, "pages are read");
    }
    *memory = peak(&child).unwrap_or_default().max(*memory);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.join().unwrap()
}

/// Lets a backfill come to its end; returns what it said.
fn until_ended(folder: &Path, memory: &mut usize) -> String {
    let (mut child, lines) = start(folder);
    let ended = loop {
        *memory = peak(&child).unwrap_or_default().max(*memory);
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    };
    let lines = lines.join().unwrap();
    assert!(ended.success(), "{lines}");
    lines
}

/// The most memory that a process has used, in MB; `None` if it has ended.
fn peak(child: &Child) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? / 1024)
}
