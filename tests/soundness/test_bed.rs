//! Runs a recipe on an event, with its requests sent to a sandbox.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hob::catalog::Catalog;
use hob::check::{CheckedRecipe, ConnectionInfo, WorkspaceInfo};
use hob::clock::{Clock, ManualClock};
use hob::connection::Connection;
use hob::engine::{Engine, Options, RecipeVersions};
use hob::journal::{Batch, Journal, Sqlite};
use hob::request::{Client, ClientSettings, FileFolders};
use hob::run::{RunState, StampedEntry};
use hob::sandbox::{Budget, RunningSandbox, Sandbox};
use hob::secret::Redactor;
use hob::services::Services;
use hob::trigger::as_triggered;
use hob::workspace::Workspace;
use indexmap::IndexMap;
use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::recipe::Case;

pub static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(Catalog::built_in()));

const HOB_YAML: &str = "connections:\n  studio: { connector: highlevel, location: loc1, auth: { token: '${NOT_SET}' } }\n  fitr: { connector: fitr, base_url: 'http://127.0.0.1:9', auth: { header: { name: X-API-Key, value: '${NOT_SET}' } } }\n";
/// A file that recipes may send.
pub const FILE: &str = "attachments/photo.txt";
const KEY: &str = "fitr-sandbox-key";
/// Most waits of a run: a step that waits may do so for each member of a list.
const MAX_WAITS: usize = 1000;

/// The workspace that recipes are checked for.
pub fn workspace_info() -> WorkspaceInfo {
    let connection = |connector: &str, settings: &[&str]| ConnectionInfo {
        connector: connector.to_owned(),
        settings: settings.iter().map(|name| (*name).to_owned()).collect(),
        version: None,
    };
    let connections =
        [("studio", connection("highlevel", &["location", "company"])), ("fitr", connection("fitr", &[]))];
    let connections: IndexMap<_, _> =
        connections.into_iter().map(|(name, connection)| (name.to_owned(), connection)).collect();
    let env = ["SANDBOX", "SANDBOX_KEY"].map(str::to_owned).into_iter().collect();
    let verified = ["fitr".to_owned()].into_iter().collect();
    WorkspaceInfo { known: true, connections, env, verified, ..WorkspaceInfo::default() }
}

/// How a run ended.
pub struct Ended {
    pub state: Option<RunState>,
    pub reason: Option<String>,
    pub entries: Vec<StampedEntry>,
}

/// Where recipes run one after another.
pub struct TestBed {
    pub sandbox: Sandbox,
    server: RunningSandbox,
    workspace: Workspace,
    client: Client,
    folder: TempDir,
    empty_store: PathBuf,
}

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-23T17:30:00Z").unwrap().to_utc()
}

impl TestBed {
    pub async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("hob.yaml"), HOB_YAML).unwrap();
        let workspace =
            Workspace::open(folder.path(), "hob.yaml", &BTreeMap::new()).unwrap().workspace.unwrap();
        let clock = ManualClock::new(now()).clock();
        let options = hob::sandbox::Options { clock, budget: Budget::Unlimited, ..Default::default() };
        let sandbox = Sandbox::new(Arc::clone(&CATALOG), options).unwrap();
        let server = sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
        let empty_store = folder.path().join("empty.db");
        Sqlite::open_temporary(&empty_store).unwrap().close().await;
        std::fs::create_dir(folder.path().join("attachments")).unwrap();
        std::fs::write(folder.path().join(FILE), "a photo").unwrap();
        let settings = ClientSettings {
            downloads: folder.path().join("downloads"),
            files: FileFolders {
                root: folder.path().to_owned(),
                allowed: vec![folder.path().join("attachments")],
            },
            ..ClientSettings::default()
        };
        let client = Client::new(settings, Clock::system()).unwrap();
        Self { sandbox, server, workspace, client, folder, empty_store }
    }

    fn connections(&self, clock: &Clock) -> IndexMap<String, Arc<Connection>> {
        let connect = |account: &hob::workspace::ConnectionConfig| {
            let connector = account.connector.connector.as_str();
            let url = self.server.base_url(connector);
            let (auth, settings) = (self.sandbox.credential(connector), self.sandbox.settings(connector));
            account.stand_in(&url, auth, settings, &self.client.http(), clock).unwrap()
        };
        let accounts = self.workspace.accounts.values();
        accounts.map(|account| (account.name.clone(), Arc::new(connect(account)))).collect()
    }

    /// Runs `recipe` on the event of `case`, on a fresh sandbox and an empty store.
    pub async fn run(&self, recipe: &CheckedRecipe, case: &Case) -> Ended {
        self.sandbox.reset();
        let manual = ManualClock::new(now());
        let clock = manual.clock();
        let store = self.folder.path().join("run.db");
        std::fs::copy(&self.empty_store, &store).unwrap();
        let journal: Arc<dyn Journal> = Arc::new(Sqlite::open_temporary(&store).unwrap());
        let mut env = Map::new();
        env.insert("SANDBOX".into(), Value::from(format!("http://{}", self.server.address())));
        env.insert("SANDBOX_KEY".into(), Value::from(KEY));
        let services = Services {
            journal: Arc::clone(&journal),
            client: self.client.clone().with_clock(clock.clone()),
            clock: clock.clone(),
            connections: Arc::new(self.connections(&clock)),
            env: Arc::new(env),
            redactor: Arc::new(Redactor::default()),
        };
        let ended = execute(recipe, case, &manual, &services).await;
        journal.close().await;
        for ending in ["", "-wal", "-shm", ".lock"] {
            std::fs::remove_file(self.folder.path().join(format!("run.db{ending}"))).ok();
        }
        ended
    }
}

async fn execute(recipe: &CheckedRecipe, case: &Case, manual: &ManualClock, services: &Services) -> Ended {
    let journal = services.journal.as_ref();
    let kind = case.event_kind.as_deref();
    let (event, runs) = match as_triggered(recipe, case.event.clone(), kind, services) {
        Ok(event) => event,
        // While it is made smaller, a recipe may lose the trigger of its event.
        Err(reason) => return Ended { state: None, reason: Some(reason), entries: Vec::new() },
    };
    let run = runs[0].id.clone();
    journal.append(Batch { events: vec![(event, runs)], progress: None }).await.unwrap();
    for _ in 0..MAX_WAITS {
        let options = Options {
            concurrency: 1,
            horizon: Duration::ZERO,
            lease: Duration::from_secs(3600),
            ..Options::default()
        };
        let engine = Engine::new(services.clone(), RecipeVersions::new([recipe.clone()]), options);
        let Some(due) = engine.run_until_idle().await.unwrap().next_due else { break };
        let wait = due - services.clock.now();
        if wait > TimeDelta::days(400) {
            break;
        }
        manual.advance(wait.max(TimeDelta::milliseconds(1)));
    }
    let detail = journal.run(&run).await.unwrap().unwrap();
    let row = detail.row;
    Ended { state: Some(row.state), reason: row.error, entries: detail.entries }
}
