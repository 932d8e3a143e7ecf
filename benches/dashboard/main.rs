//! The dashboard over a store with many runs, while 500 events a second arrive and each starts a run with a request:
//! the time of each page, its size, and the memory of the program before anybody looks. Fails beyond the limits.
//! Client, sink and program share the machine.
//!
//! `cargo bench --bench dashboard`; with a number, so many runs instead of 100,000; with a folder, the workspace stays
//! there, and is used again when it has as many runs.

use std::path::PathBuf;
use std::time::Duration;

mod history;
mod load;
mod pages;
#[path = "../runner/program.rs"]
mod program;
#[path = "../runner/sink.rs"]
#[expect(dead_code, reason = "the bench of the runner uses more of it")]
mod sink;

use history::RECIPES;
use program::Program;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;

/// Events a second, each with a run.
const RATE: u32 = 500;
/// Response time of the API that the runs ask.
const API: Duration = Duration::from_millis(100);
/// Runs at the same time: each waits for the API, so that fewer than 50 could not be enough.
const CONCURRENCY: &str = "128";
/// The least runs a second, as a ratio to the events that are sent.
const LEAST_RATE: f64 = 0.98;
/// The most that 95 of 100 requests of a page may take.
const MOST_TIME: Duration = Duration::from_millis(150);
/// The most bytes of a page with its assets, compressed.
const MOST_BYTES: usize = 60_000;
/// The most memory of the idle program, in MB.
const MOST_IDLE: f64 = 40.0;
/// How long the program is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    // reqwest needs a process-wide rustls provider, even for plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runs: u64 = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let folder = arguments.iter().find(|argument| argument.starts_with('/')).map(PathBuf::from);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(runs, folder))
}

async fn measure(runs: u64, kept: Option<PathBuf>) -> Result<()> {
    let temporary = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let folder = kept.as_deref().unwrap_or(temporary.path());
    let sink = sink::Sink::start(API).await?;
    program::workspace(folder, sink.address, "sqlite:hob.db", history::LIVE_RECIPE)?;
    for recipe in RECIPES {
        std::fs::write(folder.join(format!("recipes/{recipe}.yaml")), history::recipe(recipe))?;
    }
    history::fill(&folder.join("hob.db"), runs).await?;

    let program = Program::start(folder, &["--listen", "127.0.0.1:0", "--concurrency", CONCURRENCY])?;
    let address = program.address.ok_or("it does not listen")?;
    tokio::time::sleep(IDLE).await;
    let idle = program.used()?.present;
    println!("idle, {runs} runs stored: {idle:.1} MB (at most {MOST_IDLE})");
    let live = load::Load::start(address, RATE);
    let pages = pages::measure(address).await?;
    let (sent, took) = live.stop().await?;
    let served = sink.count();
    let rate = served as f64 / sent as f64;
    let used = program.used()?;
    println!(
        "{:.0} events/s sent, {:.3} of their runs done meanwhile (at least {LEAST_RATE}); {:.1} CPU s, {:.1} MB, at most {:.1} MB",
        sent as f64 / took.as_secs_f64(),
        rate,
        used.cpu.as_secs_f64(),
        used.present,
        used.peak
    );
    let mut beyond: Vec<String> = Vec::new();
    for page in &pages {
        println!("{page}");
        if page.p95 > MOST_TIME || page.bytes > MOST_BYTES {
            beyond.push(page.path.clone());
        }
    }
    if idle > MOST_IDLE {
        beyond.push("idle memory".to_owned());
    }
    if rate < LEAST_RATE {
        beyond.push("runs a second".to_owned());
    }
    match beyond.is_empty() {
        true => Ok(()),
        false => Err(format!("beyond the limits: {}", beyond.join(", ")).into()),
    }
}
