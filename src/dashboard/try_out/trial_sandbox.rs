//! A sandbox that starts when somebody tries something, and ends when nobody has for a while.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::catalog::{Catalog, Operation};
use crate::clock::Clock;
use crate::request::{CallOptions, Client, ClientSettings, FileFolders, Outcome};
use crate::sandbox::{Options, RunningSandbox, Sandbox};
use crate::workspace::{Workspace, sandbox_scripts};

/// How long it stays without being used, with all that was tried in it.
const IDLE: Duration = Duration::from_secs(600);
/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(60);
/// Longest wait for a budget, and for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The sandbox. Cheap to clone. One is tried on at a time, so that requests are not mixed up.
#[derive(Clone, Default)]
pub(in crate::dashboard) struct TrialSandbox(Arc<Mutex<Option<Running>>>);

struct Running {
    sandbox: Sandbox,
    listening: RunningSandbox,
    client: Client,
    clock: Clock,
    /// Connections to every connector, without any credential.
    accounts: Workspace,
    used: Instant,
    /// Where what is downloaded goes; deleted on drop.
    _folder: TempDir,
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Tried {
    /// What reached the sandbox.
    requests: Vec<Sent>,
    status: Option<u16>,
    #[serde(skip)]
    answer: Option<Value>,
    /// What is wrong, and what to do about it.
    problems: Vec<(String, Option<String>)>,
}

/// A request as the sandbox got it.
#[derive(Debug, Serialize)]
struct Sent {
    method: String,
    path: String,
    /// As text: a page hands on no names of fields that come from outside.
    body: Option<String>,
    status: u16,
    /// The number of records that it changed.
    changed: usize,
}

impl Tried {
    /// The answer, once.
    pub(super) fn take_answer(&mut self) -> Option<Value> {
        self.answer.take()
    }
}

impl TrialSandbox {
    /// Inputs with which `operation` succeeds.
    pub(super) async fn example(
        &self,
        workspace: &Workspace,
        operation: &Operation,
    ) -> Result<Map<String, Value>, String> {
        let mut place = self.0.lock().await;
        let running = self.started(&mut place, workspace).await?;
        Ok(running.sandbox.example(&operation.id).unwrap_or_default())
    }

    /// Sends `operation` to the sandbox.
    pub(super) async fn perform(
        &self,
        workspace: &Workspace,
        operation: &Arc<Operation>,
        inputs: &Map<String, Value>,
    ) -> Result<Tried, String> {
        let mut place = self.0.lock().await;
        self.started(&mut place, workspace).await?.perform(&workspace.catalog, operation, inputs).await
    }

    async fn started<'a>(
        &self,
        place: &'a mut Option<Running>,
        workspace: &Workspace,
    ) -> Result<&'a Running, String> {
        if place.is_none() {
            *place = Some(Running::start(workspace).await?);
            tokio::spawn(self.clone().end_when_idle());
        }
        let running = place.as_mut().ok_or("the sandbox does not start")?;
        running.used = Instant::now();
        Ok(running)
    }

    async fn end_when_idle(self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let mut place = self.0.lock().await;
            if place.as_ref().is_none_or(|running| running.used.elapsed() >= IDLE) {
                *place = None;
                return;
            }
        }
    }
}

impl Running {
    async fn start(workspace: &Workspace) -> Result<Self, String> {
        let scripts = sandbox_scripts(&workspace.root).map_err(|error| error.to_string())?;
        let catalog = Arc::clone(&workspace.catalog);
        let options = Options { scripts, ..Options::default() };
        let sandbox = Sandbox::new(Arc::clone(&catalog), options).map_err(|error| error.to_string())?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listening = sandbox.serve(address).await.map_err(|error| error.to_string())?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        // No file of this machine is sent: none is in the only folder that is allowed.
        let files = FileFolders { root: folder.path().join("nothing"), allowed: Vec::new() };
        let downloads = folder.path().join("downloads");
        let settings = ClientSettings { downloads, files, ..ClientSettings::default() };
        let clock = Clock::system();
        let client = Client::new(settings, clock.clone()).map_err(|error| error.to_string())?;
        let accounts = Workspace::bare(folder.path(), catalog);
        Ok(Self { sandbox, listening, client, clock, accounts, used: Instant::now(), _folder: folder })
    }

    async fn perform(
        &self,
        catalog: &Catalog,
        operation: &Arc<Operation>,
        inputs: &Map<String, Value>,
    ) -> Result<Tried, String> {
        let name = &operation.connector;
        let account = self.accounts.accounts.get(name).ok_or("there is no such connector")?;
        let connection = account.stand_in(
            &self.listening.base_url(name),
            self.sandbox.credential(name),
            self.sandbox.settings(name),
            &self.client.http(),
            &self.clock,
        );
        let connection = connection.map_err(|error| error.to_string())?;
        let options = CallOptions { timeout: Some(PATIENCE), max_wait: PATIENCE, ..CallOptions::default() };
        let before = self.sandbox.totals().0;
        let outcome = self.client.call(catalog, operation, inputs, &connection, &options).await;
        let mut tried = Tried { requests: self.requests_after(before), ..Tried::default() };
        match outcome {
            Err(problems) => {
                let told = |problem: crate::request::InputProblem| (problem.to_string(), None);
                tried.problems = problems.into_iter().map(told).collect();
            }
            Ok(Outcome::Ok(answer)) => {
                (tried.status, tried.answer) = (Some(answer.status), Some(answer.body));
            }
            Ok(Outcome::Refused(refusal) | Outcome::Unauthorized { refusal, .. }) => {
                tried.status = refusal.status;
                tried.problems = vec![(refusal.message, refusal.help)];
            }
            Ok(other) => tried.problems = vec![(other.describe(), None)],
        }
        Ok(tried)
    }

    /// What the sandbox has got since it had got `before`.
    fn requests_after(&self, before: u64) -> Vec<Sent> {
        let new = self.sandbox.log().into_iter().filter(|entry| entry.number > before);
        let sent = new.map(|entry| Sent {
            method: entry.method,
            path: entry.path,
            body: Some(entry.body).filter(|body| !body.is_null()).map(|body| format!("{body:#}")),
            status: entry.status,
            changed: entry.changes.len(),
        });
        sent.collect()
    }
}
