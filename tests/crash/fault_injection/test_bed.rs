//! hob in the test's own process, without its command line, on a store and a stand-in.

use std::sync::Arc;
use std::time::Duration;

use hob::catalog::Catalog;
use hob::check::{CheckedRecipe, ConnectionInfo, WorkspaceInfo, check};
use hob::clock::{Clock, ManualClock};
use hob::connection::{ApiHeader, Connection, Credential, Setup};
use hob::engine::{Engine, Options, RecipeVersions};
use hob::journal::Journal;
use hob::request::{Client, ClientSettings};
use hob::sandbox::{Budget, RunningSandbox, Sandbox};
use hob::secret::Secret;
use hob::services::Services;
use hob::source::SourceFile;
use hob::trigger::webhook::Receiver;
use hob::trigger::{Claims, OnPage, TriggerContext, Triggers};
use indexmap::IndexMap;
use serde_json::Value;

use crate::workspace::RECIPES;

/// Timeout of requests that are answered sooner or later, on a busy machine.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// The lease of runs; long, so that a busy machine does not lose them.
const LEASE: Duration = Duration::from_secs(3600);
/// The same where a test waits for its end in real time.
const SHORT_LEASE: Duration = Duration::from_secs(20);

/// A stand-in, and what is needed to start hob on it any number of times.
pub struct TestBed {
    pub sandbox: Sandbox,
    running: RunningSandbox,
    catalog: Arc<Catalog>,
    recipes: Vec<CheckedRecipe>,
    /// Shared by all instances: reading the system's certificates takes longer than a trial.
    client: Client,
    clock: Clock,
    /// `None`: the system clock is used.
    manual: Option<ManualClock>,
    /// The lease of runs.
    pub lease: Duration,
}

/// One instance of hob.
pub struct Hob {
    pub engine: Engine,
    pub triggers: Triggers,
    pub receiver: Receiver,
    pub journal: Arc<dyn Journal>,
}

impl TestBed {
    /// With a clock that only [`Self::wait_until`] advances.
    pub async fn with_manual_clock() -> Self {
        Self::with_manual_clock_and_timeout(ANSWER_TIMEOUT).await
    }

    /// The same with another request timeout.
    pub async fn with_manual_clock_and_timeout(timeout: Duration) -> Self {
        let manual = ManualClock::new("2026-11-23T09:00:00Z".parse().unwrap());
        Self::new(manual.clock(), Some(manual), timeout, LEASE).await
    }

    /// With the system clock.
    pub async fn with_system_clock() -> Self {
        Self::new(Clock::system(), None, ANSWER_TIMEOUT, SHORT_LEASE).await
    }

    async fn new(clock: Clock, manual: Option<ManualClock>, timeout: Duration, lease: Duration) -> Self {
        let catalog = Arc::new(Catalog::built_in());
        let options = hob::sandbox::Options {
            clock: clock.clone(),
            budget: Budget::Unlimited,
            ..hob::sandbox::Options::default()
        };
        let sandbox = Sandbox::new(Arc::clone(&catalog), options).unwrap();
        let running = sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
        let recipes = checked(&catalog, &sandbox);
        let settings = ClientSettings { timeout, ..ClientSettings::default() };
        let client = Client::new(settings, clock.clone()).unwrap();
        Self { sandbox, running, catalog, recipes, client, clock, manual, lease }
    }

    /// The clock of this test bed.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Advances a manual clock to `then`.
    pub fn wait_until(&self, then: chrono::DateTime<chrono::Utc>) {
        if let Some(manual) = &self.manual {
            manual.advance((then - self.clock.now()).max(chrono::TimeDelta::zero()));
        }
    }

    /// A new instance with one run at a time, so that every trial is the same.
    pub fn hob(&self, journal: Arc<dyn Journal>) -> Hob {
        let names = self.sandbox.connectors().map(str::to_owned);
        let connections: IndexMap<_, _> =
            names.map(|name| (name.clone(), Arc::new(self.connection(&name)))).collect();
        // Budgets are not shared here: the part that a crashed process may still send is given up after half a
        // minute of real time, which every crash case would wait for.
        let services = Services {
            journal: Arc::clone(&journal),
            client: self.client.clone(),
            clock: self.clock.clone(),
            connections: Arc::new(connections),
            env: Arc::default(),
            redactor: Arc::default(),
        };
        let options =
            Options { concurrency: 1, lease: self.lease, horizon: Duration::ZERO, ..Options::default() };
        let context = TriggerContext {
            services: services.clone(),
            claims: Claims::new(options.owner.clone(), options.lease),
            on_page: OnPage::default(),
        };
        let recipes = RecipeVersions::new(self.recipes.clone());
        Hob {
            receiver: Receiver::new(&self.catalog, &self.recipes, services.clone(), &IndexMap::new()),
            engine: Engine::new(services, recipes, options),
            triggers: Triggers::new(&self.recipes, context).unwrap(),
            journal,
        }
    }

    fn connection(&self, name: &str) -> Connection {
        let setup = Setup {
            base_url: Some(self.running.base_url(name)),
            settings: self.sandbox.settings(name).into_iter().collect(),
            credential: credential(&self.sandbox.credential(name).unwrap()),
            ..Setup::default()
        };
        Connection::new(name, Arc::clone(self.catalog.connector(name).unwrap()), setup).unwrap()
    }
}

fn credential(auth: &Value) -> Credential {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    match &auth["token"] {
        Value::String(token) => Credential::Bearer(Secret::new(token.as_str())),
        _ => Credential::Header(ApiHeader {
            name: text(&auth["header"]["name"]),
            value: Secret::new(text(&auth["header"]["value"])),
        }),
    }
}

fn checked(catalog: &Arc<Catalog>, sandbox: &Sandbox) -> Vec<CheckedRecipe> {
    let mut workspace_info = WorkspaceInfo { known: true, ..WorkspaceInfo::default() };
    for name in sandbox.connectors() {
        let settings = sandbox.settings(name).into_keys().collect();
        let fact = ConnectionInfo { connector: name.to_owned(), settings, version: None };
        workspace_info.connections.insert(name.to_owned(), fact);
    }
    let check = |(name, text): (&str, &str)| {
        let checked = check(&SourceFile::new(name, text), catalog, &workspace_info).into_recipe();
        checked.unwrap_or_else(|report| panic!("{report}"))
    };
    RECIPES.into_iter().map(check).collect()
}
