//! All pages, and the index of them.

use std::fmt::Write;

use super::page::Page;
use super::sources::Sources;
use super::{codes, connector, metrics, polls, schema, templates};
use crate::catalog::schema as connector_schema;
use crate::recipe::{schema as recipe_schema, sync_schema};

/// Every page of `docs/reference/`, the index first.
pub fn pages(sources: &Sources<'_>) -> Vec<Page> {
    let mut pages = schema::recipe_pages(recipe_schema());
    pages.push(schema::sync_page(sync_schema(), recipe_schema()));
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
        let listed = pages.iter().filter(|page| page.path.starts_with(connector::FOLDER) == of_connector);
        for line in listed.filter_map(|page| page.about.as_ref()) {
            let _ = writeln!(text, "{line}");
        }
    }
    Page::new("README.md", &text)
}
