//! A list that several recipes poll: its pollers share the answers, so that each page is requested once.
//!
//! Each poller has its own cursor and stores its own findings. Only the answers are shared, and only in the memory of
//! this process. A poller never takes an answer that is older than the last one it took, so what it sees of the list
//! never goes back in time, as if it had sent every request itself.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::page_answer::{PageAnswer, ReadFailure};
use super::poll_requests::joins_early;
use crate::clock::Clock;
use crate::recipe::Every;
use crate::value::before;

/// Maximum size, in bytes, of the answers cached for each list.
const MAX_CACHED: usize = 4 << 20;
/// Maximum age of an answer that another poller got.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// An answer, shared by the pollers of a list.
pub(super) type Shared = Result<Arc<PageAnswer>, ReadFailure>;

/// A list that several pollers read.
#[derive(Debug)]
pub(super) struct SharedList {
    /// Number of pollers.
    members: usize,
    rounds: watch::Sender<Round>,
    /// Pages by the inputs of their request.
    pages: Mutex<Pages>,
    /// Number of requests sent; numbers them in order.
    requests: AtomicU64,
    /// Number of answers received; numbers them in order.
    answers: AtomicU64,
}

/// A poll in which several pollers take part.
#[derive(Debug, Clone, Copy)]
struct Round {
    /// Counts from 1; 0 before the first round.
    number: u64,
    began: DateTime<Utc>,
}

#[derive(Debug, Default)]
struct Pages {
    by_inputs: HashMap<String, Arc<Page>>,
    /// Number of the request, its inputs and the size of its answer in bytes, oldest first.
    cached: VecDeque<(u64, String, usize)>,
    size: usize,
}

#[derive(Debug, Default)]
struct Page {
    answer: tokio::sync::Mutex<Option<CachedAnswer>>,
    taken: AtomicU64,
}

#[derive(Debug, Clone)]
struct CachedAnswer {
    number: u64,
    asked: DateTime<Utc>,
    /// Number of the answer.
    arrived: u64,
    /// Number of the round in which it was requested.
    round: u64,
    answer: Shared,
}

/// One poller's part in a shared list. Clones stand for the same poller.
#[derive(Debug, Clone)]
pub(super) struct Membership {
    list: Arc<SharedList>,
    own: Arc<Own>,
    /// How long before its due time the poller may join others.
    early: Duration,
    /// Maximum age of an answer.
    oldest: Duration,
}

#[derive(Debug, Default)]
struct Own {
    /// Number of the latest round that the poller took part in.
    round: AtomicU64,
    /// Number of the latest request whose answer it took.
    taken: AtomicU64,
}

impl SharedList {
    /// A list with this number of pollers.
    pub fn new(members: usize) -> Arc<Self> {
        let rounds = watch::Sender::new(Round { number: 0, began: DateTime::UNIX_EPOCH });
        Arc::new(Self {
            members,
            rounds,
            pages: Mutex::default(),
            requests: AtomicU64::new(0),
            answers: AtomicU64::new(0),
        })
    }

    /// The part of a poller with this interval.
    pub fn join(self: &Arc<Self>, every: &Every) -> Membership {
        let early = joins_early(every);
        Membership { list: Arc::clone(self), own: Arc::default(), early, oldest: early.min(MAX_AGE) }
    }

    fn page(&self, inputs: &str) -> Arc<Page> {
        Arc::clone(self.pages().by_inputs.entry(inputs.to_owned()).or_default())
    }

    /// Accounts for a cached answer of `size` bytes and drops the oldest answers beyond the limit.
    fn account_for(&self, number: u64, inputs: String, size: usize) {
        self.drop_answer(&inputs);
        let mut pages = self.pages();
        pages.size += size;
        pages.cached.push_back((number, inputs, size));
        while pages.size > MAX_CACHED {
            let Some((_, inputs, size)) = pages.cached.pop_front() else { return };
            pages.size -= size;
            pages.by_inputs.remove(&inputs);
        }
    }

    /// Removes a page that no poller needs any more.
    fn drop_page(&self, inputs: &str) {
        self.drop_answer(inputs);
        self.pages().by_inputs.remove(inputs);
    }

