//! Required inputs.

use super::Rule;
use crate::catalog::{ListWindow, Operation};
use crate::check::Context;
use crate::check::context::Call;
use crate::diagnostic::{Code, Diagnostic, closest};

/// All required inputs are given, or provided by the connection.
pub struct RequiredParameters;

impl Rule for RequiredParameters {
    fn summary(&self) -> &'static str {
        "Every input that the operation needs is given under `with` or filled by the connection."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for (call, operation) in context.known_calls() {
            let inputs = operation.inputs();
            // A misspelt name is reported as such.
            let misspelt = |name: &str| {
                let strange = |key: &str| inputs.iter().all(|input| input.name != key);
                call.inputs().iter().any(|(key, _)| strange(key) && closest(key, [name]).is_some())
            };
            let absent = |name: &str| {
                call.with.get(name).is_none()
                    && !misspelt(name)
                    && !call.may_have_dropped(context.recipe, name)
                    && !filled(context, call, operation, name)
            };
            let paging =
                operation.list.as_ref().filter(|_| call.action.is_none_or(|action| action.pages.is_some()));
            let mut managed = paging.map(|list| list.paging_inputs()).unwrap_or_default();
            let window = paging.and_then(|list| list.moving_window(&call.with.to_value()));
            managed.extend(window.filter(|_| call.action.is_none()).into_iter().flat_map(ListWindow::inputs));
            let missing: Vec<&str> = inputs
                .iter()
                .filter(|input| input.shape.required && !managed.contains(&input.name))
                .map(|input| input.name)
                .filter(|name| absent(name))
                .collect();
            if !missing.is_empty() {
                found.push(complaint(context, call, operation, &missing));
            }
            if !operation.one_of.is_empty() && operation.one_of.iter().all(|name| absent(name)) {
                let names: Vec<String> = operation.one_of.iter().map(|name| format!("`{name}`")).collect();
                let message = format!("`{}` needs at least one of {}", operation.id, names.join(", "));
                found.push(Diagnostic::new(Code::MissingParameter, call.name.span, message));
            }
        }
    }
}

fn complaint(context: &Context<'_>, call: &Call<'_>, operation: &Operation, missing: &[&str]) -> Diagnostic {
    let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("`{}` needs {}", operation.id, names.join(" and "));
    let diagnostic = Diagnostic::new(Code::MissingParameter, call.name.span, message);
    let setting = missing.iter().find_map(|name| setting_for(context, operation, name));
    match setting {
        Some(setting) => {
            diagnostic.help(format!("give it under `with`, or set `{setting}` on the connection in hob.yaml"))
        }
        None => diagnostic.help("give it under `with`"),
    }
}

/// The connection's setting that would provide the input.
fn setting_for<'a>(context: &Context<'a>, operation: &Operation, input: &str) -> Option<&'a str> {
    let connector = context.connector_of(operation)?;
    let fills = connector.settings.iter().find(|(_, setting)| setting.fills.iter().any(|name| name == input));
    fills.map(|(name, _)| name.as_str())
}

/// Whether the input is provided by a constant, or by a setting that every connection has. An unknown workspace has
/// every setting.
fn filled(context: &Context<'_>, call: &Call<'_>, operation: &Operation, input: &str) -> bool {
    let Some(connector) = context.connector_of(operation) else { return false };
    if connector.constants.contains_key(input) {
        return true;
    }
    let Some(setting) = setting_for(context, operation, input) else { return false };
    !context.workspace_info.known
        || context.connections_of(call, &connector.connector).iter().all(|name| {
            let workspace_info = context.workspace_info.connections.get(*name);
            workspace_info
                .is_none_or(|workspace_info| workspace_info.settings.iter().any(|known| known == setting))
        })
}
