//! A few events go through hob, with as many restarts as it takes.

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hob::clock::Clock;
use hob::journal::{Batch, Error, Journal, RunFilter, RunRow};
use hob::trigger::webhook::Delivery;
use serde_json::json;

use super::faulty_journal::{FaultyJournal, WriteFault};
use super::store_location::{StoreKind, StoreLocation};
use super::test_bed::{Hob, TestBed};
use crate::event_sender::Accepted;
use crate::observations::{ListedRun, Observations};

/// Number of events and of their lanes.
const EVENTS: u64 = 3;
const LANES: u64 = 2;
/// Longest time for all runs.
const DEADLINE: Duration = Duration::from_secs(600);

/// A fresh store and a fresh stand-in.
pub struct Trial<'a> {
    test_bed: &'a TestBed,
    location: StoreLocation,
    accepted: RefCell<Accepted>,
}

impl<'a> Trial<'a> {
    pub fn new(test_bed: &'a TestBed, kind: StoreKind) -> Self {
        test_bed.sandbox.reset();
        let accepted = RefCell::new(vec![Vec::new(); usize::try_from(LANES).unwrap()]);
        Self { test_bed, location: kind.location(), accepted }
    }

    /// The store, with a fault at one of its writes.
    pub async fn store(&self, fault: Option<(usize, WriteFault)>) -> Arc<FaultyJournal> {
        Arc::new(FaultyJournal::new(self.location.open().await, fault))
    }

    /// hob works on `store` until nothing is left to do, or until it crashes: by the store, or when
    /// `injected` resolves. Returns whether it finished.
    pub async fn run(&self, store: Arc<FaultyJournal>, injected: impl Future<Output = ()>) -> bool {
        let hob = self.test_bed.hob(Arc::<FaultyJournal>::clone(&store));
        let done = tokio::select! {
            biased;
            () = store.crashed() => false,
            () = injected => {
                store.crash();
                false
            }
            done = self.work(&hob) => {
                done.unwrap();
                true
            }
        };
        drop(hob);
        store.close().await;
        done
    }

    /// hob works on `store` as in production: what fails is retried.
    pub async fn run_with_retries(&self, store: Arc<FaultyJournal>) {
        let hob = self.test_bed.hob(Arc::<FaultyJournal>::clone(&store));
        while self.send_events(&hob).await.is_err() {}
        while self.poll(&hob).await.is_err() {}
        hob.engine.run(all_ended(store.as_ref())).await;
        drop(hob);
        store.close().await;
    }

    /// Two instances work on one store. The first stalls at a write for longer than its lease; the second
    /// takes over and finishes everything; then the first goes on.
    pub async fn run_past_lease(&self, fault: (usize, WriteFault)) {
        let store = self.location.open().await;
        let injected = Arc::new(FaultyJournal::new(Arc::clone(&store), Some(fault)));
        let slow = self.test_bed.hob(Arc::<FaultyJournal>::clone(&injected));
        // An SQLite store can be open only once, so both share it.
        let second_store = match &self.location {
            StoreLocation::Sqlite(_) => Arc::clone(&store),
            StoreLocation::Postgres(_) => self.location.open().await,
        };
        let fast = self.test_bed.hob(Arc::clone(&second_store));
        let overtake = async {
            injected.stalled().await;
            self.test_bed.wait_until(self.test_bed.clock().now() + 2 * self.test_bed.lease);
            self.work(&fast).await.unwrap();
            injected.resume();
        };
        let (worked, ()) = tokio::join!(self.work(&slow), overtake);
        worked.unwrap();
        drop((slow, fast));
        store.close().await;
        second_store.close().await;
    }

    async fn work(&self, hob: &Hob) -> Result<(), Error> {
        self.send_events(hob).await?;
        self.poll(hob).await?;
        loop {
            let idle = hob.engine.run_until_idle().await?;
            match idle.next_due {
                Some(due) => self.test_bed.wait_until(due),
                // The runs of other instances become free when their leases end.
                None if hob.journal.is_shared() && has_open(hob.journal.as_ref()).await? => {
                    self.test_bed.wait_until(self.test_bed.clock().now() + self.test_bed.lease);
                }
                None => return Ok(()),
            }
        }
    }

    /// Sends the events that are not acknowledged yet.
    async fn send_events(&self, hob: &Hob) -> Result<(), Error> {
        for number in 0..EVENTS {
            let lane = number % LANES;
            let known = || self.accepted.borrow().iter().flatten().any(|known| *known == number);
            if known() {
                continue;
            }
            let body = json!({ "number": number, "lane": lane }).to_string();
            let now = self.test_bed.clock().now();
            let (path, header, largest) = ("form", &|_: &str| None, 1 << 20);
            let delivery = Delivery { path, header, body: body.as_bytes(), largest, received: now };
            let received = hob.receiver.receive(&delivery).unwrap();
            let batch = Batch { events: vec![(received.event, received.runs)], progress: None };
            hob.journal.append(batch).await?;
            if !known() {
                self.accepted.borrow_mut()[usize::try_from(lane).unwrap()].push(number);
            }
        }
        Ok(())
    }

    /// Polls until a scan is complete.
    async fn poll(&self, hob: &Hob) -> Result<(), Error> {
        while !hob.triggers.once().await?.polls.iter().all(|polled| polled.finished) {
            // An instance that crashed with the cursor's claim loses it.
            self.test_bed.wait_until(self.test_bed.clock().now() + self.test_bed.lease);
        }
        Ok(())
    }

    /// What is known afterwards.
    pub async fn observations(&self) -> Observations {
        let store = self.location.open().await;
        let rows = store.runs(&RunFilter::default()).await.unwrap();
        store.close().await;
        let runs: Vec<ListedRun> = rows.iter().map(list_runs).collect();
        let parked = runs.iter().filter(|run| run.state == "parked").cloned().collect();
        Observations {
            runs,
            parked,
            ..Observations::of_stand_in(self.accepted.borrow().clone(), &self.test_bed.sandbox)
        }
    }
}

fn list_runs(row: &RunRow) -> ListedRun {
    serde_json::from_value(serde_json::to_value(row).unwrap()).unwrap()
}

async fn has_open(store: &dyn Journal) -> Result<bool, Error> {
    let rows = store.runs(&RunFilter::default()).await?;
    Ok(rows.iter().any(|row| ["waiting", "running"].contains(&row.state.name())))
}

/// Resolves when every run has ended or is parked.
async fn all_ended(store: &dyn Journal) {
    let begun = Instant::now();
    loop {
        match has_open(store).await {
            Ok(false) => return,
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
        assert!(begun.elapsed() < DEADLINE, "runs do not end; it is {}", Clock::system().now());
    }
}
