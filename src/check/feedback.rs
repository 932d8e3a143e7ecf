//! Which recipes of a set write records that their triggers read.

use super::checked::{CheckedAction, CheckedRecipe};
use crate::catalog::{Catalog, Operation, ResourceNames};
use crate::recipe::{Trigger, Webhook};

/// The kinds of records that the triggers of a set of recipes read, and those that their steps write.
#[derive(Debug, Clone, Default)]
pub struct Feedback {
    reads: Vec<Resource>,
    writes: Vec<Resource>,
}

/// A kind of record of a connector.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The connector.
    pub connector: String,
    /// The kind.
    pub names: ResourceNames,
}

impl Resource {
    /// The kind of record that the trigger of `recipe` reads; `None` if unknown.
    pub fn of_trigger(recipe: &CheckedRecipe) -> Option<Self> {
        match recipe.trigger() {
            Trigger::Poll(_) => recipe.poller().map(|poller| Self::of_operation(poller)),
            Trigger::Webhook(Webhook::Events { connector, types, .. }) => {
                let mut names = ResourceNames::default();
                types.iter().for_each(|name| names.extend(event_names(recipe.catalog(), connector, name)));
                Some(Self { connector: connector.clone(), names })
            }
            Trigger::Webhook(Webhook::Path { .. }) | Trigger::Schedule(_) | Trigger::Manual(_) => None,
        }
    }

    /// The kind of record that `operation` concerns.
    pub fn of_operation(operation: &Operation) -> Self {
        Self { connector: operation.connector.clone(), names: operation.resource_names() }
    }

    /// Whether both may be the same.
    pub fn meets(&self, other: &Self) -> bool {
        self.connector == other.connector && self.names.meet(&other.names)
    }
}

/// The kind of record of the event `name` of `connector`.
pub fn event_names(catalog: &Catalog, connector: &str, name: &str) -> ResourceNames {
    let event = catalog.connector(connector).and_then(|connector| connector.events.get(name));
    let mut names = ResourceNames::default();
    let fetch = event.and_then(|event| event.hydrate.as_ref()).map(|hydrate| &hydrate.operation);
    for operation in fetch.into_iter().chain(event.and_then(|event| event.reconcile.as_ref())) {
        if let Some(operation) = catalog.operation(operation) {
            names.extend(operation.resource_names());
        }
    }
    if names.is_empty() { ResourceNames::from_event(name) } else { names }
}

/// The steps of `recipe` that write to records of a connector.
pub fn writing_steps(recipe: &CheckedRecipe) -> impl Iterator<Item = CheckedAction<'_>> {
    recipe.all_actions().filter(|action| action.operation.write_target().is_some())
}

impl Feedback {
    /// The feedback among these recipes.
    pub fn of<'a>(recipes: impl IntoIterator<Item = &'a CheckedRecipe>) -> Self {
        let mut feedback = Self::default();
        for recipe in recipes {
            feedback.reads.extend(Resource::of_trigger(recipe));
            let written = writing_steps(recipe).map(|action| Resource::of_operation(action.operation));
            feedback.writes.extend(written);
        }
        feedback
    }

    /// Whether a trigger reads what `operation` writes.
    pub fn is_read(&self, operation: &Operation) -> bool {
        operation.write_target().is_some() && {
            let written = Resource::of_operation(operation);
            self.reads.iter().any(|read| read.meets(&written))
        }
    }

    /// Whether a step writes what a trigger reads.
    pub fn is_written(&self, read: &Resource) -> bool {
        self.writes.iter().any(|written| written.meets(read))
    }
}
