//! Connections that exist, and are chosen where there are several.

use std::collections::HashSet;

use super::Rule;
use crate::check::{Context, accounts};
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::{Trigger, Webhook};
use crate::source::{Span, Spanned};

/// Connections and connectors exist, fit together, and are chosen where there are several.
pub struct KnownConnections;

impl Rule for KnownConnections {
    fn summary(&self) -> &'static str {
        "Connections are in hob.yaml, are on the connector they are used for, and are chosen where there are several."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for (connector, chosen) in &context.recipe.connections {
            if context.catalog.connector(connector).is_none() {
                let message = format!("no connector is called `{connector}`");
                let names = context.catalog.connectors().map(|known| known.connector.as_str());
                let diagnostic = Diagnostic::new(Code::UnknownConnector, connector.span, message);
                found.push(diagnostic.suggest(connector, names));
                continue;
            }
            found.extend(chosen.iter().filter_map(|name| named(context, name, connector)));
            found.extend(unused(context, connector));
            found.extend(repeated(chosen));
        }
        for call in &context.calls {
            if let (Some(operation), Some(name)) =
                (call.operation, call.action.and_then(|action| action.connection.as_ref()))
            {
                found.extend(named(context, name, &operation.connector));
            }
        }
        if context.workspace_info.known && !context.recipe.dropped_fields().anywhere("connections") {
            for connector in accounts::connectors(context.recipe, context.catalog) {
                found.extend(not_chosen(context, connector));
            }
        }
    }
}

/// A connector with a chosen connection that the recipe does not use.
fn unused(context: &Context<'_>, connector: &Spanned<String>) -> Option<Diagnostic> {
    let all_known = context.calls.iter().all(|call| call.operation.is_some());
    if !all_known || accounts::connectors(context.recipe, context.catalog).contains(connector.as_str()) {
        return None;
    }
    let message = format!("nothing in this recipe uses the connection chosen for `{connector}`");
    Some(Diagnostic::new(Code::Suspicious, connector.span, message).help("leave it out"))
}

/// A named connection that must belong to `connector`.
fn named(context: &Context<'_>, name: &Spanned<String>, connector: &str) -> Option<Diagnostic> {
    if !context.workspace_info.known {
        return None;
    }
    let candidates: Vec<&str> = context.workspace_info.on(connector).collect();
    let help = match candidates.as_slice() {
        [] => format!("hob.yaml has none on `{connector}`"),
        names => format!("on `{connector}` there are {}", names.join(", ")),
    };
    let message = match context.workspace_info.connections.get(name.as_str()) {
        Some(workspace_info) if workspace_info.connector == connector => return None,
        Some(workspace_info) => {
            format!("the connection `{name}` is on `{}`, not on `{connector}`", workspace_info.connector)
        }
        None => format!("hob.yaml has no connection `{name}`"),
    };
    let diagnostic = Diagnostic::new(Code::UnknownConnection, name.span, message).help(help);
    let diagnostic = diagnostic.suggest(name, candidates);
    // Another account is never chosen without asking.
    Some(diagnostic.suggested())
}

fn repeated(chosen: &[Spanned<String>]) -> Option<Diagnostic> {
    let mut seen = HashSet::new();
    let twice = chosen.iter().find(|name| !seen.insert(name.as_str()))?;
    Some(Diagnostic::new(Code::DuplicateName, twice.span, format!("`{twice}` is listed twice")))
}

/// A connector for which the recipe chooses no connection, though there are several.
fn not_chosen(context: &Context<'_>, connector: &str) -> Option<Diagnostic> {
    if context.recipe.connections.contains_key(connector) || context.catalog.connector(connector).is_none() {
        return None;
    }
    let all: Vec<&str> = context.workspace_info.on(connector).collect();
    let place = first_use(context, connector);
    match all.as_slice() {
        [_] => None,
        [] => {
            let message = format!("hob.yaml has no connection on `{connector}`");
            let help = format!("add one there with `connector: {connector}`");
            Some(Diagnostic::new(Code::UnknownConnection, place, message).help(help))
        }
        [first, ..] => {
            let message = format!("which connection on `{connector}`? hob.yaml has {}", all.join(", "));
            let help = format!("choose one in the recipe: `connections: {{ {connector}: {first} }}`");
            Some(Diagnostic::new(Code::UnknownConnection, place, message).help(help))
        }
    }
}

fn first_use(context: &Context<'_>, connector: &str) -> Span {
    let event = match &context.recipe.trigger {
        Trigger::Webhook(Webhook::Events { connector: app, types, .. }) if app == connector => types.first(),
        _ => None,
    };
    let call = context.known_calls().find(|(_, operation)| operation.connector == connector);
    let place = event.map(|event| event.span).or(call.map(|(call, _)| call.name.span));
    place.unwrap_or(context.recipe.trigger_span)
}
