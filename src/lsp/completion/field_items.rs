//! Names of fields as items of a list of completions.

use lsp_types::CompletionItemKind;

use super::item::Items;
use crate::lsp::cursor_context::CursorContext;
use crate::lsp::schema_walk::node_at;
use crate::reference::words;
use crate::value::{Kind, Shape};

/// Characters of names.
pub(super) fn is_part(c: char) -> bool {
    c.is_alphanumeric() || ['_', '-', '.'].contains(&c)
}

/// Adds the field `name`, unless it is there already.
pub(super) fn add(
    cursor: &CursorContext<'_>,
    items: &mut Items,
    name: &str,
    detail: &str,
    about: &str,
    is_container: bool,
) {
    let here = cursor.analysis.node.as_ref().and_then(|node| node_at(node, &cursor.place.path));
    let is_there = here.is_some_and(|node| node.get(name).is_some());
    if is_there || cursor.place.before.iter().any(|(key, _)| key == name) {
        return;
    }
    let rest = cursor.rest_of_line().trim_start_matches(is_part);
    let has_colon = rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':');
    let written =
        if name.contains(['{', '}', ':', ' ', '#']) { format!("\"{name}\"") } else { name.to_owned() };
    let text = match (has_colon || cursor.place.quoted, is_container) {
        (true, _) => name.to_owned(),
        (false, true) if cursor.place.flow.is_none() => format!("{written}:"),
        (false, _) => format!("{written}: "),
    };
    items.add(name, CompletionItemKind::PROPERTY, detail, about, &text);
}

/// Adds the fields of a value of `shape`.
pub(super) fn of_shape(cursor: &CursorContext<'_>, shape: &Shape, items: &mut Items) {
    let variants = std::iter::once(shape).chain(&shape.any_of);
    let fields = variants.flat_map(|shape| &shape.fields);
    let (needed, others): (Vec<_>, Vec<_>) = fields.partition(|(_, field)| field.required);
    for (name, field) in needed.into_iter().chain(others) {
        let mark = if field.required { "required" } else { "" };
        let is_container = matches!(field.kind, Kind::Object | Kind::Array);
        add(cursor, items, name, mark, &words(field), is_container);
    }
}
