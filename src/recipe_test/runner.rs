//! Runs tests: each on an engine with a store, a clock and answers of its own.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use indexmap::IndexMap;
use serde_json::{Map, Value};
use tempfile::TempDir;

use super::case::Case;
use super::coverage::Coverage;
use super::expectation::{Observed, links};
use super::links::found;
use super::outcome::{CaseOutcome, Failure};
use super::stubs::Stubs;
use crate::check::CheckedRecipe;
use crate::clock::{Clock, ManualClock};
use crate::connection::{self, Connection};
use crate::engine::{Engine, Options, RecipeVersions};
use crate::event::Event;
use crate::journal::{Batch, Journal, RunDetail, RunUpdate, Slots, Sqlite};
use crate::recipe::{Trigger, Webhook};
use crate::request::{Client, ClientSettings, FileFolders, Responder};
use crate::run::{Accounts, LoopLimit, RunContext, RunState};
use crate::secret::Redactor;
use crate::services::Services;
use crate::trigger::{Schedule, as_triggered};
use crate::value::read_json;
use crate::workspace::{ConnectionConfig, Workspace};

/// Longest time that a run may wait, on the test's clock.
const MAX_WAIT: TimeDelta = TimeDelta::days(400);
/// Most waits of a run.
const MAX_WAITS: usize = 10_000;
/// Duration of a lease. Nobody else can take the run over.
const LEASE: Duration = Duration::from_secs(3600);

/// Runs tests of the recipes of a workspace. Cheap to share.
pub struct Runner {
    accounts: Vec<ConnectionConfig>,
    env: Map<String, Value>,
    client: Client,
    loop_limit: LoopLimit,
    /// Empty stores that no test uses now. Opening one takes longer than most tests.
    idle_stores: Mutex<Vec<Arc<Sqlite>>>,
    stores: AtomicU64,
    /// Dropped after the stores in it.
    folder: TempDir,
}

