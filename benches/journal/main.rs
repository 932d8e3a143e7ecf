//! The journal on SQLite: durable events a second beside a bare loop that inserts the same texts one
//! by one with the same settings, which fails below a limit; and the cost of each operation with few
//! and with many runs stored (`cargo bench --bench journal -- 1000000`; without a number, few only).

mod rate;
mod sample;
mod scale;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let many: Option<u64> = std::env::args().find_map(|argument| argument.parse().ok());
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let held = rate::report(folder.path(), &runtime)?;
    runtime.block_on(scale::report(&folder.path().join("scale.db"), many))?;
    held
}
