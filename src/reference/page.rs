//! A page of the reference.

/// Stands at the top of every page.
const MARK: &str =
    "<!-- Generated from the program's own data: `HOB_BLESS=1 cargo test --test reference` rewrites it. -->";

/// A file below `docs/reference/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its path below that folder, with `/` between the parts.
    pub path: String,
    /// Its text, Markdown.
    pub text: String,
    /// A line for the index; `None` for a page that another page leads to.
    pub(super) about: Option<String>,
}

impl Page {
    /// A page, marked as generated.
    pub(super) fn new(path: impl Into<String>, text: &str) -> Self {
        let text = format!("{MARK}\n\n{}\n", text.trim_end());
        Self { path: path.into(), text, about: None }
    }

    /// With a line in the index.
    pub(super) fn listed(self, title: &str, about: &str) -> Self {
        let about = format!("- [{title}]({}): {about}", self.path);
        Self { about: Some(about), ..self }
    }
}
