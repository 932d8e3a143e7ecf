//! The command line's grammar: global options and the list of subcommands.

use clap::{Parser, Subcommand};

use super::alerts::AlertsCommand;
use super::audit::Audit;
use super::backfill::Backfill;
use super::call::Call;
use super::catalog::CatalogCommand;
use super::completions::Completions;
use super::connect::Connect;
use super::connections::Connections;
use super::doctor::Doctor;
use super::expand::Expand;
use super::explain::Explain;
use super::find::Find;
use super::import_openapi::ImportCommand;
use super::init::Init;
use super::lsp::Lsp;
use super::operators::OperatorsCommand;
use super::options::Global;
use super::pause::{Pause, Resume};
use super::plan::PlanCommand;
use super::replay::Replay;
use super::run::Run;
use super::runs::RunsCommand;
use super::sandbox::Sandbox;
use super::schema::SchemaCommand;
use super::status::Status;
use super::store::StoreCommand;
use super::test::Test;
use super::trigger::Trigger;
use super::validate::Validate;

/// Runs YAML recipes between HighLevel and your other apps: checked first, nothing lost, nothing done twice.
#[derive(Debug, Parser)]
#[command(
    name = "hob",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 all is well; 1 problems in what was checked, called or run; 2 wrong usage or \
unreadable input; 3 the store, a port or the network failed.\n\n\
Examples:\n  hob init my-studio\n  hob validate\n  hob run --sandbox --once\n  hob catalog list contact"
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a workspace that validates and runs in the sandbox right away
    Init(Init),
    /// Check hob.yaml, recipes and their tests, and show every mistake with its place
    Validate(Validate),
    /// Explain a code of a message
    Explain(Explain),
    /// Run the tests beside recipes
    Test(Test),
    /// Replay recorded runs with recipes as they are now, and show what would be different
    Replay(Replay),
    /// Plan the requests a day against the limits of the APIs, before anything runs
    Plan(PlanCommand),
    /// Show the ordinary recipes that a sync stands for
    Expand(Expand),
    /// Run recipes: poll, receive webhooks, follow schedules, perform the actions
    Run(Run),
    /// Send an event to a recipe
    Trigger(Trigger),
    /// Send a recipe the records that exist already
    Backfill(Backfill),
    /// Tell which records hob missed and which did not get through, and why
    Audit(Audit),
    /// Pause recipes: they poll and start nothing, and their events wait
    Pause(Pause),
    /// Resume paused recipes
    Resume(Resume),
    /// Look up operations and their inputs
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Send one operation and print its result
    Call(Call),
    /// Show an overview: recipes, failing polls, runs that need you
    Status(Status),
    /// List open alerts, and test whom they go to
    #[command(subcommand)]
    Alerts(AlertsCommand),
    /// Tell what happened to a customer or a record: events, runs and writes, across recipes and apps
    Find(Find),
    /// Query the history, and decide about runs that failed or are parked
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Inspect the store, back it up, move it
    #[command(subcommand)]
    Store(StoreCommand),
    /// Make credentials for the dashboard, and show what its operators did
    #[command(subcommand)]
    Operators(OperatorsCommand),
    /// Connect an account through an OAuth app, with your consent in the browser
    Connect(Connect),
    /// List the workspace's connections
    Connections(Connections),
    /// Check that everything hob needs is there and works
    Doctor(Doctor),
    /// Serve stand-ins for the APIs, filled with example data
    Sandbox(Sandbox),
    /// Make a connector from an API description
    #[command(subcommand)]
    Import(ImportCommand),
    /// Print a JSON Schema for editors
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Help editors to write recipes: completion, hover, mistakes, renaming
    Lsp(Lsp),
    /// Print shell completions
    Completions(Completions),
}
