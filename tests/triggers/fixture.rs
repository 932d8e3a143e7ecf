//! A journal, a clock, a catalog and accounts, set up for a test.

use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use hob::catalog::Catalog;
use hob::check::{CheckedRecipe, ConnectionInfo, WorkspaceInfo, check};
use hob::clock::ManualClock;
use hob::connection::{BudgetSettings, Connection, Credential, Setup};
use hob::journal::{Access, Journal, RunFilter, RunRow, Sqlite};
use hob::request::{Client, ClientSettings};
use hob::services::Services;
use hob::source::SourceFile;
use hob::trigger::{Claims, OnPage, TriggerContext};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

static PROVIDER: Once = Once::new();

/// Everything that triggers need.
pub struct Fixture {
    pub catalog: Arc<Catalog>,
    pub context: TriggerContext,
    pub clock: ManualClock,
    workspace_info: WorkspaceInfo,
    _folder: TempDir,
}

/// An account: name, connector, address and settings.
pub type Account<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)]);

impl Fixture {
    pub fn new(catalog: Catalog, accounts: &[Account<'_>]) -> Self {
        Self::with_credential(catalog, accounts, Credential::None)
    }

    /// All accounts use `credential`.
    pub fn with_credential(catalog: Catalog, accounts: &[Account<'_>], credential: Credential) -> Self {
        let clock = ManualClock::new("2026-11-23T12:00:00Z".parse().unwrap());
        Self::set_up(Arc::new(catalog), accounts, credential, clock, BudgetSettings::default())
    }

    /// With a shared clock and without rate limits.
    pub fn at(catalog: Arc<Catalog>, accounts: &[Account<'_>], clock: &ManualClock) -> Self {
        let budget = BudgetSettings { burst: Some("1000000/1s".parse().unwrap()), daily: Some(u64::MAX) };
        Self::set_up(catalog, accounts, Credential::None, clock.clone(), budget)
    }

    fn set_up(
        catalog: Arc<Catalog>,
        accounts: &[Account<'_>],
        credential: Credential,
        clock: ManualClock,
        budget: BudgetSettings,
    ) -> Self {
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let folder = tempfile::tempdir().unwrap();
        let mut connections = IndexMap::new();
        let mut workspace_info =
            WorkspaceInfo { known: true, env: vec!["KEY".into(), "GONE".into()], ..WorkspaceInfo::default() };
        for (name, connector, address, settings) in accounts {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let setup = Setup {
                base_url: Some((*address).to_owned()),
                settings: settings.iter().map(own).collect(),
                credential: credential.clone(),
                budget,
                ..Setup::default()
            };
            let described = Arc::clone(catalog.connector(connector).unwrap());
            let connection = Connection::new(name, described, setup).unwrap();
            connections.insert((*name).to_owned(), Arc::new(connection));
            let settings = settings.iter().map(|(name, _)| (*name).to_owned()).collect();
            let fact = ConnectionInfo { connector: (*connector).to_owned(), settings, version: None };
            workspace_info.connections.insert((*name).to_owned(), fact);
        }
        let journal: Arc<dyn Journal> = Arc::new(open(folder.path()));
        let downloads = folder.path().join("downloads");
        let settings = ClientSettings { downloads, ..ClientSettings::default() };
        let services = Services {
            journal,
            client: Client::new(settings, clock.clock()).unwrap(),
            clock: clock.clock(),
            connections: Arc::new(connections),
            env: Arc::new(Map::from_iter([("KEY".to_owned(), json!("k3y-k3y"))])),
            redactor: Arc::default(),
        };
        let claims = Claims::new("test", Duration::from_secs(60));
        let context = TriggerContext { services, claims, on_page: OnPage::default() };
        Self { catalog, context, clock, workspace_info, _folder: folder }
    }

    /// A checked recipe `r` with the given start, without `actions`.
    pub fn recipe(&self, text: &str) -> CheckedRecipe {
        self.named("r", text)
    }

    pub fn named(&self, name: &str, text: &str) -> CheckedRecipe {
        let action = "actions:\n  - do: log\n    with: { message: hello }\n";
        let file = SourceFile::new("r.yaml", format!("name: {name}\n{text}\n{action}"));
        let checked = check(&file, &self.catalog, &self.workspace_info).into_recipe();
        checked.unwrap_or_else(|report| panic!("{report}"))
    }

    /// All runs, oldest first.
    pub async fn runs(&self) -> Vec<RunRow> {
        let mut runs = self.context.services.journal.runs(&RunFilter::default()).await.unwrap();
        runs.reverse();
        runs
    }

    /// The records of runs, sorted.
    pub async fn records(&self) -> Vec<String> {
        let mut records: Vec<String> = self.runs().await.into_iter().filter_map(|run| run.record).collect();
        records.sort();
        records
    }

    /// Kind and record of each run's event, in order.
    pub async fn changes(&self) -> Vec<(String, String)> {
        let mut changes = Vec::new();
        for run in self.runs().await {
            let event = self.context.services.journal.run(&run.id).await.unwrap().unwrap().event;
            changes.push((event.kind.to_string(), event.record.unwrap_or_default()));
        }
        changes
    }

    /// The payload of the only run's event.
    pub async fn payload(&self) -> Value {
        let runs = self.runs().await;
        assert_eq!(runs.len(), 1);
        self.context.services.journal.run(&runs[0].id).await.unwrap().unwrap().event.payload
    }
}

fn open(folder: &Path) -> Sqlite {
    Sqlite::open(&folder.join("hob.db"), Access::Runner).unwrap()
}
