//! A place in a text.

/// A step from the root of a document to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The value of a field.
    Key(String),
    /// An item of a list.
    Item(usize),
}

impl Part {
    /// The name, if it is a field.
    pub fn key(&self) -> Option<&str> {
        match self {
            Part::Key(name) => Some(name),
            Part::Item(_) => None,
        }
    }
}

/// What is written at the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The name of a field, or the first word of a value: `path` leads to the mapping or to the value.
    Key,
    /// A value, to which `path` leads.
    Value,
    /// A comment.
    Comment,
}

/// The cursor's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The way from the root.
    pub path: Vec<Part>,
    /// What is written there.
    pub role: Role,
    /// Offset where the text of the key or value begins, after a quote.
    pub start: usize,
    /// Whether it is within quotes.
    pub quoted: bool,
    /// Whether it is within a block of lines (`|` or `>`).
    pub block: bool,
    /// Offset of the outermost `{` or `[` that is open here.
    pub flow: Option<usize>,
    /// The fields before it in the same mapping, with their values where these are plain texts.
    pub before: Vec<(String, String)>,
}
