use std::sync::Arc;

use super::super::limit_store::{CountersWrite, StoreUnavailable, StoredCounters};
use super::*;

const LONG: Duration = Duration::from_secs(60);

fn budget(rate: &str) -> Budget {
    budget_of("credential", BudgetSettings { burst: Some(rate.parse().unwrap()), daily: None })
}

fn budget_of(window: &str, settings: BudgetSettings) -> Budget {
    let headers = LimitHeaders {
        remaining: Some("x-burst".into()),
        daily_remaining: Some("x-left".into()),
        daily_reset_ms: Some("x-reset".into()),
        ..LimitHeaders::default()
    };
    let key = CounterKey { account: "api account".into(), window: window.into() };
    Budget::new(key, settings, headers, Clock::system())
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

/// Simulates a request with an answer.
async fn send(budget: &Budget, headers: &HeaderMap) {
    let mut permit = budget.acquire(Priority::Poll, LONG).await.unwrap();
    budget.learn(&mut permit, StatusCode::OK, headers, None);
}

fn in_flight(budget: &Budget) -> usize {
    budget.limiter().state().counters.in_flight("credential")
}

#[tokio::test(start_paused = true)]
async fn never_more_than_allowed_in_any_interval() {
    let budget = Arc::new(budget("5/100ms"));
    let mut sent = Vec::new();
    let waiting = (0..16).map(|_| {
        let budget = Arc::clone(&budget);
        tokio::spawn(async move {
            let mut permit = budget.acquire(Priority::Poll, LONG).await.unwrap();
            budget.learn(&mut permit, StatusCode::OK, &HeaderMap::new(), None);
            tokio::time::Instant::now()
        })
    });
    for task in waiting.collect::<Vec<_>>() {
        sent.push(task.await.unwrap());
    }
    sent.sort();
    for six in sent.windows(6) {
        assert!(six[5] - six[0] >= Duration::from_millis(99), "{:?}", six[5] - six[0]);
    }
    assert!(sent[15] - sent[0] < Duration::from_millis(400), "and no fewer");
}

#[tokio::test]
async fn webhooks_go_before_polls_and_cancelled_waits_leave_no_trace() {
    let budget = Arc::new(budget("1/50ms"));
    // Its slot becomes free on drop, when all others wait.
    let first = budget.acquire(Priority::Poll, LONG).await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let spawn = |priority: Priority| {
        let (budget, order) = (Arc::clone(&budget), Arc::clone(&order));
        tokio::spawn(async move {
            let _permit = budget.acquire(priority, LONG).await.unwrap();
            order.lock().unwrap().push(priority);
        })
    };
    let tasks = [Priority::Backfill, Priority::Poll, Priority::Webhook, Priority::Webhook].map(spawn);
    while budget.limiter().state().queues.get("credential").is_none_or(|queue| queue.len() < 4) {
        tokio::task::yield_now().await;
    }
    let [backfill, poll, cancelled, webhook] = tasks;
    cancelled.abort();
    drop(first);
    for task in [backfill, poll, webhook] {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), [Priority::Webhook, Priority::Poll, Priority::Backfill]);
}

#[tokio::test]
async fn an_empty_day_is_not_waited_for() {
    let budget = budget("100/10s");
    send(&budget, &headers(&[("x-left", "0"), ("x-reset", "3600000")])).await;
    let exhausted = budget.acquire(Priority::Webhook, LONG).await.unwrap_err();
    assert!(exhausted.wait > Duration::from_secs(3000), "{exhausted:?}");
    assert!(budget.try_acquire(Priority::Poll).await.is_none());
}

#[tokio::test]
async fn what_is_available_at_once_depends_on_who_asks() {
    let settings = BudgetSettings { burst: None, daily: Some(100) };
    let budget = budget_of("credential", settings);
    let mut sent = 0;
    while budget.try_acquire(Priority::Backfill).await.is_some() {
        sent += 1;
    }
    assert_eq!(sent, 99, "the last one is left to webhooks");
    assert!(budget.try_acquire(Priority::Poll).await.is_none());
    assert!(budget.try_acquire(Priority::Webhook).await.is_some());
}

