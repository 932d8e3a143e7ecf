//! The cost of three processes waiting for a shared budget: calls of the store per second and process (fails above a
//! limit), and how much of the budget they use.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use hob::catalog::Catalog;
use hob::clock::Clock;
use hob::connection::{
    BudgetSettings, Connection, CountersWrite, LimitStore, Limiters, Setup, StoreUnavailable, StoredCounters,
};
use hob::engine::JournalLimits;
use hob::event::Priority;
use hob::journal::{Access, Journal, Postgres};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio::task::JoinSet;

use crate::Result;

const TIME: Duration = Duration::from_secs(10);
const PROCESSES: u64 = 3;
/// Waiting requests per process.
const WAITING: usize = 32;
/// Requests per second.
const RATE: u64 = 10;
/// Calls of the store per second and process; each is a transaction.
const LIMIT: f64 = 10.0;

/// A store that counts calls.
#[derive(Debug)]
struct Counted(Arc<dyn LimitStore>, Arc<AtomicU64>);

#[async_trait]
impl LimitStore for Counted {
    fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    async fn read(&self, account: &str) -> std::result::Result<StoredCounters, StoreUnavailable> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.read(account).await
    }

    async fn write(
        &self,
        account: &str,
        seen: i64,
        text: &str,
    ) -> std::result::Result<CountersWrite, StoreUnavailable> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.write(account, seen, text).await
    }
}

/// Measures on the store at `address`.
pub async fn report(address: &str) -> Result<()> {
    let (calls, sent) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut tasks = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..PROCESSES {
        let journal: Arc<dyn Journal> = Arc::new(Postgres::open(address, Access::Runner).await?);
        let store = Counted(JournalLimits::shared(&journal), Arc::clone(&calls));
        let connection = Arc::new(connection()?);
        connection.budget.join(&Limiters::new(Some(Arc::new(store)), Clock::system()));
        for _ in 0..WAITING {
            let (connection, sent) = (Arc::clone(&connection), Arc::clone(&sent));
            tasks.spawn(async move {
                while let Ok(mut permit) = connection.budget.acquire(Priority::Poll, TIME * 10).await {
                    sent.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    connection.budget.learn(&mut permit, StatusCode::OK, &HeaderMap::new(), None);
                }
            });
        }
    }
    tokio::time::sleep(TIME).await;
    tasks.shutdown().await;
    let seconds = begun.elapsed().as_secs_f64();
    let each = calls.load(Ordering::Relaxed) as f64 / seconds / PROCESSES as f64;
    let share = sent.load(Ordering::Relaxed) as f64 / seconds / RATE as f64 * 100.0;
    println!("PostgreSQL, {PROCESSES} processes that wait {each:>6.1} transactions/s each (at most {LIMIT})");
    println!("                            {share:>6.0} % of {RATE} requests/s used");
    if each > LIMIT { Err(format!("{each:.1} transactions a second, not {LIMIT}").into()) } else { Ok(()) }
}

fn connection() -> Result<Connection> {
    let catalog = Catalog::built_in();
    let connector = catalog.connector("highlevel").ok_or("no such connector")?;
    let burst = Some(format!("{RATE}/1s").parse()?);
    let budget = BudgetSettings { burst, daily: None };
    let name = format!("bench-{:?}", Instant::now());
    let settings = std::collections::BTreeMap::from([("location".to_owned(), "bench".to_owned())]);
    Ok(Connection::new(&name, Arc::clone(connector), Setup { budget, settings, ..Setup::default() })?)
}
