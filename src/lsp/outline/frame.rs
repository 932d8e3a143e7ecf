//! The mappings and lists that are open where a text ends.

/// What contains what is read.
#[derive(Debug)]
pub(super) enum Container {
    /// The fields, with their values where these are plain texts; the last one is where the cursor is.
    Map(Vec<(String, String)>),
    /// The number of items so far.
    List(usize),
}

/// A mapping or list that is open.
#[derive(Debug)]
pub(super) struct Frame {
    /// Column of its keys or dashes; none in `{}` and `[]`.
    pub(super) column: Option<usize>,
    pub(super) container: Container,
}

/// What the text ends in.
pub(super) enum End {
    /// A key, or the first word of a value.
    Key { start: usize, quoted: bool },
    /// A value.
    Value { start: usize, quoted: bool, block: bool },
    /// At this column of a line without content.
    Blank { column: usize },
    /// A comment.
    Comment,
}
