//! Makes the connections of a workspace: to the real APIs, or to a sandbox in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use indexmap::IndexMap;

use super::{Failure, Session};
use crate::clock::Clock;
use crate::connection::{Connection, LimitStore, Limiters};
use crate::journal::Journal;
use crate::request::{Client, ClientSettings, FileFolders};
use crate::sandbox::{Options, RunningSandbox, Sandbox};
use crate::services::Services;
use crate::workspace::{Workspace, sandbox_scripts};

/// Connections, and what they need to stay up.
pub(super) struct ConnectedAccounts {
    /// Sends requests.
    pub(super) client: Client,
    /// Connections by name.
    pub(super) connections: Arc<IndexMap<String, Arc<Connection>>>,
    /// The sandbox that they lead to; it ends with this.
    _sandbox: Option<RunningSandbox>,
}

impl ConnectedAccounts {
    /// To the APIs that hob.yaml names. Variables that are not set are told; those of a connection stop only
    /// what uses it.
    pub(super) fn to_apis(session: &mut Session, workspace: &Workspace) -> Result<Self, Failure> {
        if !workspace.unset.diagnostics.is_empty() {
            session.show(&workspace.unset);
        }
        if workspace.lacks_variables() {
            return Err(Self::unset());
        }
        Self::ignoring_unset_variables(workspace)
    }

    /// That variables are needed and not set.
    pub(super) fn unset() -> Failure {
        let reason =
            "hob.yaml needs variables that are not set; set them, or use --sandbox, which needs none";
        Failure::problem(anyhow!(reason))
    }

    /// To the APIs that hob.yaml names, whether their credentials are there or not: enough for what
    /// sends nothing.
    pub(super) fn ignoring_unset_variables(workspace: &Workspace) -> Result<Self, Failure> {
        let clock = Clock::system();
        let client = client(workspace, &clock)?;
        let mut connections = IndexMap::new();
        for account in workspace.accounts.values() {
            let connection = account.connect(&client.http(), &clock).map_err(Failure::problem)?;
            connections.insert(account.name.clone(), Arc::new(connection));
        }
        Ok(Self { client, connections: Arc::new(connections), _sandbox: None })
    }

    /// What works with them and with `journal`.
    pub(super) fn services(
        &self,
        session: &Session,
        workspace: &Workspace,
        journal: Arc<dyn Journal>,
    ) -> Services {
        Services {
            journal,
            client: self.client.clone(),
            clock: Clock::system(),
            connections: Arc::clone(&self.connections),
            env: Arc::new(workspace.env_values()),
            redactor: Arc::new(session.streams.redactor.clone()),
        }
    }

    /// Waits for tokens that are being fetched: a lost refresh token cannot be fetched again.
    pub(super) async fn finish_token_requests(&self) {
        for connection in self.connections.values() {
            connection.finish_token_requests().await;
        }
    }

    /// Keeps what was counted of requests, as soon as the store takes it.
    pub(super) async fn save_counters(&self) {
        futures::future::join_all(self.connections.values().map(|connection| connection.save_counters()))
            .await;
    }

    /// Connections that spend from the same counters of an API share them, which are kept in `store`.
    pub(super) fn share_limits(&self, store: Option<Arc<dyn LimitStore>>) {
        let limiters = Limiters::new(store, Clock::system());
        self.connections.values().for_each(|connection| connection.budget.join(&limiters));
    }

    /// To a sandbox in this process, on a free port of this machine.
    pub(super) async fn to_sandbox(workspace: &Workspace) -> Result<Self, Failure> {
        let scripts = sandbox_scripts(&workspace.root).map_err(Failure::workspace)?;
        let options = Options { scripts, ..Options::default() };
        let sandbox = Sandbox::new(Arc::clone(&workspace.catalog), options).map_err(Failure::problem)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let running = sandbox
            .serve(address)
            .await
            .context("the sandbox cannot listen")
            .map_err(Failure::unavailable)?;
        let clock = Clock::system();
        let client = client(workspace, &clock)?;
        let mut connections = IndexMap::new();
        for account in workspace.accounts.values() {
            let name = &account.connector.connector;
            let (auth, settings) = (sandbox.credential(name), sandbox.settings(name));
            let base_url = running.base_url(name);
            let connection = account
                .stand_in(&base_url, auth, settings, &client.http(), &clock)
                .map_err(Failure::problem)?;
            connections.insert(account.name.clone(), Arc::new(connection));
        }
        Ok(Self { client, connections: Arc::new(connections), _sandbox: Some(running) })
    }
}

fn client(workspace: &Workspace, clock: &Clock) -> Result<Client, Failure> {
    let files = FileFolders { root: workspace.root.clone(), allowed: workspace.files.clone() };
    let settings = ClientSettings { downloads: workspace.downloads(), files, ..ClientSettings::default() };
    Client::new(settings, clock.clone()).map_err(Failure::unavailable)
}
