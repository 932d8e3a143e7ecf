//! Runs recipes: leases runs from the journal, asks the pure machine for the next command, executes it, and records
//! the result. It decides nothing itself and does not depend on triggers.

mod builtin;
mod counters;
mod dispatch;
mod dry_run;
mod echo_evidence;
mod first_attempt;
mod found_links;
mod journal_limits;
mod known_records;
mod latency;
mod leases;
mod link_end;
mod missing_recipe;
mod not_kept;
mod offload;
mod options;
mod pages;
mod pair_base;
mod paused;
mod probe_runner;
mod recipe_choice;
mod recipe_versions;
mod record_history;
mod recorder;
mod run_context;
mod saved_recipes;
mod seen_before;
mod shared;
mod slots;
mod step_context;
mod step_executor;
mod step_outcome;
mod store_retry;
mod unchanged_writes;
mod unless_stopped;
mod worker;

pub use counters::{CountedWrite, EndedRun, RunCounters, WriteCount};
pub use dispatch::{Engine, Idle};
pub use journal_limits::JournalLimits;
pub use latency::{BOUNDS, Latency};
pub use options::Options;
pub use recipe_versions::RecipeVersions;

#[cfg(test)]
mod tests;
