//! `hob run`: journal, triggers, engine and server, wired together.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use futures::FutureExt;
use futures::future::FusedFuture;
use indexmap::IndexMap;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::dashboard::{dashboard, shown};
use super::dashboard_notice;
use super::hold_recorder::HoldRecorder;
use super::indexing::Indexing;
use super::listening::listener;
use super::observers::Observers;
use super::progress::Progress;
use super::recipe_selection::RecipeSelection;
use super::reload::{Change, RecipeWatch, Reloaded, reloaded};
use super::retention::{prune_regularly, prune_some};
use super::wait_notices;
use crate::check::{CheckedRecipe, WorkspaceInfo};
use crate::cli::connected_accounts::ConnectedAccounts;
use crate::cli::dry_run::DryRow;
use crate::cli::recipes::{BrokenRecipe, Recipes};
use crate::cli::runtime::StopSignal;
use crate::cli::{ExitCode, Failure, Session, dry_run, store};
use crate::clock::Clock;
use crate::dashboard::Dashboard;
use crate::engine::{Engine, JournalLimits, Options, RecipeVersions};
use crate::journal::{Access, Journal};
use crate::recipe::Trigger;
use crate::run::{LoopLimit, RunId};
use crate::server::{Server, Settings, bind, serve};
use crate::services::Services;
use crate::trigger::webhook::{AppSettings, Receiver, keys};
use crate::trigger::{Claims, TriggerContext, Triggers};
use crate::workspace::{Loops, Metrics, Workspace};

/// Longest wait for the server's connections after everything else has stopped.
const SERVER_STOP_TIMEOUT: Duration = Duration::from_millis(500);
/// How often a continuous dry run is checked for results.
const DRY_RUN_INTERVAL: Duration = Duration::from_millis(300);
/// Longest wait for the store's last writes.
const STORE_CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Options of a service.
#[derive(Debug, Clone)]
pub(super) struct ServiceOptions {
    /// The selected recipes.
    pub(super) recipes: RecipeSelection,
    /// Do what is due now and end.
    pub(super) once: bool,
    /// Send and store nothing that changes anything.
    pub(super) dry_run: bool,
    /// Connections lead to a sandbox.
    pub(super) sandbox: bool,
    /// Address for webhooks, if not that of the workspace.
    pub(super) listen: Option<SocketAddr>,
    /// Runs in progress at the same time.
    pub(super) concurrency: usize,
    /// Duration of a lease without renewal.
    pub(super) lease: Duration,
}

/// Triggers, engine and, if webhooks are received, a server.
pub(super) struct Service {
    pub(super) options: ServiceOptions,
    pub(super) services: Services,
    pub(super) triggers: Triggers,
    pub(super) engine: Engine,
    pub(super) recipes: Vec<CheckedRecipe>,
    /// Recipes that could not run at the start.
    pub(super) left_out: Vec<BrokenRecipe>,
    pub(super) progress: Progress,
    connected: ConnectedAccounts,
    /// The engine's recipes.
    pub(super) recipe_versions: RecipeVersions,
    trigger_context: TriggerContext,
    server: Server,
    dashboard: Dashboard,
    holds: HoldRecorder,
    /// `None` in a dry run, in which nothing is wrong yet.
    observers: Option<Observers>,
    /// This process among those that share the store.
    owner: String,
    /// The store of a dry run; deleted on drop.
    _temporary_store: Option<TempDir>,
}

/// The current recipes with their triggers.
struct ActiveRecipes {
    recipes: Vec<CheckedRecipe>,
    /// `None` for the initial recipes.
    triggers: Option<Triggers>,
}

