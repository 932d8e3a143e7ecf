//! The page of a connector's webhook events.

use std::fmt::Write;

use crate::catalog::{Connector, EventType};

/// Name of the page.
pub(super) const FILE: &str = "events.md";

/// The page's text.
pub(super) fn text(connector: &Connector) -> String {
    let mut text = format!(
        "# {}: events\n\nSent to `POST /webhooks/{}`; a recipe takes them by name under `webhook`.\n",
        connector.title, connector.connector
    );
    for (name, event) in &connector.events {
        let _ = write!(text, "\n## {name}\n\n{}\n\n", event.title);
        for (fact, value) in facts(event) {
            let _ = writeln!(text, "- {fact}: {value}");
        }
        event.notes.iter().for_each(|note| text.push_str(&format!("- {note}\n")));
        let _ = write!(text, "\n```yaml\ntrigger:\n  webhook: {}.{name}\n```\n", connector.connector);
    }
    text
}

fn facts(event: &EventType) -> Vec<(&'static str, String)> {
    let all = |names: &[String], between: &str| {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(between)
    };
    let mut facts = Vec::new();
    if !event.types.is_empty() {
        facts.push(("type in the body", all(&event.types, " or ")));
    }
    if !event.signs.is_empty() {
        facts.push(("recognised by fields", all(&event.signs, " and ")));
    }
    facts.extend(
        event.values.iter().map(|(path, value)| ("recognised by value", format!("`{path}` is `{value}`"))),
    );
    facts.push(("id of the record", all(&event.id, " or ")));
    facts.push(("record", format!("`{}`", event.record)));
    if !event.fields.is_empty() {
        facts.push(("fields", all(&event.fields, ", ")));
    }
    if !event.scopes.is_empty() {
        facts.push(("scopes", all(&event.scopes, ", ")));
    }
    facts.extend(event.hydrate.iter().map(|read| ("`hydrate: true` reads", format!("`{}`", read.operation))));
    facts.extend(event.reconcile.iter().map(|poller| ("`reconcile` polls", format!("`{poller}`"))));
    facts
}
