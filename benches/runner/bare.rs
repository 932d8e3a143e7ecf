//! The machine's limits: a bare client against the sink, and a bare insert loop.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;

use crate::Result;
use crate::sink::Sink;

/// Duration of each measurement.
const TIME: Duration = Duration::from_secs(3);

/// Calls per second of `in_flight` loops that each read, change and create a thing.
pub async fn client(sink: &Sink, in_flight: usize) -> Result<f64> {
    let base = format!("http://{}/things", sink.address);
    rate(in_flight, 3, async |http, _| {
        http.get(format!("{base}/a")).send().await?.bytes().await?;
        http.put(format!("{base}/a")).json(&json!({ "name": "a" })).send().await?.bytes().await?;
        http.post(&base).json(&json!({ "name": "a" })).send().await?.bytes().await?;
        Ok(())
    })
    .await
}

/// Calls per second of `in_flight` loops that post an event.
pub async fn post(url: &str, in_flight: usize) -> Result<f64> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    rate(in_flight, 1, async |http, _| {
        let event = json!({ "number": NUMBER.fetch_add(1, Ordering::Relaxed), "name": "Ada Example",
            "email": "ada@example.com", "tags": ["a", "b"], "note": "something of a usual length" });
        let answer = http.post(url).json(&event).send().await?;
        if !answer.status().is_success() {
            return Err(format!("answered {}", answer.status()).into());
        }
        answer.bytes().await?;
        Ok(())
    })
    .await
}

/// Runs `act` concurrently; each time counts as `calls`.
async fn rate<F>(in_flight: usize, calls: u64, act: F) -> Result<f64>
where
    F: AsyncFn(&reqwest::Client, usize) -> Result<()>,
{
    let http = reqwest::Client::builder().tcp_nodelay(true).pool_max_idle_per_host(in_flight).build()?;
    let done = AtomicU64::new(0);
    let start = Instant::now();
    let loops = (0..in_flight).map(|which| {
        let (http, act, done) = (&http, &act, &done);
        async move {
            while start.elapsed() < TIME {
                act(http, which).await?;
                done.fetch_add(calls, Ordering::Relaxed);
            }
            Ok::<(), crate::Error>(())
        }
    });
    futures::future::try_join_all(loops).await?;
    Ok(done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64())
}

/// Durable inserts per second, sequentially, with the journal's sync mode.
pub fn inserts(folder: &Path) -> Result<f64> {
    let conn = Connection::open(folder.join("bare.db"))?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch("CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, payload TEXT NOT NULL)")?;
    let payload = "x".repeat(200);
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < TIME {
        conn.prepare_cached("INSERT INTO events (payload) VALUES (?1)")?.execute([&payload])?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}
