//! Versions of an API, and operations in them.

use super::Rule;
use crate::check::Context;
use crate::check::accounts;
use crate::diagnostic::{Code, Diagnostic};

/// The version requested by a step or connection exists and has the operation.
pub struct KnownVersions;

impl Rule for KnownVersions {
    fn summary(&self) -> &'static str {
        "A `version` is one that the connector knows, and the operation exists in it."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for call in &context.calls {
            let Some(usual) = context.catalog.operation(call.name) else { continue };
            let given = call.action.and_then(|action| action.version.as_ref());
            let Some(connector) = context.connector_of(usual).filter(|_| usual.builtin.is_none()) else {
                continue;
            };
            let span = given.map_or(call.name.span, |version| version.span);
            if given.is_none() && has_two(context, call.action, &usual.connector) {
                let message = "the connections of this recipe ask for different versions of the API";
                let help = "set `version:` on the step, or make two recipes";
                found.push(Diagnostic::new(Code::UnknownVersion, span, message).help(help));
                continue;
            }
            let asked =
                accounts::version(context.recipe, context.workspace_info, call.action, &usual.connector);
            let Some(version) = asked else { continue };
            if let Some((message, help)) = connector.version_problem(version) {
                let diagnostic = Diagnostic::new(Code::UnknownVersion, span, message).help(help);
                found.push(diagnostic.suggest(version, connector.versions.names()));
            } else if context.catalog.operation_in(call.name, Some(version)).is_none() {
                let message = format!("`{}` is not known in version {version} of the API", usual.id);
                let base = &connector.versions.base;
                let help = format!("`version: {base}` on the step keeps it as it is in {base}");
                found.push(Diagnostic::new(Code::UnknownVersion, span, message).help(help));
            }
        }
    }
}

/// Whether a fan-out includes connections of different versions.
fn has_two(context: &Context<'_>, action: Option<&crate::recipe::Action>, connector: &str) -> bool {
    if action.is_some_and(|action| action.connection.is_some()) {
        return false;
    }
    let chosen = accounts::chosen(context.recipe, context.workspace_info, connector);
    let mut versions =
        chosen.iter().map(|name| context.workspace_info.connections.get(*name)?.version.as_deref());
    let first = versions.next();
    versions.any(|version| Some(version) != first)
}
