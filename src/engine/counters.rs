//! Counts of an engine since its start, for summaries and metrics.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::latency::Latency;
use crate::run::{Accounts, RunId, RunState};

/// Counts since the engine started.
#[derive(Debug, Default)]
pub struct RunCounters {
    ended: Mutex<HashMap<EndedRun, u64>>,
    writes: Mutex<BTreeMap<CountedWrite, u64>>,
    /// By recipe and operation.
    steps: Mutex<BTreeMap<(String, String), Latency>>,
    stored: Mutex<Latency>,
    /// Who is told of runs that ended.
    told: OnceLock<mpsc::Sender<RunId>>,
    traces_reported: AtomicU64,
    traces_dropped: AtomicU64,
}

/// Writes that are counted together: their recipe, its connections, and what is counted.
pub type CountedWrite = (String, Vec<String>, WriteCount);

/// What is counted of writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WriteCount {
    /// Left out, as they would have changed nothing.
    Unchanged,
    /// Accepted by the API, which did not keep all that was sent.
    NotKept,
}

/// A group of ended runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EndedRun {
    /// Their recipe.
    pub recipe: String,
    /// Their connections, in the order of the recipe.
    pub connections: Vec<String>,
    /// Their state.
    pub state: RunState,
}

impl RunCounters {
    pub(super) fn count(&self, recipe: &str, accounts: &Accounts, state: RunState) {
        let connections = accounts.values().cloned().collect();
        let ended = EndedRun { recipe: recipe.to_owned(), connections, state };
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner).entry(ended).or_default() += 1;
    }

    pub(super) fn count_write(&self, recipe: &str, accounts: &Accounts, what: WriteCount) {
        let key = (recipe.to_owned(), accounts.values().cloned().collect(), what);
        *self.writes.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
    }

    /// Tells of runs that end from now on, at most once. Of more than `most` that wait to be received, the newest are dropped.
    pub fn tell_ended(&self, most: usize) -> mpsc::Receiver<RunId> {
        let (tell, told) = mpsc::channel(most);
        let _ = self.told.set(tell);
        told
    }

    /// `run` has ended.
    pub(super) fn ended(&self, run: &RunId) {
        if let Some(tell) = self.told.get()
            && tell.try_send(run.clone()).is_err()
        {
            self.count_traces(0, 1);
        }
    }

    /// Runs that were reported as traces, and those that never will be.
    pub fn count_traces(&self, reported: u64, dropped: u64) {
        self.traces_reported.fetch_add(reported, Ordering::Relaxed);
        self.traces_dropped.fetch_add(dropped, Ordering::Relaxed);
    }

    /// Numbers of runs by what became of their traces.
    pub fn traces(&self) -> [(&'static str, u64); 2] {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [("reported", count(&self.traces_reported)), ("dropped", count(&self.traces_dropped))]
    }

    pub(super) fn count_step(&self, recipe: &str, operation: &str, took: Duration) {
        let key = (recipe.to_owned(), operation.to_owned());
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().observe(took);
    }

    pub(super) fn count_stored(&self, took: Duration) {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner).observe(took);
    }

    /// How long attempts of steps took, by recipe and operation.
    pub fn steps(&self) -> BTreeMap<(String, String), Latency> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long it took until what runs did was durable.
    pub fn stored(&self) -> Latency {
        *self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes that were left out or not kept.
    pub fn writes(&self) -> BTreeMap<CountedWrite, u64> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many writes of one sort there were.
    pub fn writes_of(&self, what: WriteCount) -> u64 {
        self.writes().iter().filter(|((_, _, counted), _)| *counted == what).map(|(_, count)| count).sum()
    }

    /// Numbers of runs that ended or were parked, by the name of their state.
    pub fn runs(&self) -> BTreeMap<&'static str, u64> {
        let mut runs = BTreeMap::new();
        for (ended, count) in self.by_recipe() {
            *runs.entry(ended.state.name()).or_default() += count;
        }
        runs
    }

    /// Numbers of runs that ended or were parked, by group.
    pub fn by_recipe(&self) -> Vec<(EndedRun, u64)> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<(EndedRun, u64)> =
            ended.iter().map(|(ended, count)| (ended.clone(), *count)).collect();
        let key = |ended: &EndedRun| (ended.recipe.clone(), ended.connections.clone(), ended.state.name());
        all.sort_by_key(|(ended, _)| key(ended));
        all
    }
}
