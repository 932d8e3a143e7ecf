//! The program from its users' point of view.

#[path = "cli/alert_kinds.rs"]
mod alert_kinds;
#[path = "cli/alert_sinks.rs"]
mod alert_sinks;
#[path = "cli/alerts.rs"]
mod alerts;
#[path = "cli/allowance.rs"]
mod allowance;
#[path = "cli/audit.rs"]
mod audit;
#[path = "cli/auth.rs"]
mod auth;
#[path = "cli/backfill.rs"]
mod backfill;
#[path = "cli/backup_under_load.rs"]
mod backup_under_load;
#[path = "cli/budgets.rs"]
mod budgets;
#[path = "cli/canary.rs"]
mod canary;
#[path = "cli/changes.rs"]
mod changes;
#[path = "postgres/cluster.rs"]
mod cluster;
#[path = "postgres/cluster_user.rs"]
mod cluster_user;
#[path = "cli/coalesce.rs"]
mod coalesce;
#[path = "cli/code_examples.rs"]
mod code_examples;
#[path = "cli/code_hosts.rs"]
mod code_hosts;
#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/connection_holds.rs"]
mod connection_holds;
#[path = "cli/connectors.rs"]
mod connectors;
#[path = "cli/dashboard.rs"]
mod dashboard;
#[path = "cli/dashboard_access.rs"]
mod dashboard_access;
#[path = "cli/dashboard_attacks.rs"]
mod dashboard_attacks;
#[path = "cli/dashboard_changes.rs"]
mod dashboard_changes;
#[path = "cli/dashboard_client.rs"]
mod dashboard_client;
#[path = "cli/dashboard_try_out.rs"]
mod dashboard_try_out;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/dry_runs.rs"]
mod dry_runs;
#[path = "cli/earlier_versions.rs"]
mod earlier_versions;
#[path = "cli/echoes.rs"]
mod echoes;
#[path = "cli/files.rs"]
mod files;
#[path = "cli/find.rs"]
mod find;
#[path = "cli/fixes.rs"]
mod fixes;
#[path = "cli/fixtures.rs"]
mod fixtures;
#[path = "cli/gallery.rs"]
mod gallery;
#[path = "cli/interrupted_backfill.rs"]
mod interrupted_backfill;
#[path = "cli/kept.rs"]
mod kept;
#[path = "cli/language_client.rs"]
mod language_client;
#[path = "cli/limits.rs"]
mod limits;
#[path = "cli/links.rs"]
mod links;
#[path = "cli/listening.rs"]
mod listening;
#[path = "cli/lists.rs"]
mod lists;
#[path = "cli/loops.rs"]
mod loops;
#[path = "cli/lsp.rs"]
mod lsp;
#[path = "cli/metrics.rs"]
mod metrics;
#[path = "cli/operations.rs"]
mod operations;
#[path = "cli/ordinary_writes.rs"]
mod ordinary_writes;
#[path = "cli/outcomes.rs"]
mod outcomes;
#[path = "cli/outgoing_addresses.rs"]
mod outgoing_addresses;
#[path = "cli/over_parents.rs"]
mod over_parents;
#[path = "cli/pause_resume.rs"]
mod pause_resume;
#[path = "cli/plan.rs"]
mod plan;
#[path = "cli/plan_assumptions.rs"]
mod plan_assumptions;
#[path = "cli/postgres.rs"]
mod postgres;
#[path = "cli/printable_output.rs"]
mod printable_output;
#[path = "cli/problems.rs"]
mod problems;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/recipe_tests.rs"]
mod recipe_tests;
#[path = "cli/reload.rs"]
mod reload;
#[path = "cli/removals.rs"]
mod removals;
#[path = "cli/replay.rs"]
mod replay;
#[path = "cli/retry_skip_resolve.rs"]
mod retry_skip_resolve;
#[path = "cli/rng.rs"]
mod rng;
#[path = "cli/runs.rs"]
mod runs;
#[path = "cli/scopes.rs"]
mod scopes;
#[path = "cli/shared_echoes.rs"]
mod shared_echoes;
#[path = "cli/spawn.rs"]
mod spawn;
#[path = "cli/special_files.rs"]
mod special_files;
#[path = "cli/stand_in.rs"]
mod stand_in;
#[path = "cli/stand_in_workspace.rs"]
mod stand_in_workspace;
#[path = "cli/status.rs"]
mod status;
#[path = "cli/stop.rs"]
mod stop;
#[path = "cli/store.rs"]
mod store;
#[path = "cli/store_migrate.rs"]
mod store_migrate;
#[path = "journal/written_by/stores.rs"]
mod stores;
#[path = "cli/sync_failures.rs"]
mod sync_failures;
#[path = "cli/sync_removals.rs"]
mod sync_removals;
#[path = "cli/sync_workspace.rs"]
mod sync_workspace;
#[path = "cli/syncs.rs"]
mod syncs;
#[path = "cli/telemetry.rs"]
mod telemetry;
#[path = "cli/trace.rs"]
mod trace;
#[path = "cli/unchanged.rs"]
mod unchanged;
#[path = "cli/waiting_runs.rs"]
mod waiting_runs;
#[path = "cli/webhook_keys.rs"]
mod webhook_keys;
#[path = "cli/yaml_language_server.rs"]
mod yaml_language_server;
