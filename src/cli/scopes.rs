//! What the recipes of a workspace require of each connection's credential.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::recipes::Recipes;
use super::table::table;
use crate::check::{CheckedRecipe, OperationUse};
use crate::workspace::ConnectionConfig;

/// A scope that recipes need on a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NeededScope {
    scope: String,
    /// Whether hob.yaml lists it under the connection's `scopes`; null if it lists none.
    listed: Option<bool>,
    /// The recipes that need it.
    recipes: BTreeSet<String>,
    /// The operations they need it for.
    operations: Vec<NeedingOperation>,
}

/// An operation that needs a scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct NeedingOperation {
    operation: String,
    /// `poll`, `webhook`, `hydrate`, `reconcile`, `step` or `probe`.
    r#for: &'static str,
}

/// The required scopes by connection.
#[derive(Debug, Default)]
pub(super) struct NeededScopes(BTreeMap<String, BTreeMap<String, Need>>);

#[derive(Debug, Default)]
struct Need {
    recipes: BTreeSet<String>,
    operations: BTreeSet<NeedingOperation>,
}

impl NeededScopes {
    pub(super) fn collect(recipes: &Recipes) -> Self {
        let mut needed = Self::default();
        recipes.sound.iter().for_each(|recipe| needed.add(recipe));
        needed
    }

    fn add(&mut self, recipe: &CheckedRecipe) {
        for OperationUse { operation, purpose, connections, scopes } in recipe.operation_uses() {
            for (connection, scope) in
                connections.iter().flat_map(|connection| scopes.iter().map(move |scope| (connection, scope)))
            {
                let need = self.0.entry(connection.clone()).or_default().entry(scope.clone()).or_default();
                need.recipes.insert(recipe.name().to_owned());
                need.operations
                    .insert(NeedingOperation { operation: operation.clone(), r#for: purpose.name() });
            }
        }
    }

    /// The scopes required on `account`.
    pub(super) fn on(&self, account: &ConnectionConfig) -> Vec<NeededScope> {
        let listed = account.listed_scopes();
        let needs = self.0.get(&account.name).into_iter().flatten();
        needs
            .map(|(scope, Need { recipes, operations })| NeededScope {
                listed: listed.map(|listed| listed.contains(scope)),
                scope: scope.clone(),
                recipes: recipes.clone(),
                operations: operations.iter().cloned().collect(),
            })
            .collect()
    }
}

/// The scopes of one connection, for people.
pub(super) fn paragraph(name: &str, connector: &str, scopes: &[NeededScope]) -> String {
    if scopes.is_empty() {
        return format!("\n{name} ({connector}): no recipe needs a scope that the catalog knows");
    }
    let rows = scopes.iter().map(|needed| {
        let operations: Vec<String> = needed
            .operations
            .iter()
            .map(|NeedingOperation { operation, r#for }| match *r#for {
                "step" => operation.clone(),
                other => format!("{operation} ({other})"),
            })
            .collect();
        let recipes: Vec<&str> = needed.recipes.iter().map(String::as_str).collect();
        vec![format!("  {}", needed.scope), recipes.join(", "), operations.join(", ")]
    });
    let mut text = format!("\n{name} ({connector})\n{}", table(&["  SCOPE", "RECIPES", "FOR"], rows));
    let missing = scopes.iter().filter(|needed| needed.listed == Some(false));
    let missing: Vec<String> = missing.map(|needed| format!("`{}`", needed.scope)).collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        text.push_str(&format!(
            "\n  not listed under `scopes` in hob.yaml: {missing}; add them, then run `hob connect {name}` again"
        ));
    }
    text
}
