//! The load for the program.

use std::path::Path;
use std::time::{Duration, Instant};

use hob::clock::Clock;
use hob::event::{DedupKey, Event, EventId, Source};
use hob::journal::{Access, Batch, Journal, NewRun, Postgres, Sqlite};
use hob::run::RunId;
use serde_json::json;
use tempfile::TempDir;

use crate::program::{Program, Used, workspace};
use crate::sink::Sink;
use crate::{Result, bare};

/// Throughput, and resources used.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Webhooks or calls per second.
    pub rate: f64,
    pub used: Used,
}

/// The store of a workspace.
pub const STORE: &str = "sqlite:hob.db";
const THREE: &str = "name: bench
trigger: { webhook: /in, verify: none, id: $.number }
actions:
  - { id: got, do: sink.things.get, with: { id: \"t{{ event.number }}\" } }
  - { do: sink.things.put, with: { id: \"{{ steps.got.id }}\", name: \"number {{ event.number }}\" } }
  - { do: sink.things.create, with: { name: \"{{ event.name }}\" } }
";
/// Every event is stored with its run, which is filtered out.
const FILTERED: &str = "name: bench
trigger: { webhook: /in, verify: none, id: $.number }
when: \"{{ event.number < 0 }}\"
actions:
  - { do: log, with: { message: never } }
";
const LISTEN: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// Memory of an idle program, in MB.
pub async fn idle(folder: &Path, sink: &Sink) -> Result<f64> {
    let folder = TempDir::new_in(folder)?;
    workspace(folder.path(), sink.address, STORE, THREE)?;
    let program = Program::start(folder.path(), &LISTEN)?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    Ok(program.used()?.present)
}

/// Acknowledged webhooks per second, each with a run that is filtered out.
pub async fn webhooks(folder: &Path, sink: &Sink, in_flight: usize) -> Result<Measured> {
    let folder = TempDir::new_in(folder)?;
    workspace(folder.path(), sink.address, STORE, FILTERED)?;
    let program = Program::start(folder.path(), &LISTEN)?;
    let address = program.address.ok_or("it does not listen")?;
    let rate = bare::post(&format!("http://{address}/webhooks/in"), in_flight).await?;
    Ok(Measured { rate, used: program.used()? })
}

/// Calls per second of runs with three requests, with this concurrency.
pub async fn runs(folder: &Path, sink: &Sink, concurrency: usize) -> Result<Measured> {
    let runs: u64 = if concurrency == 1 { 300 } else { 5_000 };
    let folder = TempDir::new_in(folder)?;
    workspace(folder.path(), sink.address, STORE, THREE)?;
    fill(&Sqlite::open(&folder.path().join("hob.db"), Access::Runner)?, runs).await?;
    sink.reset();
    let program = Program::start(folder.path(), &["--concurrency", &concurrency.to_string()])?;
    let took = sink.took(runs * 3).await?;
    Ok(Measured { rate: (runs * 3) as f64 / took.as_secs_f64(), used: program.used()? })
}

/// The same with `processes` sharing a PostgreSQL store, 32 concurrent runs each; with the resources used by the
/// first.
pub async fn shared(folder: &Path, sink: &Sink, store: &str, processes: usize) -> Result<Measured> {
    const RUNS: u64 = 5_000;
    let folder = TempDir::new_in(folder)?;
    // A new schema each time, because known events would start no runs.
    let schema = format!("bench_{}_{}_{processes}", std::process::id(), sink.address.port());
    let glue = if store.contains('?') { '&' } else { '?' };
    let store = format!("{store}{glue}schema={schema}");
    workspace(folder.path(), sink.address, &format!("\"{store}\""), THREE)?;
    fill(&Postgres::open(&store, Access::Runner).await?, RUNS).await?;
    sink.reset();
    let start = |_| Program::start(folder.path(), &["--concurrency", "32"]);
    let programs: Vec<Program> = (0..processes).map(start).collect::<Result<_>>()?;
    let took = sink.took(RUNS * 3).await?;
    let used = programs.first().ok_or("no process")?.used()?;
    Ok(Measured { rate: (RUNS * 3) as f64 / took.as_secs_f64(), used })
}

/// Duration of a run with `count` requests, each made durable before and after.
pub async fn steps(folder: &Path, sink: &Sink, count: u64) -> Result<Duration> {
    let folder = TempDir::new_in(folder)?;
    let step = "  - { do: sink.things.put, with: { id: a, name: \"{{ event.name }}\" } }\n";
    let recipe = format!(
        "name: bench\ntrigger: {{ webhook: /in, verify: none, id: $.number }}\nactions:\n{}",
        step.repeat(usize::try_from(count)?)
    );
    workspace(folder.path(), sink.address, STORE, &recipe)?;
    let program = Program::start(folder.path(), &LISTEN)?;
    let address = program.address.ok_or("it does not listen")?;
    let (http, mut best) = (reqwest::Client::new(), Duration::MAX);
    // The first one opens connections.
    for number in 0..5 {
        sink.reset();
        let begun = Instant::now();
        let event = json!({ "number": number, "name": "x" });
        http.post(format!("http://{address}/webhooks/in")).json(&event).send().await?.error_for_status()?;
        sink.took(count).await?;
        best = best.min(begun.elapsed());
    }
    Ok(best)
}

/// Events with their runs, in lanes of their own.
pub async fn fill(journal: &dyn Journal, count: u64) -> Result<()> {
    let events = (0..count).map(|number| {
        let run = NewRun {
            id: RunId::new(),
            recipe: "bench".to_owned(),
            accounts: [("sink".to_owned(), "sink".to_owned())].into_iter().collect(),
            lane: number.to_string(),
            coalesce: None,
        };
        let event = Event {
            id: EventId::new(),
            source: Source::Path("/in".to_owned()),
            kind: "webhook".into(),
            connection: None,
            record: Some(number.to_string()),
            dedup: DedupKey(number.to_string()),
            received: Clock::system().now(),
            payload: json!({ "number": number, "name": "Ada Example", "email": "ada@example.com" }),
        };
        (event, vec![run])
    });
    journal.append(Batch { events: events.collect(), progress: None }).await?;
    journal.close().await;
    Ok(())
}
