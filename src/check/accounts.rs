//! The connections that a recipe uses: one combination per account of its fan-out.

use indexmap::{IndexMap, IndexSet};

use super::workspace_info::WorkspaceInfo;
use crate::catalog::Catalog;
use crate::recipe::{Action, Recipe, Trigger, Webhook};

/// Connector → connection.
pub(super) type Accounts = IndexMap<String, String>;

/// The connections of `recipe` on `connector`: those it names, otherwise the only one.
pub(super) fn chosen<'a>(
    recipe: &'a Recipe,
    workspace_info: &'a WorkspaceInfo,
    connector: &'a str,
) -> Vec<&'a str> {
    if let Some(named) = recipe.connections.get(connector) {
        return named.iter().map(|name| name.as_str()).collect();
    }
    let all: Vec<&str> = workspace_info.on(connector).collect();
    if all.len() == 1 { all } else { Vec::new() }
}

/// The API version for an operation of `connector`: the step's, otherwise that of its connections.
pub(super) fn version<'a>(
    recipe: &'a Recipe,
    workspace_info: &'a WorkspaceInfo,
    action: Option<&'a Action>,
    connector: &'a str,
) -> Option<&'a str> {
    if let Some(version) = action.and_then(|action| action.version.as_ref()) {
        return Some(version);
    }
    let name = match action.and_then(|action| action.connection.as_ref()) {
        Some(name) => name.as_str(),
        None => chosen(recipe, workspace_info, connector).first().copied()?,
    };
    workspace_info.connections.get(name)?.version.as_deref()
}

/// Connectors for which the recipe needs a connection.
pub(super) fn connectors<'a>(recipe: &'a Recipe, catalog: &'a Catalog) -> IndexSet<&'a str> {
    let mut used = IndexSet::new();
    let mut add = |operation: &str| {
        if let Some(operation) = catalog.operation(operation)
            && operation.builtin.is_none()
        {
            used.insert(operation.connector.as_str());
        }
    };
    if let Trigger::Poll(poll) = &recipe.trigger {
        add(&poll.operation);
    }
    for action in recipe.all_actions().filter(|action| action.connection.is_none()) {
        add(&action.operation);
    }
    if let Trigger::Webhook(Webhook::Events { connector, .. }) = &recipe.trigger {
        used.insert(connector);
    }
    used
}

/// All combinations of connections of the connectors that `recipe` uses.
pub(super) fn combinations(
    recipe: &Recipe,
    catalog: &Catalog,
    workspace_info: &WorkspaceInfo,
) -> Vec<Accounts> {
    let mut all = vec![Accounts::new()];
    for connector in connectors(recipe, catalog) {
        let names = chosen(recipe, workspace_info, connector);
        if names.is_empty() {
            continue;
        }
        all = all
            .iter()
            .flat_map(|accounts| {
                names.iter().map(|name| {
                    let mut accounts = accounts.clone();
                    accounts.insert(connector.to_owned(), (*name).to_owned());
                    accounts
                })
            })
            .collect();
    }
    all
}
