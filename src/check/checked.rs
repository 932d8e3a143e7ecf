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
use crate::recipe::{Action, Poll, Recipe, Trigger};

/// A valid recipe with its operations. Created only by checking; cheap to clone.
#[derive(Clone)]
pub struct CheckedRecipe {
    inner: Arc<Inner>,
}

struct Inner {
    recipe: Recipe,
    catalog: Arc<Catalog>,
    poller: Option<Arc<Operation>>,
    parents: Option<Arc<Operation>>,
    /// The operations of the steps, in order.
    operations: Vec<Arc<Operation>>,
    accounts: Vec<Accounts>,
    /// The versions that connections ask for, by connector.
    versions: HashMap<String, String>,
    step_reads: StepReads,
    version: String,
}

/// A step of a checked recipe with its operation.
#[derive(Debug, Clone, Copy)]
pub struct CheckedAction<'a> {
    action: &'a Action,
    /// Its operation, in the right version of the API.
    pub operation: &'a Arc<Operation>,
}

impl Deref for CheckedAction<'_> {
    type Target = Action;

    fn deref(&self) -> &Action {
        self.action
    }
}

impl CheckedRecipe {
    /// `None` if the catalog lacks an operation, which a rule has reported.
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
        let parents = match &recipe.trigger {
            Trigger::Poll(Poll { over: Some(over), .. }) => Some(find(&over.operation, None)?),
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
        let version = hex::encode(Sha256::digest(recipe.text().as_bytes()))[..16].to_owned();
        let step_reads = StepReads::from_recipe(&recipe);
        let catalog = Arc::clone(catalog);
        let inner =
            Inner { recipe, catalog, poller, parents, operations, accounts, versions, step_reads, version };
        Some(Self { inner: Arc::new(inner) })
    }

    /// Its unique name.
    pub fn name(&self) -> &str {
        &self.inner.recipe.name
    }

    /// The model of the recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.inner.recipe
    }

    /// Its trigger.
    pub fn trigger(&self) -> &Trigger {
        &self.inner.recipe.trigger
    }

    /// Its version: a hash of the text.
    pub fn version(&self) -> &str {
        &self.inner.version
    }

    /// Its steps.
    pub fn actions(&self) -> impl Iterator<Item = CheckedAction<'_>> {
        self.all_actions().take(self.inner.recipe.actions.len())
    }

    /// Its `on_failure` steps.
    pub fn on_failure(&self) -> impl Iterator<Item = CheckedAction<'_>> {
        self.all_actions().skip(self.inner.recipe.actions.len())
    }

    /// All steps, including those of `on_failure`, which come last.
    pub fn all_actions(&self) -> impl Iterator<Item = CheckedAction<'_>> {
        let actions = self.inner.recipe.all_actions().zip(&self.inner.operations);
        actions.map(|(action, operation)| CheckedAction { action, operation })
    }

    /// The operation of its poll trigger.
    pub fn poller(&self) -> Option<&Arc<Operation>> {
        self.inner.poller.as_ref()
    }

    /// The operation that lists the parents of what its trigger polls.
    pub fn parents(&self) -> Option<&Arc<Operation>> {
        self.inner.parents.as_ref()
    }

    /// The operation `id`, which no step names, in the version of the recipe's connection; in the default version if
    /// that one lacks it.
    pub fn operation_by_id(&self, id: &str) -> Option<&Arc<Operation>> {
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

    /// The combinations of connections that it runs for. A single empty combination if it needs none.
    pub fn accounts(&self) -> &[Accounts] {
        &self.inner.accounts
    }

    /// Whether it runs for `connection`.
    pub fn runs_on(&self, connection: &str) -> bool {
        self.accounts().iter().any(|accounts| accounts.values().any(|name| name == connection))
    }
}

impl fmt::Debug for CheckedRecipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedRecipe").field("name", &self.name()).field("version", &self.version()).finish()
    }
}
