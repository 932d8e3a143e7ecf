//! Durable events per second with many producers, as a ratio to a bare loop.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hob::journal::{Access, Batch, Journal, Sqlite};
use rusqlite::Connection;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::Result;
use crate::sample::{event, with_run};

/// The minimum ratio. Each event has a run, a dedup key and counters with all their indexes, so on a disk with
/// instant syncs the journal is slower than the loop; where a sync takes a millisecond it is many times faster,
/// because waiting writes are batched.
const LIMIT: f64 = 0.5;
const PRODUCERS: usize = 64;
const TIME: Duration = Duration::from_secs(3);

/// Measures both and prints the ratio; the inner error if it is below the limit.
pub fn report(folder: &Path, runtime: &Runtime) -> Result<Result<()>> {
    let bare = bare(folder)?;
    let journal = runtime.block_on(journal(folder))?;
    let ratio = journal / bare;
    println!("bare loop, one by one     {bare:>9.0} events/s");
    println!("journal, {PRODUCERS} producers     {journal:>9.0} events/s, each with a run");
    println!("ratio                     {ratio:>9.1} (at least {LIMIT})");
    let held = ratio >= LIMIT;
    Ok(held.then_some(()).ok_or_else(|| format!("{ratio:.1} times as fast, not {LIMIT}").into()))
}

/// One transaction per event, sequentially.
fn bare(folder: &Path) -> Result<f64> {
    let conn = Connection::open(folder.join("bare.db"))?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch("CREATE TABLE events (dedup TEXT PRIMARY KEY, payload TEXT NOT NULL)")?;
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < TIME {
        let event = event(format!("bare-{count}"));
        conn.prepare_cached("INSERT INTO events (dedup, payload) VALUES (?1, ?2)")?
            .execute((&event.dedup.0, event.payload.to_string()))?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// Each producer waits for its event to be durable before the next one.
async fn journal(folder: &Path) -> Result<f64> {
    let journal = Arc::new(Sqlite::open(&folder.join("rate.db"), Access::Runner)?);
    let (start, mut count) = (Instant::now(), 0);
    let mut producers = JoinSet::new();
    for producer in 0..PRODUCERS {
        let journal = Arc::clone(&journal);
        producers.spawn(async move {
            let mut count = 0;
            while start.elapsed() < TIME {
                let events = vec![with_run(format!("{producer}-{count}"), "contact-to-client")];
                journal.append(Batch { events, progress: None }).await?;
                count += 1;
            }
            Ok::<u32, hob::journal::Error>(count)
        });
    }
    while let Some(producer) = producers.join_next().await {
        count += producer??;
    }
    let rate = f64::from(count) / start.elapsed().as_secs_f64();
    journal.close().await;
    Ok(rate)
}
