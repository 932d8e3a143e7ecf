//! Values of fields.

use lsp_types::CompletionItemKind;

use super::inputs;
use super::item::Items;
use crate::catalog::Operation;
use crate::lsp::cursor_context::CursorContext;
use crate::lsp::outline::Part;
use crate::lsp::schema_walk;
use crate::value::{Kind, Shape};
use crate::workspace::FileRole;

/// Values that can be written at the cursor.
pub(super) fn complete(cursor: &CursorContext<'_>) -> Items {
    let range = cursor.word(cursor.place.start, |c| !c.is_whitespace() && !"\"',]}#".contains(c));
    let mut items = Items::new(range);
    // A text over several lines is free.
    if cursor.place.block {
        return items;
    }
    let mut values = Values { cursor, items: &mut items };
    match (cursor.role, cursor.keys().as_slice()) {
        (FileRole::Recipe, ["actions" | "on_failure", "", "do"]) => values.operations(Operation::is_action),
        (FileRole::Recipe, ["trigger", "poll"] | ["trigger", "over"] | ["trigger", "over", "poll"]) => {
            values.operations(Operation::is_poller);
        }
        (FileRole::Recipe, ["trigger", "webhook"] | ["trigger", "webhook", ""]) => values.events(),
        (FileRole::Recipe, ["connections", connector] | ["connections", connector, ""]) => {
            values.connections(Some(connector));
        }
        (FileRole::Recipe, ["actions" | "on_failure", "", "connection"]) => {
            let holder = &cursor.place.path[..2];
            let operation = cursor.text_at(holder, "do").and_then(|id| cursor.catalog().operation(id));
            values.connections(operation.map(|operation| operation.connector.as_str()));
        }
        (FileRole::Recipe, ["actions" | "on_failure", "", "version"]) => {
            let holder = &cursor.place.path[..2];
            let operation = cursor.text_at(holder, "do").and_then(|id| cursor.catalog().operation(id));
            values.versions(operation.map(|operation| operation.connector.as_str()));
        }
        (FileRole::Recipe, ["sync", "sides", _, "connection"]) => {
            values.connections(cursor.text_at(&cursor.place.path[..3], "connector"));
        }
        (FileRole::Recipe, ["sync", "sides", _, "connector"])
        | (FileRole::Settings, ["connections", _, "connector"]) => values.connectors(),
        (FileRole::Settings, ["connections", name, "version"]) => {
            let connector = cursor.text_at(&cursor.place.path[..2], "connector").unwrap_or(name);
            values.versions(Some(connector));
        }
        (FileRole::Tests, [.., "requests", "", "do"]) => values.operations(Operation::is_action),
        (FileRole::Tests, ["recipe"] | ["tests", .., "recipe"]) => {
            let names: Vec<&str> = cursor.state.recipe_names().collect();
            names.into_iter().for_each(|name| values.plain(name, "", CompletionItemKind::REFERENCE));
        }
        _ => {
            if let Some((operation, rest)) = cursor.inputs()
                && let Some(shape) = inputs::shape(operation, rest)
            {
                values.of_shape(shape);
            }
        }
    }
    if items.is_empty() {
        Values { cursor, items: &mut items }.by_schema();
    }
    items
}

struct Values<'v, 'i> {
    cursor: &'v CursorContext<'v>,
    items: &'i mut Items,
}

impl Values<'_, '_> {
    fn add(&mut self, label: &str, kind: CompletionItemKind, detail: &str, about: &str) {
        // Directly behind a colon, a value needs a space.
        let before = &self.cursor.file.text()[..self.cursor.place.start];
        let text = if before.ends_with(':') { format!(" {label}") } else { label.to_owned() };
        self.items.add(label, kind, detail, about, &text);
    }

    fn plain(&mut self, label: &str, about: &str, kind: CompletionItemKind) {
        self.add(label, kind, "", about);
    }

    fn operations(&mut self, fits: impl Fn(&Operation) -> bool) {
        for operation in self.cursor.catalog().operations().filter(|operation| fits(operation)) {
            self.add(&operation.id, CompletionItemKind::FUNCTION, &operation.title, &operation.summary);
        }
    }

    fn events(&mut self) {
        for connector in self.cursor.catalog().connectors() {
            for (name, event) in &connector.events {
                let id = format!("{}.{name}", connector.connector);
                self.add(&id, CompletionItemKind::EVENT, &event.title, &event.notes.join("\n"));
            }
        }
    }

    fn connections(&mut self, connector: Option<&str>) {
        for (name, known) in &self.cursor.state.info.connections {
            if connector.is_none_or(|connector| known.connector == connector) {
                self.add(name, CompletionItemKind::REFERENCE, &known.connector, "");
            }
        }
    }

    fn connectors(&mut self) {
        for connector in self.cursor.catalog().connectors().filter(|connector| !connector.auth.is_empty()) {
            self.add(&connector.connector, CompletionItemKind::MODULE, &connector.title, &connector.about);
        }
    }

    fn versions(&mut self, connector: Option<&str>) {
        let Some(connector) = connector.and_then(|name| self.cursor.catalog().connector(name)) else {
            return;
        };
        let versions = &connector.versions;
        for name in versions.versions.keys().chain([&versions.base]).filter(|name| !name.is_empty()) {
            self.plain(name, "", CompletionItemKind::CONSTANT);
        }
    }

    fn of_shape(&mut self, shape: &Shape) {
        for shape in std::iter::once(shape).chain(&shape.any_of) {
            for value in &shape.values {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                self.plain(&text, "", CompletionItemKind::ENUM_MEMBER);
            }
            if shape.kind == Kind::Boolean {
                ["true", "false"]
                    .into_iter()
                    .for_each(|flag| self.plain(flag, "", CompletionItemKind::VALUE));
            }
        }
    }

    fn by_schema(&mut self) {
        let cursor = self.cursor;
        let Some(root) = cursor.schema() else { return };
        let node = cursor.analysis.node.as_ref();
        let path = &cursor.place.path;
        // What is typed at the cursor does not decide what fits there.
        let schemas = schema_walk::at(root, path, None);
        let mut words = schema_walk::words(root, &schemas);
        if let Some((Part::Key(name), parents)) = path.split_last() {
            words.extend(schema_walk::examples(&schema_walk::at(root, parents, node), name));
        }
        for word in words {
            let detail = if word.example { "example" } else { "" };
            let kind = if word.example { CompletionItemKind::TEXT } else { CompletionItemKind::ENUM_MEMBER };
            self.add(&word.text, kind, detail, &word.about);
        }
    }
}
