//! The program as its users meet it.

#[path = "cli/auth.rs"]
mod auth;
#[path = "cli/canary.rs"]
mod canary;
#[path = "postgres/mod.rs"]
mod cluster;
#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/connectors.rs"]
mod connectors;
#[path = "cli/dry_runs.rs"]
mod dry_runs;
#[path = "cli/files.rs"]
mod files;
#[path = "cli/gallery.rs"]
mod gallery;
#[path = "cli/held.rs"]
mod held;
#[path = "cli/limits.rs"]
mod limits;
#[path = "cli/listening.rs"]
mod listening;
#[path = "cli/lists.rs"]
mod lists;
#[path = "cli/moving.rs"]
mod moving;
#[path = "cli/odd_files.rs"]
mod odd_files;
#[path = "cli/operations.rs"]
mod operations;
#[path = "cli/outcomes.rs"]
mod outcomes;
#[path = "cli/outgoing.rs"]
mod outgoing;
#[path = "cli/pausing.rs"]
mod pausing;
#[path = "cli/postgres.rs"]
mod postgres;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/reload.rs"]
mod reload;
#[path = "cli/rulings.rs"]
mod rulings;
#[path = "cli/runs.rs"]
mod runs;
#[path = "cli/scopes.rs"]
mod scopes;
#[path = "cli/shown.rs"]
mod shown;
#[path = "cli/stand_in.rs"]
mod stand_in;
#[path = "cli/status.rs"]
mod status;
#[path = "cli/stop.rs"]
mod stop;
#[path = "cli/store.rs"]
mod store;
#[path = "cli/webhook_keys.rs"]
mod webhook_keys;