impl Service {
    /// Creates the connections and opens the store.
    pub(super) async fn open(
        options: ServiceOptions,
        session: &mut Session,
        workspace: &Workspace,
        loaded: Recipes,
    ) -> Result<Self, Failure> {
        let Recipes { sound: recipes, broken: left_out, .. } = loaded;
        session.streams.hide(keys(&recipes, &workspace.env_values(), Clock::system().now()));
        let connected = connect(&options, session, workspace).await?;
        let (journal, temporary_store) = open_store(&options, workspace).await?;
        // A sandbox in this process starts with new counters.
        connected.share_limits((!options.sandbox).then(|| JournalLimits::shared(&journal)));
        let services = connected.services(session, workspace, journal);
        let holds = HoldRecorder::start(&services).await?;
        let progress = Progress::new(options.once && session.streams.errors_is_terminal);
        let engine_options = options.of_engine(&workspace.loops);
        let owner = engine_options.owner.clone();
        let trigger_context = TriggerContext {
            services: services.clone(),
            claims: Claims::new(owner.clone(), options.lease),
            on_page: progress.on_page(),
        };
        let recipe_versions = RecipeVersions::new(recipes.clone())
            .with_checker(Arc::clone(&workspace.catalog), usable_connections(workspace));
        let engine = Engine::new(services.clone(), recipe_versions.clone(), engine_options);
        let open_metrics = workspace.metrics == Metrics::Open;
        let settings = Settings { keeps: !options.dry_run, open_metrics, ..Settings::default() };
        let receiver = receiver(workspace, &recipes, &left_out, &services);
        let observers = (!options.dry_run).then(|| {
            Observers::new(workspace, &services, &recipe_versions, engine.counters(), &owner, options.once)
        });
        Ok(Self {
            dashboard: dashboard(&services, workspace, options.sandbox, shown(&recipes, &left_out)),
            triggers: Triggers::new(&recipes, trigger_context.clone()).map_err(Failure::problem)?,
            server: Server::new(services.clone(), receiver, Arc::clone(engine.counters()), settings),
            options,
            services,
            engine,
            recipes,
            left_out,
            progress,
            connected,
            recipe_versions,
            trigger_context,
            holds,
            observers,
            owner,
            _temporary_store: temporary_store,
        })
    }

    /// Runs until stopped, and reloads edited recipes.
    pub(super) async fn keep_running(
        &self,
        session: &mut Session,
        workspace: &Workspace,
    ) -> Result<ExitCode, Failure> {
        let signal = StopSignal::listen()?;
        let (stop, stopped) = watch::channel(false);
        let ServiceOptions { listen, sandbox, dry_run, .. } = self.options;
        let listener = match listen.or(workspace.listen) {
            // A dry run listens only where it is told to.
            None if dry_run => None,
            set => listener(set, sandbox, session).await?,
        };
        let metrics = match workspace.metrics {
            Metrics::At(address) => Some(bind(address).await.map_err(Failure::unavailable)?),
            Metrics::Open | Metrics::Closed => None,
        };
        let mut edits = RecipeWatch::start(self.options.recipes.watched(session, workspace));
        if let Some(address) = metrics.as_ref().and_then(|listener| listener.local_addr().ok()) {
            session.streams.note(format!("metrics at http://{address}/metrics"));
        }
        let listening = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        self.print_start(session, workspace, listening);
        let mut receiving = std::pin::pin!(self.receive(listener, metrics, stopped.clone()));
        let mut working = std::pin::pin!(self.engine.run(stop_requested(stopped)).fuse());
        let Services { journal, clock, .. } = &self.services;
        let indexing = Indexing::of(&workspace.catalog, &self.owner);
        let mut upkeep = std::pin::pin!(async {
            let pruning = prune_regularly(journal.as_ref(), &workspace.history, clock);
            let observing = async {
                match &self.observers {
                    Some(observers) => observers.regularly().await,
                    None => std::future::pending().await,
                }
            };
            tokio::join!(pruning, indexing.regularly(journal.as_ref(), clock), observing);
        });
        let mut signal = std::pin::pin!(signal.requested());
        let mut stop_requested_twice = std::pin::pin!(StopSignal::listen()?.requested_twice());
        let mut printed = BTreeSet::new();
        let mut active = ActiveRecipes { recipes: self.recipes.clone(), triggers: None };
        let failure = loop {
            let (halt, halted) = watch::channel(false);
            let next = {
                let triggers = active.triggers.as_ref().unwrap_or(&self.triggers);
                let mut triggers = std::pin::pin!(triggers.run(halted).fuse());
                let next = loop {
                    tokio::select! {
                        () = &mut signal => break Err(None),
                        () = &mut working => break Err(None),
                        ended = &mut receiving => break Err(ended.err()),
                        () = &mut triggers => break Err(None),
                        () = &mut upkeep => break Err(None),
                        rows = self.next_dry_run_rows(&mut printed), if self.options.dry_run => {
                            dry_run::print(&rows, &mut session.streams).map_err(Failure::from)?;
                            session.streams.output.flush().map_err(Failure::from)?;
                        }
                        () = edits.changed() => {
                            if let Some(next) = self.reload(session, workspace, &active.recipes) {
                                break Ok(next);
                            }
                        }
                    }
                };
                // A poll in progress is interrupted, and the next one continues it. The engine renews its leases
                // meanwhile; on shutdown both stop at the same time.
                halt.send_replace(true);
                stop.send_replace(next.is_err());
                while !triggers.is_terminated() || (next.is_err() && !working.is_terminated()) {
                    tokio::select! {
                        () = &mut triggers => {}
                        () = &mut working => {}
                        // Requests in flight are in doubt at the next start, as after a crash.
                        () = &mut stop_requested_twice => break,
                    }
                }
                next
            };
            match next {
                Ok(next) => active = next,
                Err(failure) => break failure,
            }
        };
        tokio::time::timeout(SERVER_STOP_TIMEOUT, receiving).await.ok();
        match failure {
            Some(failure) => Err(Failure::unavailable(failure)),
            None => Ok(ExitCode::Fine),
        }
    }

