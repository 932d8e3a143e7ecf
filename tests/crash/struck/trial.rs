//! A few events on their way through hob, with as many lives as it takes.

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hob::clock::Clock;
use hob::journal::{Batch, Error, Journal, RunFilter, RunRow};
use hob::trigger::webhook::Delivery;
use serde_json::json;

use super::bench::{Bench, Hob};
use super::journal::{Blow, Struck};
use super::place::{Kind, Place};
use crate::evidence::{Evidence, Listed};
use crate::feeder::Accepted;

/// Events, and the lanes that they take turns in.
const EVENTS: u64 = 3;
const LANES: u64 = 2;
/// Longest time for all of them.
const PATIENCE: Duration = Duration::from_secs(600);

/// A fresh store and a fresh stand-in.
pub struct Trial<'a> {
    bench: &'a Bench,
    place: Place,
    accepted: RefCell<Accepted>,
}

impl<'a> Trial<'a> {
    pub fn new(bench: &'a Bench, kind: Kind) -> Self {
        bench.sandbox.reset();
        let accepted = RefCell::new(vec![Vec::new(); usize::try_from(LANES).unwrap()]);
        Self { bench, place: kind.place(), accepted }
    }

    /// The store, one of whose writes gets a blow.
    pub async fn store(&self, blow: Option<(usize, Blow)>) -> Arc<Struck> {
        Arc::new(Struck::new(self.place.open().await, blow))
    }

    /// hob works on `store` until nothing is left to do, or until it crashes: by the store, or when
    /// `struck` resolves. Whether it got to the end.
    pub async fn live(&self, store: Arc<Struck>, struck: impl Future<Output = ()>) -> bool {
        let hob = self.bench.hob(Arc::<Struck>::clone(&store));
        let done = tokio::select! {
            biased;
            () = store.crashed() => false,
            () = struck => {
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

    /// hob works on `store` as it does when it is not asked to end: what fails is tried again.
    pub async fn keep_working(&self, store: Arc<Struck>) {
        let hob = self.bench.hob(Arc::<Struck>::clone(&store));
        while self.take_in(&hob).await.is_err() {}
        while self.poll(&hob).await.is_err() {}
        hob.engine.run(all_ended(store.as_ref())).await;
        drop(hob);
        store.close().await;
    }

    /// Two of them work on one store. The first stands still at some write for longer than its lease;
    /// the other takes over and does everything; then the first goes on.
    pub async fn be_overtaken(&self, blow: (usize, Blow)) {
        let store = self.place.open().await;
        let struck = Arc::new(Struck::new(Arc::clone(&store), Some(blow)));
        let slow = self.bench.hob(Arc::<Struck>::clone(&struck));
        // Only one may have an SQLite store open; but it makes no difference to that one who is who.
        let own = match &self.place {
            Place::Sqlite(_) => Arc::clone(&store),
            Place::Postgres(_) => self.place.open().await,
        };
        let quick = self.bench.hob(Arc::clone(&own));
        let overtake = async {
            struck.stalled().await;
            self.bench.wait_until(self.bench.clock().now() + 2 * self.bench.lease);
            self.work(&quick).await.unwrap();
            struck.resume();
        };
        let (worked, ()) = tokio::join!(self.work(&slow), overtake);
        worked.unwrap();
        drop((slow, quick));
        store.close().await;
        own.close().await;
    }

    async fn work(&self, hob: &Hob) -> Result<(), Error> {
        self.take_in(hob).await?;
        self.poll(hob).await?;
        loop {
            let idle = hob.engine.run_until_idle().await?;
            match idle.next_due {
                Some(due) => self.bench.wait_until(due),
                // What others had in hand comes free when their leases end.
                None if hob.journal.is_shared() && has_open(hob.journal.as_ref()).await? => {
                    self.bench.wait_until(self.bench.clock().now() + self.bench.lease);
                }
                None => return Ok(()),
            }
        }
    }

    /// Sends the events that are not acknowledged yet.
    async fn take_in(&self, hob: &Hob) -> Result<(), Error> {
        for number in 0..EVENTS {
            let lane = number % LANES;
            let known = || self.accepted.borrow().iter().flatten().any(|known| *known == number);
            if known() {
                continue;
            }
            let body = json!({ "number": number, "lane": lane }).to_string();
            let now = self.bench.clock().now();
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

    /// Polls until a scan gets to its end.
    async fn poll(&self, hob: &Hob) -> Result<(), Error> {
        while !hob.triggers.once().await?.polls.iter().all(|polled| polled.finished) {
            // Whoever had the cursor and ended without giving it up loses it.
            self.bench.wait_until(self.bench.clock().now() + self.bench.lease);
        }
        Ok(())
    }

    /// What is known after the end.
    pub async fn evidence(&self) -> Evidence {
        let store = self.place.open().await;
        let rows = store.runs(&RunFilter::default()).await.unwrap();
        store.close().await;
        let runs: Vec<Listed> = rows.iter().map(listed).collect();
        let parked = runs.iter().filter(|run| run.state == "parked").cloned().collect();
        Evidence {
            runs,
            parked,
            ..Evidence::of_stand_in(self.accepted.borrow().clone(), &self.bench.sandbox)
        }
    }
}

fn listed(row: &RunRow) -> Listed {
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
        assert!(begun.elapsed() < PATIENCE, "runs do not end; it is {}", Clock::system().now());
    }
}
