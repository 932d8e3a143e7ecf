//! The command line: one file per subcommand. It parses arguments and shows results; the work is done by other
//! modules. The environment is passed in by `main`.

mod accept_removed;
mod acts;
mod args;
mod audit;
mod backfill;
mod call;
mod catalog;
mod completions;
mod connect;
mod connected_accounts;
mod connection_budget;
mod connections;
mod counters;
mod dispatch;
mod doctor;
mod dry_run;
mod dry_writes;
mod exit;
mod expand;
mod explain;
mod find;
mod fixes;
mod import_openapi;
mod init;
mod io;
mod log;
mod log_redactor;
mod lsp;
mod operators;
mod options;
mod pause;
mod plan;
mod recipes;
mod replace_file;
mod run;
mod runs;
mod runtime;
mod sandbox;
mod schema;
mod scopes;
mod session;
mod status;
mod store;
mod table;
mod test;
mod trigger;
mod validate;

mod replay;

pub use args::{Cli, Command};
pub use dispatch::run;
pub use exit::{ExitCode, Failure};
pub use io::{Environment, Streams};
pub use options::{Format, Global, LogFormat, Output, StoreChoice};
pub use session::Session;
