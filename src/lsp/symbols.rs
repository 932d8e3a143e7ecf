//! Outlines of texts, and the recipes of a workspace by name.

use lsp_types::{DocumentSymbol, SymbolKind};
use serde_json::{Value, json};

use super::document_position::DocumentPosition;
use super::target::Target;
use super::text_position::Encoding;
use super::workspace_state::WorkspaceState;
use crate::source::{Data, Node, Span};

/// The most symbols of a workspace that are told at once.
const MAX_SYMBOLS: usize = 500;

/// The outline of a text: its fields, their fields and items.
pub fn outline(document: &DocumentPosition<'_>, encoding: Encoding) -> Vec<DocumentSymbol> {
    document.node.as_ref().map(|node| children(node, document, encoding, 0)).unwrap_or_default()
}

/// Levels of an outline.
const MAX_DEPTH: usize = 3;

fn children(
    node: &Node,
    document: &DocumentPosition<'_>,
    encoding: Encoding,
    depth: usize,
) -> Vec<DocumentSymbol> {
    if depth == MAX_DEPTH {
        return Vec::new();
    }
    match &node.value {
        Data::Map(entries) => entries
            .iter()
            .map(|(key, value)| {
                let kind = if matches!(value.value, Data::Map(_) | Data::List(_)) {
                    SymbolKind::NAMESPACE
                } else {
                    SymbolKind::PROPERTY
                };
                let detail = value.as_text().filter(|_| depth == 0 && key.value == "name").map(str::to_owned);
                let inner = children(value, document, encoding, depth + 1);
                let whole = key.span.to(value.span);
                symbol(&key.value, detail, kind, (whole, key.span), inner, document, encoding)
            })
            .collect(),
        // Of lists, only those whose items have names.
        Data::List(items) => items
            .iter()
            .filter_map(|item| {
                let named = ["id", "name", "do"].iter().find_map(|key| item.get(key));
                let name = named.and_then(|name| Some((name.as_text()?, name.span)));
                let (name, place) = name?;
                let detail = item.get("do").and_then(|id| id.as_text()).filter(|id| *id != name);
                let places = (item.span.to(place), place);
                let detail = detail.map(str::to_owned);
                Some(symbol(name, detail, SymbolKind::FUNCTION, places, Vec::new(), document, encoding))
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn symbol(
    name: &str,
    detail: Option<String>,
    kind: SymbolKind,
    (whole, place): (Span, Span),
    children: Vec<DocumentSymbol>,
    document: &DocumentPosition<'_>,
    encoding: Encoding,
) -> DocumentSymbol {
    // A name must not be empty in the protocol.
    let name = if name.trim().is_empty() { "(no name)" } else { name };
    #[expect(deprecated, reason = "the type has a field for old clients")]
    DocumentSymbol {
        name: document.state.redactor.text(name),
        detail: detail.map(|detail| document.state.redactor.text(&detail)),
        kind,
        tags: None,
        deprecated: None,
        range: encoding.range(document.file, whole),
        selection_range: encoding.range(document.file, place),
        children: (!children.is_empty()).then_some(children),
    }
}

/// Recipes and named steps of a workspace whose names contain `query`, ignoring case.
pub fn search(state: &WorkspaceState, query: &str, encoding: Encoding) -> Vec<Value> {
    let query = query.to_lowercase();
    let fits = |name: &str| !name.is_empty() && name.to_lowercase().contains(&query);
    let mut found = Vec::new();
    for (path, checked) in state.recipes() {
        for recipe in checked.broken.iter().filter(|recipe| !recipe.is_generated()) {
            let steps = recipe.all_actions().filter_map(|action| action.given_id.as_ref());
            let steps = steps.map(|id| (id, SymbolKind::FUNCTION, Some(&recipe.name.value)));
            for (name, kind, holder) in std::iter::once((&recipe.name, SymbolKind::CLASS, None))
                .chain(steps)
                .filter(|(name, ..)| fits(name))
            {
                let target = Target { path: path.clone(), file: recipe.file.clone(), span: name.span };
                let Some(location) = target.location(encoding) else { continue };
                let name = state.redactor.text(name);
                found.push(
                    json!({ "name": name, "kind": kind, "location": location, "containerName": holder }),
                );
                if found.len() == MAX_SYMBOLS {
                    return found;
                }
            }
        }
    }
    found
}
