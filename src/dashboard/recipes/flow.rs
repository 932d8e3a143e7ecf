//! Which recipe writes what another one reads.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::catalog::{Catalog, Effect};
use crate::check::CheckedRecipe;
use crate::recipe::{Trigger, Webhook};

/// A recipe whose writes can start another one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Flow {
    from: String,
    /// The kind of records, such as `highlevel contacts`.
    records: String,
    to: String,
}

impl Flow {
    #[cfg(test)]
    pub(super) fn new(from: &str, records: &str, to: &str) -> Self {
        Self { from: from.to_owned(), records: records.to_owned(), to: to.to_owned() }
    }

    /// The recipe that writes.
    pub(super) fn from(&self) -> &str {
        &self.from
    }

    /// What it writes.
    pub(super) fn records(&self) -> &str {
        &self.records
    }

    /// The recipe that is started.
    pub(super) fn to(&self) -> &str {
        &self.to
    }

    /// Whether the recipe `name` is at one of its ends.
    pub(super) fn is_about(&self, name: &str) -> bool {
        self.from == name || self.to == name
    }
}

/// All flows between `recipes`.
pub(super) fn flows(recipes: &[CheckedRecipe], catalog: &Catalog) -> BTreeSet<Flow> {
    let mut flows = BTreeSet::new();
    for from in recipes {
        let written = writes(from);
        for to in recipes {
            for records in reads(to, catalog).intersection(&written) {
                let (from, to) = (from.name().to_owned(), to.name().to_owned());
                flows.insert(Flow { from, records: records.clone(), to });
            }
        }
    }
    flows
}

fn writes(recipe: &CheckedRecipe) -> BTreeSet<String> {
    let actions = recipe.all_actions().map(|action| action.operation);
    let writing = actions.filter(|operation| operation.effect != Effect::Read && operation.builtin.is_none());
    writing.map(|operation| kind(&operation.connector, &operation.id)).collect()
}

/// What starts the recipe.
fn reads(recipe: &CheckedRecipe, catalog: &Catalog) -> BTreeSet<String> {
    match recipe.trigger() {
        Trigger::Poll(_) => {
            recipe.poller().map(|operation| kind(&operation.connector, &operation.id)).into_iter().collect()
        }
        Trigger::Webhook(Webhook::Events { connector, types, .. }) => {
            let of_type = |name: &str| {
                let event = catalog.connector(connector)?.events.get(name)?;
                Some(kind(connector, &event.hydrate.as_ref()?.operation))
            };
            types.iter().filter_map(|name| of_type(&name.value)).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// `highlevel contacts` for `contacts.upsert`
fn kind(connector: &str, operation: &str) -> String {
    let operation = operation.strip_prefix(connector).map_or(operation, |rest| rest.trim_start_matches('.'));
    let records = operation.split('.').next().unwrap_or(operation);
    format!("{connector} {records}")
}
