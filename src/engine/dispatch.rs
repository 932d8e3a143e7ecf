//! Leases runs and dispatches them to workers, within the limit of concurrency.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::counters::RunCounters;
use super::leases::{LeaseRecovery, LeaseTerm};
use super::missing_recipe::wake_runs_of_loaded;
use super::options::Options;
use super::recipe_versions::RecipeVersions;
use super::shared::Shared;
use super::slots::SlotUse;
use super::worker::work;
use crate::journal::{Error, LeasedRun, Slots};
use crate::services::Services;

/// Longest interval between polls of the journal.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Longest wait for the journal during shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);
/// Pause after a failure of the journal.
const STORE_RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Runs recipes.
pub struct Engine {
    shared: Arc<Shared>,
}

/// The state of an engine that has nothing left to do now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Idle {
    /// When the next waiting run is due, if one waits for a time.
    pub next_due: Option<DateTime<Utc>>,
    /// Recipes that runs need and that are not loaded.
    pub missing: Vec<String>,
}

impl Engine {
    /// An engine that runs `recipes`.
    pub fn new(services: Services, recipes: RecipeVersions, options: Options) -> Self {
        Self { shared: Arc::new(Shared::new(services, recipes, options)) }
    }

    /// Counts since the start.
    pub fn counters(&self) -> &Arc<RunCounters> {
        &self.shared.counters
    }

