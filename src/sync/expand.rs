//! From a file to its recipes.

use super::changes::Changes;
use super::removals;
use super::resolved::ResolvedSync;
use super::tree::Mapping;
use crate::catalog::Catalog;
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::{self, Parsed, Recipe, Tree};
use crate::source::{Data, Node, SourceFile, to_yaml};

/// The recipes of a file.
#[derive(Debug, Clone)]
pub struct Expansion {
    /// The recipe, or those that a sync stands for; recovered ones after errors. None if nothing could be recovered.
    pub recipes: Vec<Recipe>,
    /// The diagnostics.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the recipes of `file`. Never panics.
pub fn recipes(file: &SourceFile, catalog: &Catalog) -> Expansion {
    let tree = recipe::read_tree(file);
    if !tree.is_sync() {
        let Parsed { recipe, diagnostics } = recipe::parse_tree(tree, file);
        return Expansion { recipes: recipe.into_iter().collect(), diagnostics };
    }
    let (sync, mut diagnostics) = recipe::parse_sync(&tree);
    let Some(sync) = sync.filter(|_| diagnostics.is_empty()) else {
        return Expansion { recipes: Vec::new(), diagnostics };
    };
    let Some(resolved) = ResolvedSync::new(&sync, catalog, file, &mut diagnostics) else {
        return Expansion { recipes: Vec::new(), diagnostics };
    };
    let mut recipes = Vec::new();
    for node in generated(&resolved, &tree, catalog, &mut diagnostics) {
        let parsed = recipe::parse_generated(node.clone(), to_yaml(&node), file);
        recipes.extend(parsed.recipe);
        for diagnostic in parsed.diagnostics {
            if !diagnostics.contains(&diagnostic) {
                diagnostics.push(diagnostic);
            }
        }
    }
    Expansion { recipes, diagnostics }
}

/// Whether the sync called `sync` stands for the recipe called `recipe`, by their names alone: the history of a recipe
/// outlives its file.
pub fn stands_for(sync: &str, recipe: &str) -> bool {
    recipe.strip_prefix(sync).is_some_and(|rest| rest.starts_with('/'))
}

/// The trees of the recipes.
fn generated(
    sync: &ResolvedSync<'_>,
    tree: &Tree,
    catalog: &Catalog,
    found: &mut Vec<Diagnostic>,
) -> Vec<Node> {
    let mut nodes = Vec::new();
    for from in [0, 1] {
        let name = format!(
            "{}/{}-to-{}",
            sync.recipe.name.value,
            sync.sides[from].name.value,
            sync.sides[1 - from].name.value
        );
        if sync.follows(from) {
            let parts = Changes { sync, catalog, from }.parts();
            nodes.push(whole(sync, tree, from, &name, parts));
        }
        let delete = sync.sides[1 - from].operations.delete.as_ref().filter(|_| sync.delete[1 - from]);
        if let Some(delete) = delete {
            // A list for a window of time may have to be asked for more than that. What it leaves out is read by its id.
            let with = sync.sides[from].syntax.with.as_ref().filter(|_| !sync.sides[from].has_window());
            if let Some(with) = with {
                let message = "a record that `with` leaves out would count as deleted";
                let help = "leave out `with`, or do not delete: `delete: none`";
                found.push(Diagnostic::new(Code::FieldConflict, with.0.span, message).help(help));
            }
            let parts = removals::parts(sync, from, delete);
            nodes.push(whole(sync, tree, from, &format!("{name}/removed"), parts));
            continue;
        }
        if let Some(limit) = &sync.sides[from].syntax.removed_limit {
            let message =
                "`removed_limit` belongs to `delete`, and nothing is deleted for records gone on this side";
            let help = format!("leave it out, or write `delete: to-{}`", sync.sides[1 - from].name.value);
            found.push(Diagnostic::new(Code::FieldConflict, limit.0.span, message).help(help));
        }
        found.extend(unpolled(sync, from));
    }
    if nodes.is_empty() {
        let message = "this sync does nothing: it neither creates nor updates records";
        let help = "let it, such as `create: both` or `update: both`";
        let policies = &sync.recipe.sync.value;
        let place = policies.update.as_ref().or(policies.create.as_ref());
        let place = place.map_or(sync.recipe.sync.span, |policy| policy.span);
        found.push(Diagnostic::new(Code::NotAllowed, place, message).help(help));
    }
    nodes
}

/// What says how a list is polled, although the side has events and nothing polls for removed records.
fn unpolled(sync: &ResolvedSync<'_>, from: usize) -> Vec<Diagnostic> {
    let side = &sync.sides[from];
    let window = side.syntax.window.as_ref().map(|window| window.span);
    let with = side.syntax.with.as_ref().filter(|_| side.has_window()).map(|with| with.0.span);
    let given = [("window", window), ("with", with)].into_iter();
    let given =
        given.filter(|_| side.syntax.webhook.is_some()).filter_map(|(name, span)| Some((name, span?)));
    let told = given.map(|(name, span)| {
        let message = format!("`{name}` belongs to a poll, and this side has `webhook`");
        let other = &sync.sides[1 - from].name;
        let help =
            format!("leave it out; with `delete: to-{other}`, it is that of the poll for removed records");
        Diagnostic::new(Code::FieldConflict, span, message).help(help)
    });
    told.collect()
}

/// A recipe with the name and what the sync says of all its recipes.
fn whole(sync: &ResolvedSync<'_>, tree: &Tree, from: usize, name: &str, parts: Mapping) -> Node {
    let recipe = sync.recipe;
    let given = |key: &str| tree.node.as_ref().and_then(|node| node.get(key)).cloned();
    let span = recipe.name.span;
    let connections = connections(sync, from);
    let head = Mapping::new(span)
        .with_text("name", name)
        .with_some("description", given("description"))
        .with_some("connections", (!connections.is_empty()).then(|| connections.node()));
    let mut node = head.followed_by(parts);
    for key in ["on_failure", "kept", "timeout", "lane_on_failure"] {
        node = node.with_some(key, given(key));
    }
    node.node()
}

/// Connector → connection.
fn connections(sync: &ResolvedSync<'_>, from: usize) -> Mapping {
    let mut chosen = Mapping::new(sync.recipe.name.span);
    let [source, target] = [&sync.sides[from], &sync.sides[1 - from]];
    let mut taken = Vec::new();
    for side in [source, target] {
        let connector = side.connector.connector.as_str();
        let own = side.syntax.connection.as_ref();
        if let Some(name) = own.filter(|_| !taken.contains(&connector)) {
            chosen = chosen.with(connector, name.clone().map(Data::Text));
            taken.push(connector);
        }
    }
    for (connector, name) in sync.recipe.connections.iter().flatten() {
        if !taken.contains(&connector.as_str()) {
            chosen = chosen.with_entry(connector.clone(), name.clone().map(Data::Text));
        }
    }
    chosen
}
