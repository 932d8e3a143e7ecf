//! The cursor in a text, with all that is known about the place.

use lsp_types::Range;

use super::analysis::Analysis;
use super::expression::{Expression, expression};
use super::outline::{self, Part, Place, Role};
use super::schema_walk::node_at;
use super::text_position::Encoding;
use super::workspace_state::WorkspaceState;
use crate::catalog::{self, Catalog, Operation};
use crate::recipe;
use crate::recipe_test;
use crate::source::{SourceFile, Span};
use crate::workspace::{self, FileRole};

/// The cursor in a text.
pub struct CursorContext<'a> {
    /// The workspace.
    pub state: &'a WorkspaceState,
    /// The text.
    pub file: &'a SourceFile,
    /// What the text is.
    pub role: FileRole,
    /// The cursor.
    pub offset: usize,
    /// Its place in the text.
    pub place: Place,
    /// Its place in an expression, if it is in one.
    pub expression: Option<Expression>,
    /// What is known of the text.
    pub analysis: Analysis,
    /// How the client counts.
    pub encoding: Encoding,
}

impl<'a> CursorContext<'a> {
    /// The cursor at `offset` of `file`.
    pub fn new(
        state: &'a WorkspaceState,
        file: &'a SourceFile,
        role: FileRole,
        offset: usize,
        encoding: Encoding,
    ) -> Self {
        let before = &file.text()[..offset];
        let place = outline::place(before);
        let expression = match (role, place.role) {
            (FileRole::Recipe, Role::Value | Role::Key) => expression(before, place.start.min(offset)),
            _ => None,
        };
        let analysis = Analysis::new(file, offset, &place, &state.catalog);
        Self { state, file, role, offset, place, expression, analysis, encoding }
    }

    /// All operations.
    pub fn catalog(&self) -> &'a Catalog {
        &self.state.catalog
    }

    /// The keys of the path; items are empty.
    pub fn keys(&self) -> Vec<&str> {
        self.place.path.iter().map(|part| part.key().unwrap_or_default()).collect()
    }

    /// The schema of the text.
    pub fn schema(&self) -> Option<&'static serde_json::Value> {
        match self.role {
            FileRole::Settings => Some(workspace::schema()),
            FileRole::Tests => Some(recipe_test::schema()),
            FileRole::Connector(kind) => catalog::form(kind),
            FileRole::Recipe => {
                let is_sync = self.analysis.node.as_ref().is_some_and(|node| node.get("sync").is_some());
                Some(if is_sync { recipe::sync_schema() } else { recipe::schema() })
            }
        }
    }

    /// The plain text of the field `name` in the mapping to which `path` leads.
    pub fn text_at(&self, path: &[Part], name: &str) -> Option<&str> {
        node_at(self.analysis.node.as_ref()?, path)?.get(name)?.as_text()
    }

    /// The operation whose inputs the place belongs to, and the way from its `with` to the place.
    pub fn inputs(&self) -> Option<(&'a Operation, &[Part])> {
        let path = &self.place.path;
        let (holder, name) = match (self.role, self.keys().as_slice()) {
            (FileRole::Recipe, ["trigger", "with", ..]) => (1, "poll"),
            (FileRole::Recipe, ["trigger", "over", "with", ..]) => (2, "poll"),
            (FileRole::Recipe, ["actions" | "on_failure", "", "with", ..]) => (2, "do"),
            (FileRole::Tests, keys) => {
                let with = keys.iter().rposition(|key| *key == "with")?;
                (keys[..with].ends_with(&["requests", ""]).then_some(with)?, "do")
            }
            _ => return None,
        };
        let id = self.text_at(&path[..holder], name)?;
        Some((self.operation(id, &path[..holder])?, &path[holder + 1..]))
    }

    /// The operation `id`, in the version that the step at `holder` uses.
    pub fn operation(&self, id: &str, holder: &[Part]) -> Option<&'a Operation> {
        let usual = self.catalog().operation(id)?;
        let of_step = self.text_at(holder, "version");
        let of_connection = || {
            let mut on =
                self.state.info.connections.values().filter(|known| known.connector == usual.connector);
            let first = on.next().filter(|_| on.next().is_none())?;
            first.version.as_deref()
        };
        let version = of_step.or_else(of_connection);
        Some(self.catalog().operation_in(id, version).unwrap_or(usual))
    }

    /// From `start` to the end of the word in which the cursor is.
    pub fn word(&self, start: usize, is_part: impl Fn(char) -> bool) -> Range {
        let text = self.file.text();
        let rest = &text[self.offset..];
        let end = self.offset + rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.encoding.range(self.file, Span::new(start, end))
    }

    /// The text of the rest of the line.
    pub fn rest_of_line(&self) -> &str {
        self.file.text()[self.offset..].lines().next().unwrap_or_default()
    }
}
