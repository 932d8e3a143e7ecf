//! Everything that works together while recipes run.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use indexmap::IndexMap;
use tempfile::TempDir;
use tokio::sync::watch;

use super::command::Run;
use super::progress::Progress;
use crate::check::CheckedRecipe;
use crate::cli::connect::Connected;
use crate::cli::runtime::StopSignal;
use crate::cli::{ExitCode, Failure, Session, store};
use crate::clock::Clock;
use crate::engine::{Engine, Options, RecipeBook, World};
use crate::journal::{Access, Journal, Sqlite};
use crate::recipe::Trigger;
use crate::server::{Server, Settings, bind, serve};
use crate::trigger::webhook::{AppSettings, Receiver};
use crate::trigger::{Surroundings, Triggers};
use crate::workspace::Workspace;

/// Longest wait for connections of the server to end, once everything else has.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Triggers, engine and, where webhooks are received, a server.
pub(super) struct House {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) triggers: Triggers,
    pub(super) engine: Engine,
    pub(super) connected: Connected,
    pub(super) recipes: Vec<CheckedRecipe>,
    pub(super) progress: Progress,
    listen: Option<SocketAddr>,
    server: Server,
    /// The store of a dry run; gone with this.
    _passing: Option<TempDir>,
}

impl House {
    /// Connects, and opens the store.
    pub(super) async fn open(
        run: &Run,
        session: &mut Session,
        workspace: &Workspace,
        recipes: Vec<CheckedRecipe>,
    ) -> Result<Self, Failure> {
        let connected = match run.sandbox {
            true => Connected::to_sandbox(workspace).await?,
            false => Connected::to_world(session, workspace)?,
        };
        let (journal, passing) = open_store(run, workspace)?;
        let clock = Clock::system();
        let progress = Progress::new(run.once && session.streams.errors_is_terminal);
        let connections = Arc::new(connected.connections.clone());
        let env = Arc::new(workspace.env_values());
        let around = Surroundings {
            journal: Arc::clone(&journal),
            client: connected.client.clone(),
            clock: clock.clone(),
            connections: Arc::clone(&connections),
            env: Arc::clone(&env),
            on_page: progress.on_page(),
        };
        let receiver = Receiver::new(&workspace.catalog, &recipes, around.clone(), &apps(workspace));
        let server = Server::new(
            Arc::clone(&journal),
            receiver.map_err(Failure::problem)?,
            connected.client.clone(),
            clock.clone(),
            Settings::default(),
        );
        let world = World {
            journal: Arc::clone(&journal),
            recipes: RecipeBook::new(recipes.clone()),
            connections,
            client: connected.client.clone(),
            clock,
            env,
            redactor: Arc::new(workspace.redactor.clone()),
        };
        let concurrency = usize::from(run.concurrency);
        let options = Options { concurrency, dry_run: run.dry_run, ..Options::default() };
        Ok(Self {
            triggers: Triggers::new(&recipes, around).map_err(Failure::problem)?,
            engine: Engine::new(world, options),
            listen: run.listen.or(workspace.listen),
            journal,
            connected,
            recipes,
            progress,
            server,
            _passing: passing,
        })
    }

    /// Works until it is asked to stop.
    pub(super) async fn keep_running(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let signal = StopSignal::listen()?;
        let (stop, stopped) = watch::channel(false);
        let listener = match self.listen {
            Some(address) => Some(bind(address).await.map_err(Failure::world)?),
            None => None,
        };
        self.greet(session, listener.as_ref().and_then(|listener| listener.local_addr().ok()));
        let receiving = listener.map(|listener| {
            let (server, stopped) = (self.server.clone(), stopped.clone());
            tokio::spawn(async move { serve(&server, listener, stopped).await })
        });
        let mut receiving = std::pin::pin!(async {
            match receiving {
                Some(task) => task.await.context("the server broke").and_then(|ended| Ok(ended?)),
                None => std::future::pending().await,
            }
        });
        let engine_stopped = async {
            let mut stopped = stopped.clone();
            // A sender that is gone means the same.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let mut working = std::pin::pin!(async {
            tokio::join!(self.engine.run(engine_stopped), self.triggers.run(stopped.clone()));
        });
        let failure = tokio::select! {
            () = signal.requested() => None,
            () = &mut working => None,
            ended = &mut receiving => ended.err(),
        };
        stop.send_replace(true);
        working.await;
        tokio::time::timeout(LAST_ANSWERS, receiving).await.ok();
        match failure {
            Some(failure) => Err(Failure::world(failure)),
            None => Ok(ExitCode::Fine),
        }
    }

    /// Ends all writing.
    pub(super) async fn close(&self) {
        self.connected.settle().await;
        self.journal.close().await;
    }

    fn greet(&self, session: &mut Session, listening: Option<SocketAddr>) {
        let count = self.recipes.len();
        let recipes = if count == 1 { "1 recipe".to_owned() } else { format!("{count} recipes") };
        session.streams.note(format!("running {recipes}; Ctrl-C stops"));
        let waits = |recipe: &&CheckedRecipe| matches!(recipe.trigger(), Trigger::Webhook(_));
        let waiting: Vec<&str> = self.recipes.iter().filter(waits).map(CheckedRecipe::name).collect();
        match listening {
            Some(address) => session.streams.note(format!("listening at http://{address}")),
            None if waiting.is_empty() => {}
            None => session.streams.note(format!(
                "warning: nothing receives the webhooks of {}; --listen or `server: {{ listen: … }}` does",
                waiting.join(", ")
            )),
        }
    }
}

fn open_store(run: &Run, workspace: &Workspace) -> Result<(Arc<dyn Journal>, Option<TempDir>), Failure> {
    if !run.dry_run {
        return Ok((store::open(workspace, Access::Runner)?, None));
    }
    let folder = TempDir::new().context("no place for a passing store").map_err(Failure::world)?;
    let journal = Sqlite::open(&folder.path().join("dry-run.db"), Access::Runner).map_err(Failure::world)?;
    Ok((Arc::new(journal), Some(folder)))
}

fn apps(workspace: &Workspace) -> IndexMap<String, AppSettings> {
    let settings = workspace.webhooks.iter().map(|(connector, webhooks)| {
        let signatures = webhooks.signatures.clone().unwrap_or_default();
        (connector.clone(), AppSettings { unverified: webhooks.unverified.unwrap_or_default(), signatures })
    });
    settings.collect()
}
