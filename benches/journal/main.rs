//! The journal on SQLite: durable events per second, compared with a bare loop that inserts the same texts with the
//! same journal mode and `synchronous` (fails below a limit), and the cost of each operation with few and with many
//! runs stored (`cargo bench --bench journal -- 1000000`; few only without a number). With the address of a
//! PostgreSQL store, its throughput instead.

mod postgres;
mod rate;
mod sample;
mod scale;
mod waiting;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let many: Option<u64> = std::env::args().find_map(|argument| argument.parse().ok());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if let Some(address) = std::env::args().find(|argument| argument.starts_with("postgres")) {
        return runtime.block_on(async {
            postgres::report(&address).await?;
            waiting::report(&address).await
        });
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let held = rate::report(folder.path(), &runtime)?;
    runtime.block_on(scale::report(&folder.path().join("scale.db"), many))?;
    held
}
