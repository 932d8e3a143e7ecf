//! Throughput of a PostgreSQL store: events appended, runs leased and recorded. The store is filled and not emptied;
//! use a separate schema.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hob::journal::{Access, Batch, Journal, LeasedRun, Postgres, RunUpdate, Slots};
use hob::run::{Entry, RunState, StampedEntry};
use tokio::task::JoinSet;

use crate::Result;
use crate::sample::{at, with_run};

const TIME: Duration = Duration::from_secs(5);
const TTL: Duration = Duration::from_secs(3600);

/// Measures the store at `address`.
pub async fn report(address: &str) -> Result<()> {
    let journal = Arc::new(Postgres::open(address, Access::Runner).await?);
    for producers in [1, 64, 256] {
        let rate = appended(&journal, producers).await?;
        println!("PostgreSQL, {producers:>3} producers   {rate:>9.0} events/s, each with a run");
    }
    let (leased, runs) = leased(&journal, 32).await?;
    println!("PostgreSQL, batches of 32   {leased:>9.0} runs leased/s");
    for workers in [1, 16, 64, 256] {
        let rate = recorded(&journal, &runs, workers).await?;
        println!("PostgreSQL, {workers:>3} workers     {rate:>9.0} records/s, each with an entry");
    }
    let ended = ended(&journal, runs, 64).await?;
    println!("PostgreSQL,  64 workers     {ended:>9.0} runs ended/s");
    // All appended runs have been leased.
    appended(&journal, 256).await?;
    let whole = whole(&journal, 256).await?;
    println!("PostgreSQL, 256 in flight   {whole:>9.0} runs/s, each leased, recorded twice");
    journal.close().await;
    Ok(())
}

async fn appended(journal: &Arc<Postgres>, producers: usize) -> Result<f64> {
    let (start, mut tasks) = (Instant::now(), JoinSet::new());
    for producer in 0..producers {
        let journal = Arc::clone(journal);
        tasks.spawn(async move {
            let mut count = 0_u64;
            while start.elapsed() < TIME {
                let events = vec![with_run(format!("{producers}-{producer}-{count}-{:?}", start), "a")];
                journal.append(Batch { events, progress: None }).await?;
                count += 1;
            }
            Ok::<u64, hob::journal::Error>(count)
        });
    }
    sum(tasks, start).await
}

async fn leased(journal: &Arc<Postgres>, size: usize) -> Result<(f64, Vec<LeasedRun>)> {
    let (start, mut runs) = (Instant::now(), Vec::new());
    while start.elapsed() < TIME {
        let leased = journal.lease("bench", Slots::any(size), at(0), TTL).await?;
        if leased.is_empty() {
            break;
        }
        runs.extend(leased);
    }
    Ok((runs.len() as f64 / start.elapsed().as_secs_f64(), runs))
}

fn entry() -> Vec<StampedEntry> {
    let message = "an entry of a usual length, such as a step's result is ".repeat(6);
    vec![StampedEntry::new(at(0), Entry::Remark { level: "info".to_owned(), message })]
}

fn update(state: RunState) -> RunUpdate {
    RunUpdate {
        state,
        due: None,
        error: None,
        version: None,
        holds_lane: false,
        writes: vec![],
        unsettled: None,
        now: at(0),
    }
}

async fn recorded(journal: &Arc<Postgres>, runs: &[LeasedRun], workers: usize) -> Result<f64> {
    let (start, mut tasks) = (Instant::now(), JoinSet::new());
    for run in runs.iter().take(workers) {
        let (journal, lease) = (Arc::clone(journal), run.lease.clone());
        tasks.spawn(async move {
            let mut count = 0;
            while start.elapsed() < TIME {
                journal.record(&lease, entry(), update(RunState::Running)).await?;
                count += 1;
            }
            Ok(count)
        });
    }
    sum(tasks, start).await
}

async fn ended(journal: &Arc<Postgres>, runs: Vec<LeasedRun>, workers: usize) -> Result<f64> {
    let (start, runs) = (Instant::now(), Arc::new(runs));
    let (next, mut tasks) = (Arc::new(AtomicU64::new(0)), JoinSet::new());
    for _ in 0..workers {
        let (journal, runs, next) = (Arc::clone(journal), Arc::clone(&runs), Arc::clone(&next));
        tasks.spawn(async move {
            let mut count = 0;
            while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                journal.record(&run.lease, entry(), update(RunState::Succeeded)).await?;
                count += 1;
            }
            Ok(count)
        });
    }
    sum(tasks, start).await
}

async fn whole(journal: &Arc<Postgres>, flight: usize) -> Result<f64> {
    let (start, mut tasks, mut count) = (Instant::now(), JoinSet::new(), 0_u64);
    while start.elapsed() < TIME {
        let free = flight - tasks.len();
        let leased =
            if free > 0 { journal.lease("bench", Slots::any(free), at(0), TTL).await? } else { Vec::new() };
        for run in leased {
            let journal = Arc::clone(journal);
            tasks.spawn(async move {
                journal.record(&run.lease, entry(), update(RunState::Running)).await?;
                journal.record(&run.lease, entry(), update(RunState::Succeeded)).await
            });
        }
        match tasks.join_next().await {
            Some(done) => done??,
            None => break,
        }
        count += 1;
        while let Some(done) = tasks.try_join_next() {
            done??;
            count += 1;
        }
    }
    Ok(count as f64 / start.elapsed().as_secs_f64())
}

async fn sum(
    mut tasks: JoinSet<std::result::Result<u64, hob::journal::Error>>,
    start: Instant,
) -> Result<f64> {
    let mut count = 0;
    while let Some(task) = tasks.join_next().await {
        count += task??;
    }
    Ok(count as f64 / start.elapsed().as_secs_f64())
}
