//! The pages of a connector: overview, operations by resource, events.

use std::fmt::Write;
use std::sync::Arc;

use indexmap::IndexMap;

use super::events;
use super::operation::{kinds, operation};
use super::page::Page;
use crate::catalog::{AuthScheme, Catalog, Connector, Operation};

/// Folder of these pages.
pub(super) const FOLDER: &str = "connectors/";

/// All pages of `connector`: one if all operations are built-in, otherwise one per resource.
pub(super) fn pages(connector: &Connector, catalog: &Catalog) -> Vec<Page> {
    let own: Vec<&Arc<Operation>> =
        catalog.operations().filter(|operation| operation.connector == connector.connector).collect();
    let name = &connector.connector;
    if own.iter().all(|operation| operation.builtin.is_some()) {
        let text = format!("# {}\n\n{}\n\n{}", connector.title, connector.about, group(&own, catalog));
        return vec![
            Page::new(format!("{FOLDER}{name}.md"), &text).listed(&connector.title, &connector.about),
        ];
    }
    let mut groups: IndexMap<&str, Vec<&Arc<Operation>>> = IndexMap::new();
    for operation in own {
        groups.entry(resource(operation)).or_default().push(operation);
    }
    let path = format!("{FOLDER}{name}/README.md");
    let mut pages =
        vec![Page::new(path, &front(connector, &groups)).listed(&connector.title, &connector.about)];
    for (resource, operations) in &groups {
        let text = format!("# {}: {resource}\n\n{}", connector.title, group(operations, catalog));
        pages.push(Page::new(format!("{FOLDER}{name}/{resource}.md"), &text));
    }
    if !connector.events.is_empty() {
        pages.push(Page::new(format!("{FOLDER}{name}/{}", events::FILE), &events::text(connector)));
    }
    pages
}

/// `contacts` of `contacts.upsert`, `clients` of `fitr.clients.list`.
fn resource(operation: &Operation) -> &str {
    let prefix = operation.connector.len();
    let own = operation.id.starts_with(&operation.connector) && operation.id[prefix..].starts_with('.');
    let id = if own { &operation.id[prefix + 1..] } else { &operation.id };
    id.split('.').next().unwrap_or(id)
}

/// Contents, then the operations.
fn group(operations: &[&Arc<Operation>], catalog: &Catalog) -> String {
    let mut text = String::new();
    for operation in operations {
        let Operation { id, title, .. } = operation.as_ref();
        let _ = writeln!(text, "- [{id}](#{}): {title} ({})", anchor(id), kinds(operation));
    }
    for one in operations {
        let _ = write!(text, "\n{}", operation(one, catalog));
    }
    text
}

/// A link to the description of `operation`, relative to the top folder.
pub(super) fn link(operation: &Operation) -> String {
    let (name, resource, id) = (&operation.connector, resource(operation), &operation.id);
    format!("[{id}]({FOLDER}{name}/{resource}.md#{})", anchor(id))
}

/// The anchor of a heading on code hosts.
pub(super) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn front(connector: &Connector, groups: &IndexMap<&str, Vec<&Arc<Operation>>>) -> String {
    let mut text = format!("# {}\n\n{}\n\n", connector.title, connector.about);
    for (name, value) in facts(connector) {
        let _ = writeln!(text, "- {name}: {value}");
    }
    text.push_str("\n| Operations | | Pollers |\n| --- | ---: | ---: |\n");
    for (resource, operations) in groups {
        let pollers = operations.iter().filter(|operation| operation.is_poller()).count();
        let _ = writeln!(text, "| [{resource}]({resource}.md) | {} | {pollers} |", operations.len());
    }
    if !connector.events.is_empty() {
        let count = connector.events.len();
        let _ = writeln!(text, "\nIts [{count} webhook events]({}) start recipes too.", events::FILE);
    }
    text
}

fn facts(connector: &Connector) -> Vec<(String, String)> {
    let base =
        connector.base_url.as_ref().map_or("given by the connection".to_owned(), |url| format!("`{url}`"));
    let ways: Vec<&str> = connector.auth.iter().map(way).collect();
    let mut facts = vec![("address".to_owned(), base), ("auth".to_owned(), ways.join(", or "))];
    for (name, setting) in &connector.settings {
        let fills: Vec<String> = setting.fills.iter().map(|input| format!("`{input}`")).collect();
        facts.push((format!("setting `{name}`"), format!("{}; fills {}", setting.title, fills.join(", "))));
    }
    facts.extend(
        connector.limits.burst.iter().map(|burst| ("requests".to_owned(), format!("{burst} per connection"))),
    );
    facts.extend(connector.limits.daily.iter().map(|daily| ("requests a day".to_owned(), daily.to_string())));
    if connector.webhooks.is_some() {
        facts.push(("webhooks".to_owned(), format!("received at `POST /webhooks/{}`", connector.connector)));
    }
    facts
}

fn way(scheme: &AuthScheme) -> &'static str {
    match scheme {
        AuthScheme::Bearer => "`{ token }`",
        AuthScheme::Header => "`{ header: { name, value } }`",
        AuthScheme::Basic => "`{ basic: { username, password } }`",
        AuthScheme::Oauth { .. } => "`{ oauth: { client_id, client_secret } }`",
        AuthScheme::Login(_) => "`{ login: { username, password } }`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_the_first_word_after_the_connector() {
        let catalog = Catalog::built_in();
        let of = |id: &str| resource(catalog.operation(id).unwrap()).to_owned();
        assert_eq!(of("contacts.tags.add"), "contacts");
        assert_eq!(of("fitr.clients.list"), "clients");
    }

    #[test]
    fn anchors_are_those_of_code_hosts() {
        assert_eq!(anchor("fitr.clients.list"), "fitrclientslist");
        assert_eq!(anchor("Lane on failure"), "lane-on-failure");
    }
}
