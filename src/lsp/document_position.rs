//! A text as it stands, with what is at an offset: for what reads rather than completes.

use std::path::Path;
use std::sync::Arc;

use super::cursor_context::CursorContext;
use super::located::{Located, locate};
use super::names::{self, Name};
use super::outline::{Part, Place, Role};
use super::workspace_state::WorkspaceState;
use crate::check::{Checked, Context, TemplateSite};
use crate::recipe::Recipe;
use crate::source::{Node, SourceFile, Span, parse};
use crate::template::Use;
use crate::workspace::FileRole;

/// A text with an offset in it.
pub struct DocumentPosition<'a> {
    /// The workspace.
    pub state: &'a WorkspaceState,
    /// The file.
    pub path: &'a Path,
    /// Its text.
    pub file: &'a SourceFile,
    /// What it is.
    pub role: FileRole,
    /// The offset.
    pub offset: usize,
    /// Its tree.
    pub node: Option<Node>,
    /// The recipes in it.
    checked: Option<Arc<Checked>>,
}

/// A name in a template.
pub struct TemplateUse<'r> {
    /// Its template.
    pub site: TemplateSite<'r>,
    /// The use.
    pub used: &'r Use,
    /// Its place.
    pub span: Span,
}

impl<'a> DocumentPosition<'a> {
    /// The text `file` at `path`.
    pub fn new(
        state: &'a WorkspaceState,
        path: &'a Path,
        file: &'a SourceFile,
        role: FileRole,
        offset: usize,
    ) -> Self {
        let checked = state.checked(path).cloned();
        Self { state, path, file, role, offset, node: parse(file).node, checked }
    }

    /// The recipe, unless the text is none or stands for several.
    pub fn recipe(&self) -> Option<&Recipe> {
        match self.checked.as_ref()?.broken.as_slice() {
            [recipe] if !recipe.is_generated() => Some(recipe),
            _ => None,
        }
    }

    /// What the checker knows of the recipe.
    pub fn context(&self) -> Option<Context<'_>> {
        Some(Context::new(self.recipe()?, &self.state.catalog, &self.state.info))
    }

    /// The key or value at the offset.
    pub fn located(&self) -> Option<Located> {
        locate(self.node.as_ref()?, self.offset)
    }

    /// The key or the plain value that is `located`.
    pub fn text_of(&self, located: &Located) -> String {
        match &located.key {
            Some(key) => key.clone(),
            None => self.file.slice(names::unquoted(self.file, located.span)).to_owned(),
        }
    }

    /// The names of the recipe.
    pub fn names(&self) -> Vec<Name> {
        self.context().map(|context| names::all(&context)).unwrap_or_default()
    }

    /// The name of the recipe that is at the offset, and its place there.
    pub fn name(&self) -> Option<(Name, Span)> {
        let named = |name: Name| Some((name.place_at(self.offset)?, name));
        self.names().into_iter().find_map(named).map(|(span, name)| (name, span))
    }

    /// The text as the completions see it, with the cursor at `located`.
    pub fn cursor(&self, located: &Located, encoding: super::text_position::Encoding) -> CursorContext<'_> {
        let mut cursor = CursorContext::new(self.state, self.file, self.role, self.offset, encoding);
        cursor.place = Place {
            path: located.path.clone(),
            role: if located.key.is_some() { Role::Key } else { Role::Value },
            ..cursor.place
        };
        cursor.analysis.node.clone_from(&self.node);
        cursor
    }
}

/// The name in a template of `context` that is at `offset`.
pub fn use_at<'c>(context: &'c Context<'_>, offset: usize) -> Option<TemplateUse<'c>> {
    context.sites.iter().find_map(|site| {
        let uses = site.template.uses().iter().map(|used| (used, site.template.place(used.range())));
        let mut here = uses.filter(|(_, span)| span.start <= offset && offset <= span.end);
        here.next().map(|(used, span)| TemplateUse { site: *site, used, span })
    })
}

/// The path below `parent` with one more key.
pub fn below(parent: &[Part], key: &str) -> Vec<Part> {
    let mut path = parent.to_vec();
    path.push(Part::Key(key.to_owned()));
    path
}
