//! A recipe that has passed every rule.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::accounts::{self, Accounts};
use super::step_reads::StepReads;
use super::workspace_info::WorkspaceInfo;
use crate::catalog::{Catalog, Operation};
use crate::recipe::{Action, Recipe, Trigger};

/// A recipe without mistakes, and the operations it names. Built by checking only; a clone shares
/// everything.
#[derive(Clone)]
pub struct CheckedRecipe {
    inner: Arc<Inner>,
}

struct Inner {
    recipe: Recipe,
    catalog: Arc<Catalog>,
    poller: Option<Arc<Operation>>,
    /// The operation of each step, in the order of the steps.
    operations: Vec<Arc<Operation>>,
    accounts: Vec<Accounts>,
    /// The versions that connections ask for, by connector.
    versions: HashMap<String, String>,
    step_reads: StepReads,
    version: String,
}

/// A step of a checked recipe: what the recipe says of it, and the operation that it names.
#[derive(Debug, Clone, Copy)]
pub struct CheckedAction<'a> {
    action: &'a Action,
    /// What it does, in the version of the API that it asks for.
    pub operation: &'a Arc<Operation>,
}

impl Deref for CheckedAction<'_> {
    type Target = Action;

    fn deref(&self) -> &Action {
        self.action
    }
}

impl CheckedRecipe {
    /// `None` if it names an operation that the catalog lacks, which a rule has complained about.
    pub(super) fn new(
        recipe: Recipe,
        catalog: &Arc<Catalog>,
        workspace_info: &WorkspaceInfo,
    ) -> Option<Self> {
        let find = |name: &str, action| {
            let connector = &catalog.operation(name)?.connector;
            let version = accounts::version(&recipe, workspace_info, action, connector);
            catalog.operation_in(name, version).cloned()
        };
        let poller = match &recipe.trigger {
            Trigger::Poll(poll) => Some(find(&poll.operation, None)?),
            _ => None,
        };
        let operations = recipe.all_actions().map(|action| find(&action.operation, Some(action)));
        let operations = operations.collect::<Option<_>>()?;
        let connectors = accounts::connectors(&recipe, catalog);
        let versions = connectors.iter().filter_map(|connector| {
            let version = accounts::version(&recipe, workspace_info, None, connector)?;
            Some(((*connector).to_owned(), version.to_owned()))
        });
        let versions = versions.collect();
        let accounts = accounts::combinations(&recipe, catalog, workspace_info);
        let version = hex::encode(Sha256::digest(recipe.file.text().as_bytes()))[..16].to_owned();
        let step_reads = StepReads::of_recipe(&recipe);
        let catalog = Arc::clone(catalog);
        let inner = Inner { recipe, catalog, poller, operations, accounts, versions, step_reads, version };
        Some(Self { inner: Arc::new(inner) })
    }

    /// Its unique name.
    pub fn name(&self) -> &str {
        &self.inner.recipe.name
    }

    /// Everything it says.
    pub fn recipe(&self) -> &Recipe {
        &self.inner.recipe
    }

    /// What starts it.
    pub fn trigger(&self) -> &Trigger {
        &self.inner.recipe.trigger
    }

    /// Another text, another version: a hash.
    pub fn version(&self) -> &str {
        &self.inner.version
    }

    /// Its steps.
    pub fn actions(&self) -> impl Iterator<Item = CheckedAction<'_>> {
        self.all_actions().take(self.inner.recipe.actions.len())
    }

    /// Its steps after a failure.
    pub fn on_failure(&self) -> impl Iterator<Item = CheckedAction<'_>> {
        self.all_actions().skip(self.inner.recipe.actions.len())
    }

    /// All steps, those after a failure last.
    pub fn all_actions(&self) -> impl Iterator<Item = CheckedAction<'_>> {
        let actions = self.inner.recipe.all_actions().zip(&self.inner.operations);
        actions.map(|(action, operation)| CheckedAction { action, operation })
    }

    /// The operation of its poll trigger.
    pub fn poller(&self) -> Option<&Arc<Operation>> {
        self.inner.poller.as_ref()
    }

    /// The operation called `id`, which none of its steps names, in the version that the recipe's connection asks
    /// for; where that version lacks it, in the usual one.
    pub fn operation_called(&self, id: &str) -> Option<&Arc<Operation>> {
        let usual = self.inner.catalog.operation(id)?;
        let version = self.inner.versions.get(&usual.connector).map(String::as_str);
        self.inner.catalog.operation_in(id, version).or(Some(usual))
    }

    /// Which results of earlier steps its actions read.
    pub fn step_reads(&self) -> &StepReads {
        &self.inner.step_reads
    }

    /// The catalog it was checked against.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.inner.catalog
    }

    /// The combinations of connections it runs for: connector → connection. One combination without
    /// entries if it needs none.
    pub fn accounts(&self) -> &[Accounts] {
        &self.inner.accounts
    }
}

impl fmt::Debug for CheckedRecipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedRecipe").field("name", &self.name()).field("version", &self.version()).finish()
    }
}