    /// Removes an answer from the accounting of the cache.
    fn drop_answer(&self, inputs: &str) {
        let mut pages = self.pages();
        let gone: usize =
            pages.cached.iter().filter(|cached| cached.1 == inputs).map(|cached| cached.2).sum();
        pages.cached.retain(|cached| cached.1 != inputs);
        pages.size -= gone;
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Membership {
    /// Starts a round at `now`, or joins one that started recently. Returns the time at which the round started.
    pub fn join_round(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let mut began = now;
        self.list.rounds.send_if_modified(|round| {
            let fresh = round.began <= now && round.began >= before(now, self.oldest);
            let joins = fresh && round.number > self.own.round.load(Ordering::SeqCst);
            if !joins {
                *round = Round { number: round.number + 1, began: now };
            }
            began = round.began;
            self.own.round.store(round.number, Ordering::SeqCst);
            !joins
        });
        began
    }

    /// Resolves once another poller starts a round, if this poller is due soon enough to join.
    pub async fn others_poll(&self, due: DateTime<Utc>, clock: &Clock) {
        let mut rounds = self.list.rounds.subscribe();
        let own = self.own.round.load(Ordering::SeqCst);
        let fits = |round: &Round| {
            let now = clock.now();
            let fresh = round.began <= now && round.began >= before(now, self.oldest);
            round.number > own && fresh && before(due, self.early) <= now
        };
        if rounds.wait_for(fits).await.is_err() {
            std::future::pending().await
        }
    }

    /// The answer to a request with these inputs: one that another poller got since this one last asked, or the
    /// result of `ask`. Pollers that want the same page meanwhile wait for it.
    pub async fn read(
        &self,
        inputs: &Map<String, Value>,
        clock: &Clock,
        ask: impl Future<Output = Result<PageAnswer, ReadFailure>>,
    ) -> Shared {
        let inputs = Value::Object(inputs.clone()).to_string();
        let page = self.list.page(&inputs);
        let answers = self.list.answers.load(Ordering::SeqCst);
        let mut cached = page.answer.lock().await;
        let now = clock.now();
        let round = self.own.round.load(Ordering::SeqCst);
        let last = self.own.taken.load(Ordering::SeqCst);
        let since = before(now, self.oldest);
        let fits = |cached: &&CachedAnswer| {
            // A failure is shared only with pollers that were waiting for it or that take part in the same round.
            let is_current = match &cached.answer {
                Ok(_) => true,
                Err(ReadFailure::OnHold { .. }) => cached.arrived > answers,
                Err(_) => cached.arrived > answers || cached.round == round,
            };
            cached.number > last && is_current && cached.asked >= since && cached.asked <= now
        };
        if let Some(cached) = cached.as_ref().filter(fits) {
            self.own.taken.store(cached.number, Ordering::SeqCst);
            if page.taken.fetch_add(1, Ordering::SeqCst) + 1 >= self.list.members as u64 {
                self.list.drop_page(&inputs);
            }
            return cached.answer.clone();
        }
        let number = self.list.requests.fetch_add(1, Ordering::SeqCst) + 1;
        let answer = ask.await.map(Arc::new);
        self.own.taken.store(number, Ordering::SeqCst);
        page.taken.store(1, Ordering::SeqCst);
        let size = answer.as_ref().map_or(0, |answer| answer.body.to_string().len()) + inputs.len();
        let arrived = self.list.answers.fetch_add(1, Ordering::SeqCst) + 1;
        *cached = Some(CachedAnswer { number, asked: now, arrived, round, answer: answer.clone() });
        self.list.account_for(number, inputs, size);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use chrono::TimeDelta;
    use serde_json::json;

    fn answer(body: Value) -> Result<PageAnswer, ReadFailure> {
        Ok(PageAnswer { body, link: None, date: None })
    }

    fn inputs(page: u32) -> Map<String, Value> {
        Map::from_iter([("page".to_owned(), page.into())])
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn minutes(count: u64) -> Every {
        Every::Interval(Duration::from_secs(count * 60))
    }

    async fn read(member: &Membership, clock: &Clock, page: u32, body: &str) -> Value {
        member.read(&inputs(page), clock, async { answer(json!(body)) }).await.unwrap().body.clone()
    }

    #[tokio::test]
    async fn an_answer_is_taken_once_by_each_and_never_an_older_one_than_before() {
        let manual = ManualClock::new(at("2026-11-23T12:00:00Z"));
        let clock = manual.clock();
        let list = SharedList::new(3);
        let [one, two, three] = [5, 10, 60].map(|every| list.join(&minutes(every)));
        assert_eq!(read(&one, &clock, 1, "a").await, "a");
        assert_eq!(read(&two, &clock, 1, "b").await, "a", "of the other");
        assert_eq!(read(&one, &clock, 1, "c").await, "c", "it has had that one");
        assert_eq!(read(&one, &clock, 2, "d").await, "d");
        assert_eq!(read(&three, &clock, 2, "e").await, "d");
        assert_eq!(read(&three, &clock, 1, "f").await, "f", "page 1 as it was before page 2 would go back");
        manual.advance(TimeDelta::minutes(6));
        assert_eq!(read(&two, &clock, 1, "g").await, "g", "too old for a poll every ten minutes");
    }

    #[tokio::test]
    async fn refusals_are_shared_with_those_who_wait_and_not_kept() {
        let clock = ManualClock::new(at("2026-11-23T12:00:00Z")).clock();
        let list = SharedList::new(3);
        let [one, two, three] = [(); 3].map(|()| list.join(&minutes(5)));
        one.join_round(clock.now());
        let refusal = || ReadFailure::Held { wait: Duration::ZERO, reason: "no".into() };
        let page = inputs(1);
        let refused = one.read(&page, &clock, async {
            tokio::task::yield_now().await;
            Err(refusal())
        });
        let waits = two.read(&page, &clock, async { answer(json!("never")) });
        let (refused, waits) = tokio::join!(refused, waits);
        assert_eq!((refused.unwrap_err(), waits.unwrap_err()), (refusal(), refusal()));
        assert_eq!(read(&three, &clock, 1, "later").await, "later");
    }

    #[tokio::test]
    async fn a_cancelled_waiter_leaves_the_request_to_the_next() {
        let clock = ManualClock::new(at("2026-11-23T12:00:00Z")).clock();
        let list = SharedList::new(2);
        let (one, two) = (list.join(&minutes(5)), list.join(&minutes(5)));
        let page = inputs(1);
        let mut gone = Box::pin(one.read(&page, &clock, std::future::pending()));
        assert!(futures::poll!(gone.as_mut()).is_pending());
        let mut next = Box::pin(two.read(&page, &clock, async { answer(json!("b")) }));
        assert!(futures::poll!(next.as_mut()).is_pending());
        drop(gone);
        assert_eq!(next.await.unwrap().body, "b");
    }

    #[tokio::test]
    async fn the_cache_is_bounded() {
        let clock = ManualClock::new(at("2026-11-23T12:00:00Z")).clock();
        let list = SharedList::new(2);
        let one = list.join(&minutes(5));
        let large = "x".repeat(1 << 20);
        for page in 0..20 {
            read(&one, &clock, page % 15, &large).await;
        }
        let pages = list.pages();
        assert!(
            pages.size <= MAX_CACHED && pages.by_inputs.len() == 3,
            "{} {}",
            pages.size,
            pages.by_inputs.len()
        );
    }

    #[tokio::test]
    async fn others_who_are_due_soon_go_along() {
        let manual = ManualClock::new(at("2026-11-23T12:00:00Z"));
        let clock = manual.clock();
        let list = SharedList::new(2);
        let (often, seldom) = (list.join(&minutes(1)), list.join(&minutes(8)));
        let due = clock.now() + TimeDelta::minutes(8);
        assert_eq!(seldom.join_round(clock.now()), clock.now());
        let mut waits = Box::pin(seldom.others_poll(due, &clock));
        for _ in 0..3 {
            manual.advance(TimeDelta::minutes(1));
            often.join_round(clock.now());
            assert!(futures::poll!(waits.as_mut()).is_pending(), "{}", clock.now());
        }
        manual.advance(TimeDelta::minutes(1));
        let began = often.join_round(clock.now());
        waits.await;
        manual.advance(TimeDelta::seconds(5));
        assert_eq!(seldom.join_round(clock.now()), began, "a part of the same round");
        assert_eq!(seldom.join_round(clock.now()), clock.now(), "the next one is its own");
    }
}
