//! The dashboard: pages of `hob run` that tell an operator what is wrong and let them act on it.
//!
//! Pages are rendered here and readable without JavaScript; forms are plain posts. Everything they need is in the
//! binary. What they tell comes from the same questions and acts that the command line uses: this module asks and
//! shows, and decides nothing itself.

mod access;
mod activity;
mod activity_cache;
mod asset;
mod audit_record;
mod budget_uses;
mod catalog;
mod changes;
mod compress;
mod connections;
mod context;
mod find;
mod fix;
mod fleet;
mod format;
mod gzip;
mod markdown;
mod now;
mod operator;
mod page_error;
mod recipe_set;
mod recipes;
mod renderer;
mod router;
mod run;
mod runs;
mod shown_problem;
mod state;
mod status_cache;
mod try_out;
mod under_way;
mod visitor;

pub use access::Actor;
pub use audit_record::AuditRecord;
pub use context::DashboardContext;
pub use operator::{CsrfToken, Operator, Role};
pub use recipe_set::{RecipeSet, UnusableRecipe};
pub use state::Dashboard;
