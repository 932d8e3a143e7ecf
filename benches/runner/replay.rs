//! Replaying recorded runs with an edited recipe.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use hob::journal::{Access, Queries, Sqlite};
use serde_json::Value;
use tempfile::TempDir;

use crate::load::{STORE, fill};
use crate::program::{Program, workspace};
use crate::sink::Sink;
use crate::{Error, Result};

/// Recorded runs.
pub const RUNS: u64 = 10_000;
/// How many of them the edit changes: those of every 271st event, beginning with the sixth.
const PLANTED: u64 = 37;
const RECIPE: &str = "name: bench
trigger: { webhook: /in, verify: none, id: $.number }
actions:
  - { id: got, do: sink.things.get, with: { id: \"t{{ event.number }}\" } }
  - { do: sink.things.put, with: { id: \"t{{ event.number }}\", name: \"a {{ event.name }}\" } }
  - { do: sink.things.create, with: { name: \"{{ steps.got.name }}\" } }
";

/// Records the runs, edits the recipe and replays them; returns how long that takes. Fails if it sends anything, or
/// tells anything but what was planted.
pub async fn replay(folder: &Path, sink: &Sink) -> Result<Duration> {
    let folder = TempDir::new_in(folder)?;
    let store = folder.path().join("hob.db");
    workspace(folder.path(), sink.address, STORE, RECIPE)?;
    fill(&Sqlite::open(&store, Access::Runner)?, RUNS).await?;
    sink.reset();
    let program = Program::start(folder.path(), &["--concurrency", "32"])?;
    sink.took(RUNS * 3).await?;
    let journal = Sqlite::open(&store, Access::Client)?;
    while !journal.unfinished(Some(1)).await?.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(program);
    let edited = RECIPE.replace("\"a {{", "\"{{ 'another' if event.number % 271 == 5 else 'a' }} {{");
    fs::write(folder.path().join("recipes/bench.yaml"), edited)?;
    sink.reset();
    let begun = Instant::now();
    let replayed = Command::new(env!("CARGO_BIN_EXE_hob"))
        .args(["replay", "--since", "1d", "--format", "json"])
        .current_dir(folder.path())
        .output()?;
    let took = begun.elapsed();
    let page: Value = serde_json::from_slice(&replayed.stdout)?;
    let planted = &page["changes"][0];
    let is_right = page["replayed"] == RUNS
        && page["same"] == RUNS - PLANTED
        && page["inconclusive"] == 0
        && page["changes"].as_array().is_some_and(|changes| changes.len() == 1)
        && planted["records"] == PLANTED
        && planted["runs"] == PLANTED;
    match (is_right, sink.count()) {
        (true, 0) => Ok(took),
        (true, sent) => Err(Error::from(format!("a replay sent {sent} requests"))),
        (false, _) => Err(Error::from(format!("not {PLANTED} changes: {page:#}"))),
    }
}