    /// New results of a continuous dry run.
    async fn next_dry_run_rows(&self, printed: &mut BTreeSet<RunId>) -> Vec<DryRow> {
        loop {
            tokio::time::sleep(DRY_RUN_INTERVAL).await;
            // A store in a temporary folder is not unreachable for long.
            let rows = dry_run::rows(self.services.journal.as_ref(), &self.recipe_versions, Some(printed))
                .await
                .unwrap_or_default();
            if !rows.is_empty() {
                return rows;
            }
        }
    }

    /// Serves webhooks at `listener` and metrics at `metrics` until stopped.
    async fn receive(
        &self,
        listener: Option<TcpListener>,
        metrics: Option<TcpListener>,
        stopped: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let pages = self.dashboard.router(stopped.clone());
        let receiving = answer(self.server.router_with(pages), listener, stopped.clone());
        let telling = answer(self.server.metrics_router(), metrics, stopped);
        tokio::try_join!(receiving, telling).map(drop)
    }

    /// Applies edited recipes to engine, webhooks and triggers together. `None` if nothing has changed, or the new
    /// ones cannot be used.
    fn reload(
        &self,
        session: &mut Session,
        workspace: &Workspace,
        before: &[CheckedRecipe],
    ) -> Option<ActiveRecipes> {
        let loaded = match self.options.recipes.load(session, workspace) {
            Ok(loaded) => loaded,
            Err(failure) => {
                tracing::warn!("recipes stay as they were: {failure}");
                return None;
            }
        };
        loaded.reports.iter().filter(|report| report.has_errors()).for_each(|report| session.show(report));
        let Reloaded { recipes, changes, kept } = reloaded(before, loaded.sound, &loaded.broken);
        for recipe in &kept {
            tracing::warn!(recipe, "its file has mistakes; the version loaded before stays in use");
        }
        let is_kept = |broken: &&BrokenRecipe| broken.recipe.as_ref().is_some_and(|name| kept.contains(name));
        let broken: Vec<BrokenRecipe> = loaded.broken.iter().filter(|b| !is_kept(b)).cloned().collect();
        let receiver = receiver(workspace, &recipes, &broken, &self.services);
        if changes.is_empty() {
            // The receiver must know about broken recipes that appeared or disappeared.
            self.server.swap(receiver);
            self.dashboard.swap(shown(&recipes, &loaded.broken));
            return None;
        }
        let triggers = Triggers::new(&recipes, self.trigger_context.clone());
        match triggers {
            Ok(triggers) => {
                self.recipe_versions.replace(recipes.clone());
                self.server.swap(receiver);
                self.dashboard.swap(shown(&recipes, &loaded.broken));
                changes.iter().for_each(Change::log);
                tracing::info!("recipes reloaded");
                Some(ActiveRecipes { recipes, triggers: Some(triggers) })
            }
            Err(error) => {
                tracing::warn!(%error, "recipes stay as they were");
                None
            }
        }
    }

    /// Prunes and indexes a limited amount, and tells what is wrong.
    pub(super) async fn upkeep(&self, workspace: &Workspace) {
        let Services { journal, clock, .. } = &self.services;
        prune_some(journal.as_ref(), &workspace.history, clock).await;
        Indexing::of(&workspace.catalog, &self.owner).some(journal.as_ref(), clock).await;
        if let Some(observers) = &self.observers {
            observers.once().await;
        }
    }

    /// Ends all writing. Answered writes are kept; writes that wait for an unreachable store do not delay the end.
    pub(super) async fn close(&self) {
        self.connected.finish_token_requests().await;
        let last = async {
            self.connected.save_counters().await;
            self.holds.end().await;
            self.services.journal.close().await;
        };
        if tokio::time::timeout(STORE_CLOSE_TIMEOUT, last).await.is_err() {
            tracing::warn!(
                "the store does not answer; what it was to keep last is done again at the next start"
            );
        }
    }

