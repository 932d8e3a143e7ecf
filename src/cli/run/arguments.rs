//! The arguments of `hob run`, and the recipes they select.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use super::recipe_selection::RecipeSelection;
use super::service::ServiceOptions;
use crate::cli::recipes::Recipes;
use crate::cli::{Failure, Output, Session};
use crate::value::parse_duration;
use crate::workspace::{BadAddress, Workspace, parse_listen};

/// Run recipes: poll, receive webhooks, follow schedules, perform the actions
#[derive(Debug, Args)]
#[command(
    after_help = "Without --once it runs until Ctrl-C or SIGTERM, and finishes requests in progress first. \
With --once it exits with 1 if a run failed or was parked, a poll failed, or a recipe was left out.\n\n\
Examples:\n  hob run\n  hob run --once\n  hob run examples/quickstart --sandbox --once\n  \
hob run recipes/new-client.yaml --dry-run --once\n  hob run --listen 0.0.0.0:8787"
)]
pub struct Run {
    /// Recipe files or folders, or a workspace [default: all recipes of the workspace]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Take what is due now, run until nothing is left, print a summary
    #[arg(long)]
    pub(super) once: bool,
    /// Show what would be sent, but send nothing that changes anything and store nothing; with --listen, also
    /// for webhooks, until it is stopped
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Use stand-ins with example data instead of the real APIs, and a store apart from the real one
    #[arg(long)]
    pub(super) sandbox: bool,
    /// Receive webhooks and show the dashboard at this address; port 0 picks a free port [default: `server.listen` of
    /// hob.yaml, or 127.0.0.1:8787 if that is free]
    #[arg(long, value_name = "ADDR", value_parser = listen, conflicts_with = "once")]
    pub(super) listen: Option<SocketAddr>,
    /// Stop if a recipe cannot run, instead of running the others
    #[arg(long)]
    pub(super) strict: bool,
    /// How many runs to work on at the same time: an eighth is kept for runs of webhooks, schedules and `hob trigger`, and
    /// backfills take three quarters at most
    #[arg(long, value_name = "COUNT", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) concurrency: u16,
    /// How long a process that gives no sign of life keeps its runs, if several share a store
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = lease)]
    pub(super) lease: Duration,
    #[command(flatten)]
    pub(super) output: Output,
}

/// Leases are renewed three times per duration; shorter ones would load the store.
const MIN_LEASE: Duration = Duration::from_secs(1);

fn lease(text: &str) -> Result<Duration, String> {
    let lease = parse_duration(text).map_err(|error| error.to_string())?;
    match lease < MIN_LEASE {
        true => Err(format!("`{text}` is too short; the minimum is 1s")),
        false => Ok(lease),
    }
}

fn listen(text: &str) -> Result<SocketAddr, BadAddress> {
    parse_listen(text)
}

impl Run {
    /// Whether it runs until stopped.
    pub fn keeps_running(&self) -> bool {
        !self.once && (!self.dry_run || self.listen.is_some())
    }

    /// The options of the service.
    pub(super) fn service_options(&self) -> ServiceOptions {
        ServiceOptions {
            recipes: self.selection(),
            once: self.once,
            dry_run: self.dry_run,
            sandbox: self.sandbox,
            listen: self.listen,
            concurrency: usize::from(self.concurrency),
            lease: self.lease,
        }
    }

    fn selection(&self) -> RecipeSelection {
        let receives = self.keeps_running();
        RecipeSelection { paths: self.paths.clone(), sandbox: self.sandbox, receives }
    }

    /// The recipes to run. Broken ones are reported and do not stop the others.
    pub(super) fn recipes(&self, session: &mut Session, workspace: &Workspace) -> Result<Recipes, Failure> {
        let recipes = self.selection().load(session, workspace)?;
        recipes.show(session);
        let broken = recipes.broken.len();
        let all = recipes.sound.len() + broken;
        if all == 0 {
            let place = session.shown(&workspace.root.join("recipes"));
            return Err(Failure::usage(anyhow!("no recipes in {place}; `hob init` makes one to start from")));
        }
        for recipe in &recipes.broken {
            session.streams.note(format!("warning: left out: {recipe}"));
        }
        let failing = broken + recipes.closed_paths;
        if failing > 0 && (self.strict || recipes.sound.is_empty()) {
            return Err(Failure::problem(anyhow!("{failing} of {all} recipes cannot run")));
        }
        Ok(recipes)
    }
}
