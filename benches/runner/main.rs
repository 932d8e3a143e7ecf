//! The whole program against a server that answers at once, and one as fast as a very fast API: acknowledged
//! webhooks, runs of three requests, a run of forty, idling, and replaying recorded runs. Each rate is also given as a
//! ratio to a bare client with the same calls, and to a bare loop of durable inserts, measured in the same run; fails
//! beyond the limits. Client, server and program share the machine.
//!
//! `cargo bench --bench runner`; with the address of a PostgreSQL database, the throughput of one, two and four
//! processes instead, each in a new schema that is not deleted.

use std::time::Duration;

mod bare;
mod load;
mod program;
mod replay;
mod report;
mod sink;

use report::{Limits, Report};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;

/// Requests at the same time.
const IN_FLIGHT: [usize; 3] = [1, 32, 256];
/// Response time of a very fast API; HighLevel's is ten times as long.
const API: Duration = Duration::from_millis(10);

fn main() -> Result<()> {
    // reqwest needs a process-wide rustls provider, even for plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if let Some(store) = std::env::args().find(|argument| argument.starts_with("postgres")) {
        return runtime.block_on(together(&store));
    }
    runtime.block_on(measure())?.judge(&Limits {
        webhooks: 5_000.0,
        of_bare_client: 0.6,
        forty_steps: 0.2,
        replay: 10.0,
        idle: 40.0,
    })
}

async fn together(store: &str) -> Result<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (sink, api) = (sink::Sink::start(Duration::ZERO).await?, sink::Sink::start(API).await?);
    for (answers, sink) in [("at once", &sink), ("after 10 ms", &api)] {
        let mut alone = None;
        for processes in [1, 2, 4] {
            let rate = load::shared(folder.path(), sink, store, processes).await?.rate;
            let alone = *alone.get_or_insert(rate);
            println!(
                "PostgreSQL, {processes} processes, answered {answers:<12} {rate:>8.0} calls/s, {:>5.2} of one's",
                rate / alone
            );
        }
    }
    Ok(())
}

async fn measure() -> Result<Report> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let sink = sink::Sink::start(Duration::ZERO).await?;
    let api = sink::Sink::start(API).await?;
    let inserts = bare::inserts(folder.path())?;
    println!("bare insert loop         {inserts:>8.0} inserts/s, each durable");
    let mut report = Report::default();
    report.idle = load::idle(folder.path(), &sink).await?;
    for in_flight in IN_FLIGHT {
        let bare = bare::post(&format!("http://{}/things", sink.address), in_flight).await?;
        let measured = load::webhooks(folder.path(), &sink, in_flight).await?;
        report.webhooks(in_flight, &measured, bare, inserts);
    }
    for in_flight in IN_FLIGHT {
        let bare = bare::client(&sink, in_flight).await?;
        let measured = load::runs(folder.path(), &sink, in_flight).await?;
        report.runs("at once", in_flight, &measured, bare, inserts);
        let bare = bare::client(&api, in_flight).await?;
        let measured = load::runs(folder.path(), &api, in_flight).await?;
        report.runs("after 10 ms", in_flight, &measured, bare, inserts);
        if in_flight == 32 {
            report.of_bare_client = measured.rate / bare;
        }
    }
    report.replay = replay::replay(folder.path(), &sink).await?.as_secs_f64();
    report.forty_steps = load::steps(folder.path(), &sink, 40).await?.as_secs_f64();
    Ok(report)
}
