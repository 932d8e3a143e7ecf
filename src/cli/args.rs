//! The command line's grammar: global options and the list of subcommands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::call::Call;
use super::catalog::CatalogCommand;
use super::completions::Completions;
use super::connections::Connections;
use super::consent::Connect;
use super::import_openapi::ImportCommand;
use super::init::Init;
use super::run::Run;
use super::runs::RunsCommand;
use super::sandbox::Sandbox;
use super::schema::SchemaCommand;
use super::store::StoreCommand;
use super::trigger::Trigger;
use super::validate::Validate;

/// Runs YAML recipes between HighLevel and the apps beside it: checked, durable, never twice.
#[derive(Debug, Parser)]
#[command(
    name = "hob",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[command(after_help = "Exit codes: 0 fine, 1 the thing checked or run has problems, 2 wrong usage or \
unreadable input, 3 the world failed (store, port, network).\n\n\
Examples:\n  hob init my-studio\n  hob validate\n  hob run --sandbox --once\n  hob catalog list contact")]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// The folder with hob.yaml [default: found upwards from here or from the first PATH]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub workspace: Option<PathBuf>,
    /// How much to log to standard error: error, warn, info, debug, trace, or a filter per module
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Global options")]
    pub log_level: Option<String>,
    /// Log as lines of text or of JSON
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Global options"
    )]
    pub log_format: LogFormat,
    /// Log more; twice for everything
    #[arg(long, short, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// No colours; NO_COLOR in the environment does the same
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_color: bool,
}

/// How to write the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

/// How to write a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For scripts.
    Json,
}

/// The `--format` of listings.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Output {
    /// Write for people or for scripts
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a workspace that validates and runs in the sandbox at once
    Init(Init),
    /// Check hob.yaml and recipes, and show every mistake with its place
    Validate(Validate),
    /// Run recipes: poll, receive webhooks, keep schedules, perform the actions
    Run(Run),
    /// Hand an event of your own to a recipe
    Trigger(Trigger),
    /// Look up operations and their inputs
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Send one operation and print its result
    Call(Call),
    /// Ask the history, and decide about what failed
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Look at the store, and move it
    #[command(subcommand)]
    Store(StoreCommand),
    /// Connect an account of an OAuth app: you consent in the browser
    Connect(Connect),
    /// List the workspace's connections
    Connections(Connections),
    /// Serve stand-ins for the APIs, filled with example data
    Sandbox(Sandbox),
    /// Make a connector from descriptions of an API
    #[command(subcommand)]
    Import(ImportCommand),
    /// Print a JSON Schema for editors
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Print completions for a shell
    Completions(Completions),
}
