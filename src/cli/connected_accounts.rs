//! The connections of a workspace, to the real APIs or to a sandbox in this process.

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

/// Connections, and what keeps them working.
pub(super) struct ConnectedAccounts {
    /// Sends requests.
    pub(super) client: Client,
    /// Connections by name.
    pub(super) connections: Arc<IndexMap<String, Arc<Connection>>>,
    /// The sandbox that they lead to; stopped on drop.
    _sandbox: Option<RunningSandbox>,
}

impl ConnectedAccounts {
    /// Connections to the APIs in hob.yaml. Unset variables are reported; those of a connection affect only what uses
    /// it.
    pub(super) fn to_apis(session: &mut Session, workspace: &Workspace) -> Result<Self, Failure> {
        if !workspace.unset.diagnostics.is_empty() {
            session.show(&workspace.unset);
        }
        if workspace.lacks_variables() {
            return Err(Self::unset());
        }
        Self::ignoring_unset_variables(workspace)
    }

    /// The failure because of unset variables.
    pub(super) fn unset() -> Failure {
        let reason =
            "hob.yaml needs variables that are not set; set them, or use --sandbox, which needs none";
        Failure::problem(anyhow!(reason))
    }

    /// Connections to the APIs in hob.yaml with or without credentials, for commands that send nothing.
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

    /// The services with these connections and `journal`.
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

    /// Waits for token requests in flight: a lost refresh token cannot be fetched again.
    pub(super) async fn finish_token_requests(&self) {
        for connection in self.connections.values() {
            connection.finish_token_requests().await;
        }
    }

    /// Stores the counters of requests, as soon as the store accepts it.
    pub(super) async fn save_counters(&self) {
        futures::future::join_all(self.connections.values().map(|connection| connection.save_counters()))
            .await;
    }

    /// Lets connections with the same counters share them, and stores the counters in `store`.
    pub(super) fn share_limits(&self, store: Option<Arc<dyn LimitStore>>) {
        let limiters = Limiters::new(store, Clock::system());
        self.connections.values().for_each(|connection| connection.budget.join(&limiters));
    }

    /// Connections to a sandbox in this process, on a free local port.
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