    /// Works until `shutdown` resolves. Then it starts no more runs and gives requests in flight the grace period to
    /// end; unfinished runs stay in the journal.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let (stop, stopped) = watch::channel(false);
        tokio::pin!(shutdown);
        let mut driven = std::pin::pin!(self.drive(stopped, false));
        tokio::select! {
            _ = &mut driven => return,
            () = &mut shutdown => {}
        }
        tracing::info!("stopping: finishing requests in progress");
        stop.send_replace(true);
        let _ = driven.await;
    }

    /// Works until no run is in progress and none is due within the horizon. An error of the store ends it.
    pub async fn run_until_idle(&self) -> Result<Idle, Error> {
        self.run_until_idle_or(std::future::pending()).await
    }

    /// The same, but stops like `run` when `shutdown` resolves.
    pub async fn run_until_idle_or(&self, shutdown: impl Future<Output = ()>) -> Result<Idle, Error> {
        let (stop, stopped) = watch::channel(false);
        let mut driven = std::pin::pin!(self.drive(stopped, true));
        let next_due = tokio::select! {
            ended = &mut driven => ended?,
            () = shutdown => {
                stop.send_replace(true);
                driven.await?
            }
        };
        Ok(Idle { next_due, missing: self.shared.missing().iter().cloned().collect() })
    }

    async fn drive(&self, stop: watch::Receiver<bool>, once: bool) -> Result<Option<DateTime<Utc>>, Error> {
        let shared = &self.shared;
        shared.set_once(once);
        let mut workers = JoinSet::new();
        let mut use_of_slots = SlotUse::new(shared.options.concurrency);
        let mut background_tasks = std::pin::pin!(self.background_tasks());
        match unless_stopped(stop.clone(), self.reclaim()).await {
            Some(Err(error)) if once => return Err(error),
            _ => {}
        }
        self.resume_when_due().await;
        let mut loaded = None;
        let ended = loop {
            if *stop.borrow() {
                break Ok(None);
            }
            let replaced = shared.recipes.replaced();
            if loaded != Some(replaced) && wake_runs_of_loaded(shared).await.is_ok() {
                loaded = Some(replaced);
            }
            while workers.try_join_next().is_some() {}
            // A worker that ends during the query may make another run due.
            let alone = workers.is_empty();
            let asked = shared.services.clock.now();
            let term = LeaseTerm::begin(asked);
            let leased = match unless_stopped(stop.clone(), self.lease(use_of_slots.free(), asked)).await {
                // Runs granted without our knowledge are reclaimed when their leases expire.
                None => break Ok(None),
                Some(Ok(leased)) => leased,
                Some(Err(error)) if once => break Err(error),
                Some(Err(error)) => {
                    tracing::error!(%error, "cannot take runs from the store");
                    self.pause(STORE_RETRY_PAUSE, &mut workers, stop.clone(), background_tasks.as_mut())
                        .await;
                    continue;
                }
            };
            let got = leased.len();
            for run in leased {
                let guard = shared.held.take(run.lease.clone(), term);
                let slot = use_of_slots.take(run.event.source.priority());
                let working = work(Arc::clone(shared), run, guard, stop.clone());
                workers.spawn(async move {
                    working.await;
                    drop(slot);
                });
            }
            if got > 0 {
                continue;
            }
            let due = match self.next_due().await {
                Ok(due) => due,
                Err(error) if once => break Err(error),
                Err(_) => None,
            };
            // Relative to the time of the lease query, so that runs that have become due since are not missed.
            let wait = due.map(|due| (due - asked).to_std().unwrap_or_default());
            if once && alone && self.is_idle(wait) {
                break Ok(due);
            }
            // A due run that was not leased waits for its lane.
            let wait = wait.filter(|wait| !wait.is_zero()).unwrap_or(CHECK_INTERVAL).min(CHECK_INTERVAL);
            self.pause(wait, &mut workers, stop.clone(), background_tasks.as_mut()).await;
        };
        let all = async { while workers.join_next().await.is_some() {} };
        // Leases are renewed meanwhile, so that no other process takes the runs over.
        let in_time = tokio::select! {
            in_time = tokio::time::timeout(shared.options.grace, all) => in_time.is_ok(),
            () = background_tasks => true,
        };
        if !in_time {
            tracing::warn!("some requests did not finish in time; their steps are in doubt");
        }
        ended
    }

    fn is_idle(&self, wait: Option<Duration>) -> bool {
        wait.is_none_or(|wait| wait.is_zero() || wait > self.shared.options.horizon)
    }

    /// If the clock was set back before this start, continues from the latest time in the journal.
    async fn resume_when_due(&self) {
        let services = &self.shared.services;
        let last =
            tokio::time::timeout(SHUTDOWN_TIMEOUT, services.journal.last_wait(services.clock.now())).await;
        if let Ok(Ok(Some(last))) = last {
            services.clock.continue_from(last);
        }
    }

    async fn lease(&self, slots: Option<Slots>, now: DateTime<Utc>) -> Result<Vec<LeasedRun>, Error> {
        let Some(slots) = slots else { return Ok(Vec::new()) };
        let (services, options) = (&self.shared.services, &self.shared.options);
        services.journal.lease(&options.owner, slots, now, options.lease).await
    }

    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        self.shared.services.journal.next_due().await
    }

    /// Waits until there may be work.
    async fn pause(
        &self,
        at_most: Duration,
        workers: &mut JoinSet<()>,
        mut stop: watch::Receiver<bool>,
        background_tasks: std::pin::Pin<&mut impl Future<Output = ()>>,
    ) {
        let full = workers.len() >= self.shared.options.concurrency;
        tokio::select! {
            _ = workers.join_next(), if !workers.is_empty() => {}
            () = self.shared.services.journal.changed(at_most), if !full => {}
            () = tokio::time::sleep(at_most), if full => {}
            _ = stop.wait_for(|stop| *stop) => {}
            () = background_tasks => {}
        }
    }

    /// Background tasks. Never returns.
    async fn background_tasks(&self) {
        let journal = self.shared.services.journal.as_ref();
        tokio::join!(self.renew_leases(), self.shared.paused.follow(journal));
    }

    /// Renews leases and reclaims expired ones of other workers. Never returns.
    async fn renew_leases(&self) {
        let (services, options) = (&self.shared.services, &self.shared.options);
        let mut ticks = tokio::time::interval(options.lease / 3);
        let mut reclaiming = LeaseRecovery::new(options.lease, Instant::now());
        loop {
            ticks.tick().await;
            // Before reclaiming, so that our own leases survive a stall of this process or of the store.
            let renewed =
                self.shared.held.renew(services.journal.as_ref(), services.clock.now(), options.lease).await;
            // A failure was logged already and is retried.
            if !renewed || (reclaiming.may(Instant::now()) && self.reclaim().await.is_err()) {
                reclaiming.failed(Instant::now());
            }
        }
    }

    async fn reclaim(&self) -> Result<(), Error> {
        let services = &self.shared.services;
        let reclaimed = services.journal.reclaim(&self.shared.options.owner, services.clock.now()).await;
        match &reclaimed {
            Ok(0) => {}
            Ok(runs) => tracing::info!(runs, "took over the runs of processes that are gone"),
            Err(error) => tracing::error!(%error, "cannot take over the runs of processes that are gone"),
        }
        reclaimed.map(drop)
    }
}

/// The answer of the store; `None` if shutdown starts first.
async fn unless_stopped<T>(mut stop: watch::Receiver<bool>, ask: impl Future<Output = T>) -> Option<T> {
    let stopped = async {
        // A closed channel means stop, too.
        let _ = stop.wait_for(|stop| *stop).await;
        tokio::time::sleep(SHUTDOWN_TIMEOUT).await;
    };
    tokio::select! {
        answer = ask => Some(answer),
        () = stopped => None,
    }
}
