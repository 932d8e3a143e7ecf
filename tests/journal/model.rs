//! Random sequences of operations, on a store and on a simple model.

use std::future::Future;
use std::sync::Arc;

use hob::journal::{Batch, Journal, Lease, LeasedRun, NewRun, RunFilter, RunUpdate, Slots};
use hob::run::{RunId, RunState};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{collection, proptest, test_runner::TestCaseError};

use crate::fixture::{StoreLocation, TTL, WORKER, at, event, new_run, remark};

#[derive(Debug, Clone)]
enum Operation {
    /// Events by dedup key, each with runs in these lanes of these recipes.
    Append(Vec<(u8, Vec<(u8, u8)>)>),
    Lease(usize),
    /// A lease, valid or not, gets a state and sleeps for some seconds.
    Record(usize, RunState, i64),
    Renew,
    Pass(i64),
    Reclaim,
    Reopen,
}

fn operation() -> impl Strategy<Value = Operation> {
    let runs = collection::vec((0..2_u8, 0..3_u8), 0..4);
    let ends = prop_oneof![
        Just(RunState::Running),
        Just(RunState::Waiting),
        Just(RunState::Succeeded),
        Just(RunState::Failed),
        Just(RunState::Skipped),
        Just(RunState::Parked),
    ];
    prop_oneof![
        4 => collection::vec((0..40_u8, runs), 0..4).prop_map(Operation::Append),
        4 => (0..6_usize).prop_map(Operation::Lease),
        6 => (any::<usize>(), ends, 0..20_i64).prop_map(|(which, end, sleep)| {
            Operation::Record(which, end, sleep)
        }),
        1 => Just(Operation::Renew),
        2 => (1..20_i64).prop_map(Operation::Pass),
        1 => Just(Operation::Reclaim),
        1 => Just(Operation::Reopen),
    ]
}

#[derive(Debug, Clone)]
struct ModelRun {
    id: RunId,
    lane: (String, String),
    state: RunState,
    due: i64,
    epoch: i64,
    until: i64,
    entries: usize,
}

impl ModelRun {
    fn is_open(&self) -> bool {
        !self.state.is_finished()
    }
}

#[derive(Default)]
struct Model {
    now: i64,
    known: std::collections::BTreeSet<u8>,
    runs: Vec<ModelRun>,
    leases: Vec<Lease>,
}

impl Model {
    fn append(&mut self, dedup: u8, runs: &[NewRun]) {
        if !self.known.insert(dedup) {
            return;
        }
        self.runs.extend(runs.iter().map(|run| ModelRun {
            id: run.id.clone(),
            lane: (run.recipe.clone(), run.lane.clone()),
            state: RunState::Waiting,
            due: 0,
            epoch: 0,
            until: 0,
            entries: 0,
        }));
    }

    /// Runs that may be leased: due, and the first of their lane that is not finished.
    fn available(&self) -> Vec<RunId> {
        let mut lanes = std::collections::BTreeSet::new();
        let heads = self.runs.iter().filter(|run| run.is_open() && lanes.insert(&run.lane));
        heads
            .filter(|run| run.state == RunState::Waiting && run.due <= self.now)
            .map(|run| run.id.clone())
            .collect()
    }

    fn find(&mut self, id: &RunId) -> &mut ModelRun {
        self.runs.iter_mut().find(|run| run.id == *id).expect("a known run")
    }

    fn leased(&mut self, run: &LeasedRun) -> Result<(), TestCaseError> {
        let until = self.now + TTL.as_secs() as i64;
        let known = self.find(&run.run.id);
        known.state = RunState::Running;
        known.epoch += 1;
        known.until = until;
        proptest::prop_assert_eq!(run.lease.epoch, known.epoch);
        proptest::prop_assert_eq!(run.entries.len(), known.entries);
        self.leases.push(run.lease.clone());
        Ok(())
    }
}

/// The store and the model side by side.
struct Pair {
    location: StoreLocation,
    journal: Arc<dyn Journal>,
    model: Model,
}

impl Pair {
    async fn perform(&mut self, operation: Operation) -> Result<(), TestCaseError> {
        match operation {
            Operation::Append(events) => self.append(events).await,
            Operation::Lease(limit) => self.lease(limit).await?,
            Operation::Record(which, state, sleep) => self.record(which, state, sleep).await?,
            Operation::Renew => self.renew().await?,
            Operation::Pass(seconds) => self.model.now += seconds,
            Operation::Reclaim => self.reclaim().await?,
            Operation::Reopen => {
                self.journal.close().await;
                self.journal = self.location.open().await;
            }
        }
        Ok(())
    }