#[tokio::test]
async fn connections_of_one_account_share_what_the_api_counts_together() {
    let limiters = Limiters::new(None, Clock::system());
    let settings = BudgetSettings { burst: Some("2/10s".parse().unwrap()), daily: Some(3) };
    let (one, same, other) = (budget_of("a", settings), budget_of("a", settings), budget_of("b", settings));
    [&one, &same, &other].iter().for_each(|budget| budget.join(&limiters));
    send(&one, &HeaderMap::new()).await;
    send(&same, &HeaderMap::new()).await;
    assert!(one.try_acquire(Priority::Poll).await.is_none(), "the burst is used up");
    send(&other, &HeaderMap::new()).await;
    let exhausted = other.acquire(Priority::Poll, LONG).await.unwrap_err();
    assert!(exhausted.wait > LONG, "the day is: {exhausted:?}");
}

/// A store in memory, for one or several processes.
#[derive(Debug, Default)]
struct Memory {
    is_shared: bool,
    kept: Mutex<StoredCounters>,
    calls: Mutex<u32>,
    begun: OnceLock<tokio::time::Instant>,
}

impl Memory {
    fn shared() -> Arc<Self> {
        Arc::new(Self { is_shared: true, ..Self::default() })
    }

    /// The stored counters, with the current time.
    fn kept(&self) -> std::sync::MutexGuard<'_, StoredCounters> {
        *self.calls.lock().unwrap() += 1;
        let mut kept = self.kept.lock().unwrap();
        let begun = self.begun.get_or_init(tokio::time::Instant::now);
        kept.now = i64::try_from(begun.elapsed().as_micros()).unwrap();
        kept
    }

    /// The budgets of `n` processes.
    fn budgets(self: &Arc<Self>, n: usize, rate: &str) -> Vec<Arc<Budget>> {
        let budgets = (0..n).map(|_| Arc::new(budget(rate)));
        let join = |budget: Arc<Budget>| {
            budget.join(&Limiters::new(Some(Arc::clone(self) as Arc<dyn LimitStore>), Clock::system()));
            budget
        };
        budgets.map(join).collect()
    }
}

#[async_trait::async_trait]
impl LimitStore for Memory {
    fn is_shared(&self) -> bool {
        self.is_shared
    }

    async fn read(&self, _: &str) -> Result<StoredCounters, StoreUnavailable> {
        Ok(self.kept().clone())
    }

    async fn write(&self, _: &str, seen: i64, text: &str) -> Result<CountersWrite, StoreUnavailable> {
        let mut kept = self.kept();
        if kept.version != seen {
            return Ok(CountersWrite::Conflict(kept.clone()));
        }
        let now = kept.now;
        *kept = StoredCounters { version: seen + 1, text: text.to_owned(), now };
        Ok(CountersWrite::Done { version: seen + 1, now })
    }
}

