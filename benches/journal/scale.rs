//! The cost of each operation with few and with many runs stored. Of all runs, one in a hundred has failed, one in
//! twenty waits in a lane, the others succeeded.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hob::journal::{Access, Batch, Journal, LeasedRun, Queries, RunFilter, RunUpdate, Slots, Sqlite};
use hob::run::{Entry, RunState, StampedEntry};
use tokio::task::JoinSet;

use crate::Result;
use crate::sample::{at, with_run};

const FEW: u64 = 10_000;
/// Events in a batch while filling, and runs in a lease.
const CHUNK: u64 = 500;
/// Repetitions of a measurement.
const TIMES: u64 = 200;
const TTL: Duration = Duration::from_secs(3600);

/// Fills the store to both sizes and prints what operations cost there.
pub async fn report(path: &Path, many: Option<u64>) -> Result<()> {
    let journal = Arc::new(Sqlite::open(path, Access::Runner)?);
    let mut stored = 0;
    for size in [Some(FEW), many].into_iter().flatten() {
        let start = Instant::now();
        fill(&journal, stored, size).await?;
        stored = size;
        println!("\nwith {size} runs (filled in {:.0} s)", start.elapsed().as_secs_f64());
        measure(&journal, stored).await?;
        stored += TIMES * 11;
    }
    journal.close().await;
    println!("store: {} MB", std::fs::metadata(path)?.len() / 1_000_000);
    Ok(())
}

async fn fill(journal: &Arc<Sqlite>, from: u64, to: u64) -> Result<()> {
    for chunk in (from..to).step_by(usize::try_from(CHUNK)?) {
        journal.append(batch(chunk..(chunk + CHUNK).min(to))).await?;
        // The last ones of each chunk wait in full lanes.
        let runs = journal.lease("bench", Slots::any(usize::try_from(CHUNK)?), at(0), TTL).await?;
        let mut records = JoinSet::new();
        for (place, run) in runs.into_iter().enumerate() {
            let journal = Arc::clone(journal);
            let state = if place % 100 == 0 { RunState::Failed } else { RunState::Succeeded };
            records.spawn(async move { end(&journal, &run, state).await });
        }
        while let Some(record) = records.join_next().await {
            record??;
        }
    }
    Ok(())
}

/// One event in twenty is for one of ten lanes that never end.
fn batch(numbers: std::ops::Range<u64>) -> Batch {
    let events = numbers.map(|n| {
        let (mut event, mut runs) = with_run(n.to_string(), &format!("recipe-{}", n % 7));
        event.received = at(i64::try_from(n).unwrap_or(i64::MAX));
        if n % 20 == 0 {
            runs[0].lane = format!("full-{}", n % 10);
        }
        (event, runs)
    });
    Batch { events: events.collect(), progress: None }
}

async fn end(journal: &Sqlite, run: &LeasedRun, state: RunState) -> Result<()> {
    // The head of a full lane is parked and blocks it.
    let state = if run.run.lane.starts_with("full") { RunState::Parked } else { state };
    let entry = |message: &str| {
        StampedEntry::new(at(0), Entry::Remark { level: "info".to_owned(), message: message.to_owned() })
    };
    let version = Some("v1".to_owned());
    let update = RunUpdate {
        state,
        due: None,
        error: None,
        version,
        holds_lane: false,
        writes: vec![],
        unsettled: None,
        now: at(1),
    };
    let entries = vec![entry("about to call contacts.upsert"), entry("done in 120 ms")];
    Ok(journal.record(&run.lease, entries, update).await?)
}

/// Mean time of `act`, one after the other.
async fn time<T>(name: &str, mut act: impl AsyncFnMut(u64) -> Result<T>) -> Result<()> {
    let start = Instant::now();
    for n in 0..TIMES {
        act(n).await?;
    }
    println!("  {name:<42} {:>8.0} us", start.elapsed().as_secs_f64() / TIMES as f64 * 1e6);
    Ok(())
}

async fn measure(journal: &Sqlite, stored: u64) -> Result<()> {
    time("append one event, alone", async |n| Ok(journal.append(batch(stored + n..stored + n + 1)).await?))
        .await?;
    time("lease one, record its end, alone", async |_| {
        for run in journal.lease("bench", Slots::any(1), at(0), TTL).await? {
            end(journal, &run, RunState::Succeeded).await?;
        }
        Ok(())
    })
    .await?;
    time("append a known event", async |n| Ok(journal.append(batch(n..n + 1)).await?)).await?;
    let more = stored + TIMES;
    time("append ten events together", async |n| {
        Ok(journal.append(batch(more + n * 10..more + n * 10 + 10)).await?)
    })
    .await?;
    let filter = RunFilter { limit: Some(50), ..RunFilter::default() };
    let recipe = Some("recipe-3".to_owned());
    let lists = [
        ("list 50", filter.clone()),
        ("list 50 of a recipe", RunFilter { recipe: recipe.clone(), ..filter.clone() }),
        ("list 50 failed", RunFilter { state: Some(RunState::Failed), ..filter.clone() }),
        ("list 50 waiting", RunFilter { state: Some(RunState::Waiting), ..filter.clone() }),
        ("list failed of a recipe", RunFilter { recipe, state: Some(RunState::Failed), ..filter.clone() }),
        ("list of a record", RunFilter { record: Some("contact-17".to_owned()), ..filter.clone() }),
        ("list 50 since", RunFilter { since: Some(at(5000)), ..filter }),
    ];
    for (name, filter) in lists {
        time(name, async |_| Ok(journal.runs(&filter).await?)).await?;
    }
    let newest = journal.runs(&RunFilter { limit: Some(1), ..RunFilter::default() }).await?;
    time("one run in detail", async |_| Ok(journal.run(&newest[0].id).await?)).await?;
    time("totals", async |_| Ok(journal.totals(None).await?)).await?;
    let recently = Some(at(i64::try_from(stored)? - 1000));
    time("totals since a thousand events ago", async |_| Ok(journal.totals(recently).await?)).await?;
    time("lease nothing", async |_| Ok(journal.lease("bench", Slots::any(0), at(0), TTL).await?)).await?;
    time("when is the next due", async |_| Ok(journal.next_due().await?)).await
}