    async fn append(&mut self, events: Vec<(u8, Vec<(u8, u8)>)>) {
        let mut batch = Batch::default();
        for (dedup, runs) in events {
            let runs: Vec<NewRun> = runs
                .into_iter()
                .map(|(recipe, lane)| new_run(&format!("recipe-{recipe}"), &lane.to_string()))
                .collect();
            self.model.append(dedup, &runs);
            batch.events.push((event(&dedup.to_string()), runs));
        }
        self.journal.append(batch).await.expect("appends");
    }

    async fn lease(&mut self, limit: usize) -> Result<(), TestCaseError> {
        let available = self.model.available();
        let leased =
            self.journal.lease(WORKER, Slots::any(limit), at(self.model.now), TTL).await.expect("leases");
        proptest::prop_assert_eq!(leased.len(), available.len().min(limit));
        for run in &leased {
            proptest::prop_assert!(available.contains(&run.run.id), "{} is not to be leased", run.run.id);
            self.model.leased(run)?;
        }
        Ok(())
    }

    async fn record(&mut self, which: usize, state: RunState, sleep: i64) -> Result<(), TestCaseError> {
        if self.model.leases.is_empty() {
            return Ok(());
        }
        let lease = self.model.leases[which % self.model.leases.len()].clone();
        let now = self.model.now;
        let due = (state == RunState::Waiting && sleep > 0).then(|| at(now + sleep));
        let update = RunUpdate {
            state,
            due,
            error: None,
            version: None,
            holds_lane: false,
            writes: vec![],
            unsettled: None,
            now: at(now),
        };
        let result = self.journal.record(&lease, vec![remark(now, "x")], update).await;
        let run = self.model.find(&lease.run);
        let held = run.state == RunState::Running && run.epoch == lease.epoch;
        proptest::prop_assert_eq!(result.is_ok(), held);
        if held {
            run.entries += 1;
            run.state = state;
            run.due = due.map_or(0, |_| now + sleep);
        }
        Ok(())
    }

    async fn renew(&mut self) -> Result<(), TestCaseError> {
        let now = self.model.now;
        let leases = self.model.leases.clone();
        let renewed = self.journal.renew(&leases, at(now), TTL).await.expect("renews");
        let mut held = Vec::new();
        for lease in leases {
            let run = self.model.find(&lease.run);
            if run.state == RunState::Running && run.epoch == lease.epoch {
                run.until = now + TTL.as_secs() as i64;
                held.push(lease);
            }
        }
        proptest::prop_assert_eq!(renewed, held);
        Ok(())
    }

    async fn reclaim(&mut self) -> Result<(), TestCaseError> {
        let count = self.journal.reclaim(WORKER, at(self.model.now)).await.expect("reclaims");
        let now = self.model.now;
        let ended =
            self.model.runs.iter_mut().filter(|run| run.state == RunState::Running && run.until <= now);
        let mut expected = 0;
        for run in ended {
            run.state = RunState::Waiting;
            run.due = 0;
            expected += 1;
        }
        proptest::prop_assert_eq!(count, expected);
        Ok(())
    }

    /// Compares everything visible in the store with the model.
    async fn compare(&self) -> Result<(), TestCaseError> {
        let rows = self.journal.runs(&RunFilter::default()).await.expect("lists");
        let listed: Vec<_> = rows.into_iter().rev().map(|row| (row.id, row.state)).collect();
        let expected: Vec<_> = self.model.runs.iter().map(|run| (run.id.clone(), run.state)).collect();
        proptest::prop_assert_eq!(listed, expected);
        let totals = self.journal.totals(None).await.expect("counts");
        proptest::prop_assert_eq!(&totals, &self.journal.totals(Some(at(0))).await.expect("counts"));
        proptest::prop_assert_eq!(totals.events, self.model.known.len() as u64);
        Ok(())
    }
}

/// Performs `operations` on both.
async fn run(location: StoreLocation, operations: Vec<Operation>) -> Result<(), TestCaseError> {
    let mut pair = Pair { journal: location.open().await, location, model: Model::default() };
    for operation in operations {
        pair.perform(operation).await?;
    }
    pair.compare().await
}

fn in_runtime(run: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run)
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 48, ..Default::default() })]

    #[test]
    fn the_store_does_what_the_model_does(operations in collection::vec(operation(), 1..60)) {
        in_runtime(run(StoreLocation::sqlite(), operations))?;
    }
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 24, ..Default::default() })]

    #[test]
    fn postgres_does_what_the_model_does(operations in collection::vec(operation(), 1..60)) {
        if let Some(location) = StoreLocation::postgres() {
            in_runtime(run(location, operations))?;
        }
    }
}
