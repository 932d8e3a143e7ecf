//! Durable events a second with 64 producers, as a ratio to a bare loop that inserts the same texts
//! one by one with the same settings. Fails below the limit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use hob::event::{DedupKey, Event, EventId, Source};
use hob::journal::{Access, Batch, Journal, NewRun, Sqlite};
use hob::run::RunId;
use rusqlite::Connection;
use serde_json::json;

/// How many times as fast as the bare loop the journal has to be.
const LIMIT: f64 = 3.0;
const PRODUCERS: usize = 64;
const TIME: Duration = Duration::from_secs(3);

fn event(dedup: String) -> Event {
    Event {
        id: EventId::new(),
        source: Source::Connector("highlevel".to_owned()),
        kind: "ContactUpdate".to_owned(),
        connection: Some("studio-1".to_owned()),
        record: Some(format!("contact-{dedup}")),
        dedup: DedupKey(dedup),
        received: DateTime::<Utc>::UNIX_EPOCH,
        payload: json!({
            "type": "ContactUpdate", "locationId": "ve9EPM428h8vShlRW1KT", "id": "nmFmQEsNgz6AVpgLVUJ0",
            "firstName": "Ada", "lastName": "Example", "email": "ada@example.com", "tags": ["a", "b"],
            "customFields": [{ "id": "BcdmQEsNgz6AVpgLVUJ0", "value": "something of a usual length" }],
        }),
    }
}

fn batch(dedup: String) -> Batch {
    let run = NewRun {
        id: RunId::new(),
        recipe: "contact-to-client".to_owned(),
        accounts: [("highlevel".to_owned(), "studio-1".to_owned())].into_iter().collect(),
        lane: format!("contact-{dedup}"),
    };
    Batch { events: vec![(event(dedup), vec![run])], progress: None }
}

/// One event, one transaction, one after the other.
fn bare(folder: &std::path::Path) -> Result<f64, Box<dyn std::error::Error>> {
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

/// Each producer waits for its event to be durable before it makes the next one.
async fn journal(folder: &std::path::Path) -> Result<f64, Box<dyn std::error::Error>> {
    let journal = Arc::new(Sqlite::open(&folder.join("hob.db"), Access::Runner)?);
    let start = Instant::now();
    let mut producers = tokio::task::JoinSet::new();
    for producer in 0..PRODUCERS {
        let journal = Arc::clone(&journal);
        producers.spawn(async move {
            let mut count = 0;
            while start.elapsed() < TIME {
                journal.append(batch(format!("{producer}-{count}"))).await?;
                count += 1;
            }
            Ok::<u32, hob::journal::Error>(count)
        });
    }
    let mut count = 0;
    while let Some(producer) = producers.join_next().await {
        count += producer??;
    }
    let rate = f64::from(count) / start.elapsed().as_secs_f64();
    journal.close().await;
    Ok(rate)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let bare = bare(folder.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let journal = runtime.block_on(journal(folder.path()))?;
    let ratio = journal / bare;
    println!("bare loop, one by one     {bare:>9.0} events/s");
    println!("journal, {PRODUCERS} producers     {journal:>9.0} events/s, each with a run");
    println!("ratio                     {ratio:>9.1} (at least {LIMIT})");
    if ratio < LIMIT {
        Err(format!("the journal is {ratio:.1} times as fast, not {LIMIT}").into())
    } else {
        Ok(())
    }
}
