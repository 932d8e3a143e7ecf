//! All pages, and the index of them.

use std::fmt::Write;

use super::sources::Sources;
use super::{codes, connector, metrics, polls, schema, templates};
use crate::catalog::schema as connector_schema;
use crate::recipe::schema as recipe_schema;

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

    fn is_of_connector(&self) -> bool {
        self.path.starts_with(connector::FOLDER)
    }
}

/// Every page of `docs/reference/`, the index first.
pub fn pages(sources: &Sources<'_>) -> Vec<Page> {
    let mut pages = schema::recipe_pages(recipe_schema());
    pages.push(templates::page());
    pages.push(codes::page(sources.examples));
    pages.push(codes::exit_codes(sources.exit_codes));
    pages.push(metrics::page(&sources.metrics));
    pages.push(polls::page(sources.catalog));
    pages.push(schema::workspace_page(sources.workspace));
    pages.push(schema::connector_page(connector_schema()));
    pages.push(schema::sandbox_page(sources.sandbox));
    for connector in sources.catalog.connectors() {
        pages.extend(connector::pages(connector, sources.catalog));
    }
    pages.insert(0, index(&pages));
    pages
}

fn index(pages: &[Page]) -> Page {
    let mut text = String::from(
        "# Reference\n\nEverything that can be written, by name. `hob schema` gives the same to editors, \
         `hob catalog show OPERATION` to the terminal.\n",
    );
    for (title, of_connector) in [("The language and its files", false), ("Connectors", true)] {
        let _ = write!(text, "\n## {title}\n\n");
        let listed = pages.iter().filter(|page| page.is_of_connector() == of_connector);
        for line in listed.filter_map(|page| page.about.as_ref()) {
            let _ = writeln!(text, "{line}");
        }
    }
    Page::new("README.md", &text)
}
