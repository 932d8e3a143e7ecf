//! A page of the reference.

/// The first line of every page.
const MARK: &str =
    "<!-- Generated from the program's own data: `HOB_BLESS=1 cargo test --test reference` rewrites it. -->";

/// A file below `docs/reference/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its path below that folder, with `/` between the parts.
    pub path: String,
    /// Its text, Markdown.
    pub text: String,
    /// A line for the index; `None` for a page that is linked from another page.
    pub(super) about: Option<String>,
}

impl Page {
    /// A page with the mark of generated files.
    pub(super) fn new(path: impl Into<String>, text: &str) -> Self {
        let text = format!("{MARK}\n\n{}\n", text.trim_end());
        Self { path: path.into(), text, about: None }
    }

    /// Adds a line to the index.
    pub(super) fn listed(self, title: &str, about: &str) -> Self {
        let about = format!("- [{title}]({}): {about}", self.path);
        Self { about: Some(about), ..self }
    }
}
