//! Builds the trees of generated recipes: each part has the span of what it comes from.

use crate::source::{Data, Node, Span, Spanned};

/// A mapping under construction.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    span: Span,
    entries: Vec<(Spanned<String>, Node)>,
}

impl Mapping {
    /// An empty mapping that comes from what stands at `span`.
    pub(super) fn new(span: Span) -> Self {
        Self { span, entries: Vec::new() }
    }

    /// Adds a value.
    pub(super) fn with(self, key: &str, value: Node) -> Self {
        let key = Spanned::new(key.to_owned(), value.span);
        self.with_entry(key, value)
    }

    /// Adds a value whose key has a place of its own.
    pub(super) fn with_entry(mut self, key: Spanned<String>, value: Node) -> Self {
        self.entries.push((key, value));
        self
    }

    /// Adds a text that comes from the same place as the mapping.
    pub(super) fn with_text(self, key: &str, value: impl Into<String>) -> Self {
        let value = text(value, self.span);
        self.with(key, value)
    }

    /// Adds a value, if there is one.
    pub(super) fn with_some(self, key: &str, value: Option<Node>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Adds the values of `other`.
    pub(super) fn followed_by(mut self, other: Mapping) -> Self {
        self.entries.extend(other.entries);
        self
    }

    /// Whether nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The finished mapping.
    pub(super) fn node(self) -> Node {
        Spanned::new(Data::Map(self.entries), self.span)
    }
}

/// A text.
pub(super) fn text(value: impl Into<String>, span: Span) -> Node {
    Spanned::new(Data::Text(value.into()), span)
}

/// A list.
pub(super) fn list(items: Vec<Node>, span: Span) -> Node {
    Spanned::new(Data::List(items), span)
}

/// The template of an expression.
pub(super) fn template(expression: &str) -> String {
    format!("{{{{ {expression} }}}}")
}

/// The expression of the member `name` of what `root` is the expression of.
pub(super) fn member(root: &str, name: &str) -> String {
    match is_name(name) {
        true => format!("{root}.{name}"),
        false => format!("{root}[{}]", quoted(name)),
    }
}

/// A text within an expression.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Whether templates can read it as a name.
pub(super) fn is_name(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(letter) && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}