/// Why tests cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no place for the stores of tests.
    #[error("cannot make a temporary folder for tests: {0}")]
    Folder(#[from] std::io::Error),
    /// The store of a test failed.
    #[error(transparent)]
    Store(#[from] crate::journal::Error),
    /// A connection cannot be made.
    #[error(transparent)]
    Connection(#[from] crate::connection::Error),
}

impl Runner {
    /// A runner for the recipes of `workspace`.
    pub fn new(workspace: &Workspace) -> Result<Self, Error> {
        let folder = TempDir::new()?;
        let files = FileFolders { root: workspace.root.clone(), allowed: workspace.files.clone() };
        let downloads = folder.path().join("downloads");
        let client = ClientSettings { downloads, files, ..ClientSettings::default() };
        Ok(Self {
            accounts: workspace.accounts.values().cloned().collect(),
            env: workspace.env_values(),
            client: Client::new(client, Clock::system())?,
            loop_limit: LoopLimit::default(),
            idle_stores: Mutex::default(),
            stores: AtomicU64::new(0),
            folder,
        })
    }

    /// Runs `case`, a test of `recipe` in a file in `folder`. An error says that the test could not be run.
    pub async fn run(
        &self,
        recipe: &CheckedRecipe,
        case: &Case,
        folder: &Path,
    ) -> Result<CaseOutcome, Error> {
        let begun = Instant::now();
        let mut outcome = match self.event(recipe, case, folder) {
            Ok(payload) => self.run_on(recipe, case, payload).await?,
            Err(failure) => outcome_of(case, vec![failure]),
        };
        outcome.took = begun.elapsed();
        Ok(outcome)
    }

    /// The payload of the test's event.
    fn event(&self, recipe: &CheckedRecipe, case: &Case, folder: &Path) -> Result<Value, Failure> {
        if let Some(file) = &case.event_file {
            let path = folder.join(&file.value);
            let wrong = |reason: String| Failure::new(file.span, format!("{}: {reason}", path.display()));
            let bytes = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
            return read_json(&bytes, None).map_err(|error| wrong(error.to_string()));
        }
        let mut payload = match case.event_sample {
            true => sample(recipe, case.now).ok_or_else(|| {
                let message = "the catalog has no sample of this recipe's event: write an `event`";
                Failure::new(case.span, message)
            })?,
            false => Value::Object(Map::new()),
        };
        if let (Value::Object(fields), Some(Value::Object(own))) = (&mut payload, &case.event) {
            fields.extend(own.clone());
        }
        Ok(payload)
    }

    async fn run_on(
        &self,
        recipe: &CheckedRecipe,
        case: &Case,
        payload: Value,
    ) -> Result<CaseOutcome, Error> {
        let manual = ManualClock::new(case.now);
        let clock = manual.clock();
        let store = self.empty_store()?;
        let journal: Arc<dyn Journal> = Arc::<Sqlite>::clone(&store);
        let answers = case.stubs.iter().map(|(name, stubs)| (name.value.as_str(), stubs));
        let stubs = Arc::new(Stubs::new(Arc::clone(recipe.catalog()), clock.clone(), answers));
        let services = self.services(case, Arc::clone(&journal), &stubs, &clock)?;
        let outcome = execute(recipe, case, payload, &manual, &services, &stubs, self.loop_limit).await;
        // After a failure it is closed instead: nobody knows what it holds.
        if outcome.is_ok() && store.clear().await.is_ok() {
            self.idle_stores().push(store);
        }
        outcome
    }

    /// A store that no other test uses.
    fn empty_store(&self) -> Result<Arc<Sqlite>, Error> {
        if let Some(store) = self.idle_stores().pop() {
            return Ok(store);
        }
        let number = self.stores.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(Sqlite::open_temporary(&self.folder.path().join(format!("{number}.db")))?))
    }

    fn idle_stores(&self) -> MutexGuard<'_, Vec<Arc<Sqlite>>> {
        self.idle_stores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the templates of a recorded run could read besides its event.
    pub fn run_context(&self, detail: &RunDetail) -> Result<RunContext, Error> {
        let connections = self.connections(&Clock::system())?;
        let context = recorded_context(&connections, &self.env, &detail.run.accounts);
        Ok(RunContext { loop_limit: self.loop_limit, ..context })
    }

    fn connections(&self, clock: &Clock) -> Result<IndexMap<String, Arc<Connection>>, Error> {
        Ok(unconnected(self.accounts.iter(), clock)?)
    }

    fn services(
        &self,
        case: &Case,
        journal: Arc<dyn Journal>,
        stubs: &Arc<Stubs>,
        clock: &Clock,
    ) -> Result<Services, Error> {
        let connections = self.connections(clock)?;
        let mut env = self.env.clone();
        env.extend(case.env.clone());
        let stubs = Arc::clone(stubs);
        let responder = Responder::new(move |request| stubs.receive(request));
        let client = self.client.clone().with_clock(clock.clone()).answered_by(responder);
        Ok(Services {
            journal,
            client,
            clock: clock.clone(),
            connections: Arc::new(connections),
            env: Arc::new(env),
            redactor: Arc::new(Redactor::default()),
        })
    }
}

/// Connections of `accounts` for what needs no network.
pub fn unconnected<'a>(
    accounts: impl Iterator<Item = &'a ConnectionConfig>,
    clock: &Clock,
) -> Result<IndexMap<String, Arc<Connection>>, connection::Error> {
    accounts.map(|account| Ok((account.name.clone(), Arc::new(account.unconnected(clock)?)))).collect()
}

/// What the templates of a recorded run on `accounts` could read besides its event.
pub fn recorded_context(
    connections: &IndexMap<String, Arc<Connection>>,
    env: &Map<String, Value>,
    accounts: &Accounts,
) -> RunContext {
    let values = accounts
        .iter()
        .filter_map(|(connector, name)| Some((connector.clone(), connections.get(name)?.template_values())));
    let env = Arc::new(Value::Object(env.clone()));
    RunContext { env, connections: values.collect(), ..RunContext::default() }
}

/// Runs the recipe on the event and compares.
async fn execute(
    recipe: &CheckedRecipe,
    case: &Case,
    payload: Value,
    manual: &ManualClock,
    services: &Services,
    stubs: &Stubs,
    loop_limit: LoopLimit,
) -> Result<CaseOutcome, Error> {
    let journal = services.journal.as_ref();
    for link in &case.links {
        link.save(journal).await?;
    }
    for (key, value) in &case.state {
        journal.put_state(key, value).await?;
    }
    let kind = case.kind.as_ref();
    let (event, runs) = match as_triggered(recipe, payload, kind.map(|kind| kind.value.as_str()), services) {
        Ok(event) => event,
        Err(reason) => {
            let span = kind.map_or(case.span, |kind| kind.span);
            return Ok(outcome_of(case, vec![Failure::new(span, reason)]));
        }
    };
    if let Some(before) = &case.before {
        see_before(recipe, before, &event, services).await?;
    }
    let Some(run) = runs.first().map(|run| run.id.clone()) else {
        return Ok(outcome_of(case, vec![Failure::new(case.span, "the event starts no run")]));
    };
    journal.append(Batch { events: vec![(event, runs)], progress: None }).await?;
    run_to_its_end(recipe, manual, services, loop_limit).await?;
    let Some(detail) = journal.run(&run).await? else {
        return Ok(outcome_of(case, vec![Failure::new(case.span, "the run is not in the store")]));
    };
    compare(recipe, case, &detail, services, stubs).await
}