#[tokio::test(start_paused = true)]
async fn processes_share_a_budget_and_waiting_costs_next_to_nothing() {
    let memory = Memory::shared();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for (process, budget) in memory.budgets(3, "10/1s").into_iter().enumerate() {
        for _ in 0..20 {
            let (budget, sent) = (Arc::clone(&budget), Arc::clone(&sent));
            tasks.push(tokio::spawn(async move {
                loop {
                    let mut permit = budget.acquire(Priority::Poll, LONG).await.unwrap();
                    sent.lock().unwrap().push((tokio::time::Instant::now(), process));
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    budget.learn(&mut permit, StatusCode::OK, &HeaderMap::new(), None);
                    permit.report(true);
                }
            }));
        }
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    let (sent, calls) = (sent.lock().unwrap().clone(), *memory.calls.lock().unwrap());
    for eleven in sent.windows(11) {
        assert!(eleven[10].0 - eleven[0].0 >= Duration::from_millis(990), "{eleven:?}");
    }
    assert!(sent.len() >= 85, "{} of 100", sent.len());
    assert!(calls < 300, "{calls} calls in ten seconds of three processes");
}

#[tokio::test(start_paused = true)]
async fn limits_learned_by_one_process_apply_to_all() {
    let memory = Memory::shared();
    let [one, other] = <[_; 2]>::try_from(memory.budgets(2, "100/10s")).unwrap();
    send(&one, &headers(&[("x-left", "0"), ("x-reset", "3600000")])).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let exhausted = other.acquire(Priority::Poll, LONG).await.unwrap_err();
    assert!(exhausted.wait > LONG * 58 && exhausted.wait < LONG * 60, "{exhausted:?}");
    tokio::time::sleep(LONG * 60).await;
    send(&other, &headers(&[("x-left", "9"), ("x-burst", "99")])).await;
    // A request is refused: all processes stop, then one probes.
    let mut permit = one.acquire(Priority::Poll, LONG).await.unwrap();
    one.learn(&mut permit, StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), Some(LONG * 2));
    drop(permit);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(other.acquire(Priority::Poll, LONG).await.is_err());
    tokio::time::sleep(LONG * 2).await;
    let probe = other.acquire(Priority::Poll, LONG).await.unwrap();
    assert!(one.try_acquire(Priority::Poll).await.is_none());
    drop(probe);
}

#[tokio::test(start_paused = true)]
async fn requests_of_a_dead_process_are_released() {
    let memory = Memory::shared();
    let [one, other] = <[_; 2]>::try_from(memory.budgets(2, "1/1s")).unwrap();
    std::mem::forget(one.acquire(Priority::Poll, LONG).await.unwrap());
    // The process is alive and sends heartbeats.
    tokio::time::sleep(LONG).await;
    assert!(other.try_acquire(Priority::Poll).await.is_none());
    one.limiter().state().shared.own.clear();
    other.acquire(Priority::Poll, LONG).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_start_knows_what_was_sent_before_however_that_ended() {
    let memory = Arc::new(Memory::default());
    let start = |_| {
        let settings = BudgetSettings { burst: Some("5/10s".parse().unwrap()), daily: Some(8) };
        let budget = budget_of("credential", settings);
        budget.join(&Limiters::new(Some(Arc::clone(&memory) as Arc<dyn LimitStore>), Clock::system()));
        budget
    };
    let [first, second, third] = [1, 2, 3].map(start);
    for _ in 0..3 {
        send(&first, &HeaderMap::new()).await;
    }
    assert_eq!(in_flight(&first), 0);
    // The process was killed: it may have sent one more than it counted.
    send(&second, &HeaderMap::new()).await;
    let mut left = 0;
    while second.try_acquire(Priority::Poll).await.is_some() {
        left += 1;
    }
    assert!(left <= 1, "{left}");
    second.save_counters().await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    let mut sent = 0;
    while third.acquire(Priority::Poll, LONG).await.map(drop).is_ok() {
        sent += 1;
    }
    assert!((1..=4).contains(&sent), "{sent} more than the 4 or 5 that were sent of 8");
}

#[tokio::test]
async fn who_counts_alone_knows_more_than_the_store() {
    let memory = Arc::new(Memory::default());
    let new = || budget_of("credential", BudgetSettings { burst: None, daily: Some(1000) });
    let [without_store, with_store, other] = [new(), new(), new()];
    without_store.join(&Limiters::new(None, Clock::system()));
    with_store.join(&Limiters::new(Some(Arc::clone(&memory) as Arc<dyn LimitStore>), Clock::system()));
    let used = |budget: &Budget| {
        let text = memory.kept().text.clone();
        budget.state(&text, Clock::system().now()).used()
    };
    assert_eq!(
        (used(&without_store), used(&with_store)),
        (Some(0), None),
        "nothing is known before it has looked"
    );
    for budget in [&without_store, &with_store] {
        for _ in 0..3 {
            send(budget, &HeaderMap::new()).await;
        }
        assert_eq!(used(budget), Some(3));
    }
    assert!(used(&other).is_some_and(|used| used > 3), "what may have been sent counts: {:?}", used(&other));
}
