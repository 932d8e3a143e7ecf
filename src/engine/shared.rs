//! State shared by the parts of an engine.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::counters::RunCounters;
use super::leases::{LeaseGuard, Leases};
use super::offload::Offload;
use super::options::Options;
use super::paused::PausedRecipes;
use super::recipe_versions::RecipeVersions;
use super::record_history::JournalHistory;
use super::saved_recipes::SavedRecipes;
use crate::run::RunId;
use crate::services::Services;

/// State shared by the parts of an engine.
pub(super) struct Shared {
    /// With a steady clock, so that setting the system clock back prolongs no pause.
    pub(super) services: Services,
    pub(super) recipes: RecipeVersions,
    pub(super) options: Options,
    pub(super) env: Arc<Value>,
    pub(super) counters: Arc<RunCounters>,
    pub(super) offload: Offload,
    pub(super) saved_recipes: SavedRecipes,
    pub(super) paused: PausedRecipes,
    pub(super) held: Arc<Leases>,
    missing: Mutex<BTreeSet<String>>,
    /// Whether the engine stops when nothing is left to do.
    once: AtomicBool,
}

impl Shared {
    pub(super) fn new(services: Services, recipes: RecipeVersions, options: Options) -> Self {
        Self {
            env: Arc::new(Value::Object(services.env.as_ref().clone())),
            services: Services { clock: services.clock.steady(), ..services },
            recipes,
            options,
            counters: Arc::default(),
            offload: Offload::default(),
            saved_recipes: SavedRecipes::default(),
            paused: PausedRecipes::default(),
            held: Arc::default(),
            missing: Mutex::default(),
            once: AtomicBool::new(false),
        }
    }

    /// What the journal knows of records, read for `run`.
    pub(super) fn history<'a>(&'a self, run: &'a RunId, guard: &'a LeaseGuard) -> JournalHistory<'a> {
        JournalHistory { journal: &*self.services.journal, run, guard }
    }

    pub(super) fn note_missing_recipe(&self, recipe: &str) {
        self.missing().insert(recipe.to_owned());
    }

    /// Recipes that runs need and that are not loaded.
    pub(super) fn missing(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_once(&self, once: bool) {
        self.once.store(once, Ordering::Relaxed);
    }

    pub(super) fn once(&self) -> bool {
        self.once.load(Ordering::Relaxed)
    }

    /// Shortest wait for a held connection: an engine that stops when nothing is left does not wait for it.
    pub(super) fn min_hold(&self) -> Duration {
        if self.once() { self.options.horizon.saturating_mul(2) } else { Duration::ZERO }
    }
}