/// Works until the run has ended. Its waits end at once: the clock is advanced.
async fn run_to_its_end(
    recipe: &CheckedRecipe,
    manual: &ManualClock,
    services: &Services,
    loop_limit: LoopLimit,
) -> Result<(), Error> {
    let clock = &services.clock;
    let begun = clock.now();
    for _ in 0..MAX_WAITS {
        let options = Options {
            concurrency: 1,
            horizon: Duration::ZERO,
            lease: LEASE,
            loop_limit,
            ..Options::default()
        };
        let engine = Engine::new(services.clone(), RecipeVersions::new([recipe.clone()]), options);
        let Some(due) = engine.run_until_idle().await?.next_due else { break };
        let wait = due - clock.now();
        if clock.now() - begun + wait > MAX_WAIT {
            break;
        }
        manual.advance(wait.max(TimeDelta::milliseconds(1)));
    }
    Ok(())
}

/// Stores that hob has seen the record of `event` as `before`.
async fn see_before(
    recipe: &CheckedRecipe,
    before: &Value,
    event: &Event,
    services: &Services,
) -> Result<(), Error> {
    let journal = services.journal.as_ref();
    let kind = event.kind.to_string();
    let Ok((mut earlier, runs)) = as_triggered(recipe, before.clone(), Some(&kind), services) else {
        return Ok(());
    };
    earlier.received = event.received - TimeDelta::hours(1);
    earlier.record = event.record.clone();
    let now = earlier.received;
    journal.append(Batch { events: vec![(earlier, runs)], progress: None }).await?;
    for leased in journal.lease("test", Slots::any(1), event.received, LEASE).await? {
        journal.record(&leased.lease, vec![], RunUpdate::new(RunState::Succeeded, now)).await?;
    }
    Ok(())
}

async fn compare(
    recipe: &CheckedRecipe,
    case: &Case,
    detail: &RunDetail,
    services: &Services,
    stubs: &Stubs,
) -> Result<CaseOutcome, Error> {
    let journal = services.journal.as_ref();
    let mut found_links = HashMap::new();
    for (name, from) in links(&case.expected) {
        let found = found(journal, name, from).await?;
        found_links.insert((name.value.clone(), from.value.clone()), found);
    }
    let mut values = HashMap::new();
    for key in case.expected.state.iter().flatten().map(|(key, _)| key) {
        values.insert(key.value.clone(), journal.state(key).await?);
    }
    let sent = stubs.sent();
    let (state, reason) = (detail.row.state, detail.row.error.clone());
    let observed = Observed {
        recipe,
        state,
        reason: reason.as_deref(),
        entries: &detail.entries,
        sent: &sent,
        links: &found_links,
        values,
    };
    let failures = observed.failures(case);
    let remarks = stubs.unused().into_iter().filter(|operation| case.own_stubs.contains(operation));
    let remarks = remarks.map(|operation| format!("an answer of `{operation}` was not used")).collect();
    let coverage = Coverage::from_run(&detail.entries, state);
    let links = found_links;
    Ok(CaseOutcome {
        state: Some(state),
        reason,
        remarks,
        sent,
        links,
        coverage,
        ..outcome_of(case, failures)
    })
}

/// The outcome of a test that has not run.
fn outcome_of(case: &Case, failures: Vec<Failure>) -> CaseOutcome {
    CaseOutcome {
        name: case.name.clone(),
        span: case.span,
        failures,
        remarks: Vec::new(),
        state: None,
        reason: None,
        sent: Vec::new(),
        links: HashMap::new(),
        coverage: Coverage::default(),
        took: Default::default(),
    }
}

/// A sample of what the recipe's trigger gives.
fn sample(recipe: &CheckedRecipe, now: DateTime<Utc>) -> Option<Value> {
    match recipe.trigger() {
        Trigger::Schedule(_) => Some(Schedule::for_recipe(recipe)?.payload(now)),
        Trigger::Manual(_) => None,
        Trigger::Poll(_) => {
            let mut sample = recipe.poller()?.item_shape()?.sample();
            let parent = recipe.parents().and_then(|parents| parents.item_shape());
            if let (Some(fields), Some(parent)) = (sample.as_object_mut(), parent) {
                fields.insert("parent".to_owned(), parent.sample());
            }
            Some(sample)
        }
        Trigger::Webhook(Webhook::Events { connector, types, .. }) => {
            let events = &recipe.catalog().connector(connector)?.events;
            events.get(types.first()?.value.as_str())?.sample()
        }
        Trigger::Webhook(Webhook::Path { .. }) => None,
    }
}