    fn print_start(&self, session: &mut Session, workspace: &Workspace, listening: Option<SocketAddr>) {
        let count = self.recipes.len();
        let recipes = if count == 1 { "1 recipe".to_owned() } else { format!("{count} recipes") };
        session.streams.note(format!("running {recipes}; Ctrl-C stops"));
        let waits = |recipe: &&CheckedRecipe| matches!(recipe.trigger(), Trigger::Webhook(_));
        let waiting: Vec<&str> = self.recipes.iter().filter(waits).map(CheckedRecipe::name).collect();
        match listening {
            Some(address) => {
                session.streams.note(format!("listening at http://{address}"));
                session.streams.note(dashboard_notice::notice(address, &workspace.access));
            }
            None if waiting.is_empty() => {}
            None => session.streams.note(format!(
                "warning: webhooks for {} are not received; add --listen, or `server: {{ listen: … }}` in hob.yaml",
                waiting.join(", ")
            )),
        }
    }
}

/// Resolves once shutdown is requested.
async fn stop_requested(mut stopped: watch::Receiver<bool>) {
    // A closed channel means stop, too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

impl ServiceOptions {
    fn of_engine(&self, loops: &Loops) -> Options {
        let usual = LoopLimit::default();
        let loop_limit = LoopLimit {
            of_recipe: loops.runs_per_recipe.unwrap_or(usual.of_recipe),
            of_record: loops.runs_per_record.unwrap_or(usual.of_record),
            ..usual
        };
        Options {
            loop_limit,
            concurrency: self.concurrency,
            lease: self.lease,
            dry_run: self.dry_run,
            isolated: self.sandbox,
            ..Options::default()
        }
    }
}

async fn connect(
    options: &ServiceOptions,
    session: &mut Session,
    workspace: &Workspace,
) -> Result<ConnectedAccounts, Failure> {
    let mut connected = match options.sandbox {
        true => ConnectedAccounts::to_sandbox(workspace).await?,
        false => ConnectedAccounts::to_apis(session, workspace)?,
    };
    if options.once {
        connected.client = connected.client.with_wait_notices(wait_notices::notices(Clock::system()));
    }
    Ok(connected)
}

async fn open_store(
    options: &ServiceOptions,
    workspace: &Workspace,
) -> Result<(Arc<dyn Journal>, Option<TempDir>), Failure> {
    if !options.dry_run {
        return Ok((store::open(workspace, Access::Runner).await?, None));
    }
    let (journal, folder) = dry_run::temporary_store(workspace, true).await?;
    Ok((journal, Some(folder)))
}

/// Serves requests at `listener`, if there is one, until stopped.
async fn answer(
    router: Router,
    listener: Option<TcpListener>,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let Some(listener) = listener else {
        stop_requested(stopped).await;
        return Ok(());
    };
    let task = tokio::spawn(serve(router, listener, stopped));
    task.await.context("the server broke")?.map_err(Into::into)
}

/// A receiver for `recipes`; senders to `broken` ones are asked to retry.
fn receiver(
    workspace: &Workspace,
    recipes: &[CheckedRecipe],
    broken: &[BrokenRecipe],
    services: &Services,
) -> Receiver {
    let receiver = Receiver::new(&workspace.catalog, recipes, services.clone(), &app_settings(workspace));
    receiver.waiting_for(broken.iter().flat_map(|recipe| recipe.listeners.clone()))
}

/// What runs with an earlier version of their recipe may use: no connections with unset variables.
fn usable_connections(workspace: &Workspace) -> WorkspaceInfo {
    let mut workspace_info = workspace.info();
    workspace_info.connections.retain(|name, _| workspace.accounts[name].unset.is_empty());
    workspace_info
}

fn app_settings(workspace: &Workspace) -> IndexMap<String, AppSettings> {
    let settings = workspace.webhooks.iter().map(|(connector, webhooks)| {
        let signatures = webhooks.signatures.iter().flatten().map(|signature| signature.value.clone());
        let settings = AppSettings {
            unverified: webhooks.unverified.unwrap_or_default(),
            signatures: signatures.collect(),
            legacy: webhooks.legacy_signatures.unwrap_or_default(),
        };
        (connector.clone(), settings)
    });
    settings.collect()
}
