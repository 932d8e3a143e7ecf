//! Valid example requests: the smallest one of each operation, on seeded records.

use serde_json::{Map, Value};

use super::sample::smallest;
use super::service::Service;
use super::state::State;
use crate::catalog::{Input, Operation, Paging};
use crate::value::Kind;

/// Inputs with which `operation` succeeds on a fresh stand-in: the required ones and those named in its script,
/// without those that a connection provides.
pub(super) fn example(service: &Service, state: &State, operation: &Operation) -> Map<String, Value> {
    let scope = state.scope(service);
    let own = service.script.operations.get(&operation.id).map(|behaviour| &behaviour.example);
    let own = |name: &str| own.and_then(|own| own.get(name));
    let mut inputs = Map::new();
    let filled: Vec<&String> =
        service.connector.settings.values().flat_map(|setting| &setting.fills).collect();
    let whole = operation.body.as_ref().and_then(|body| body.whole.as_deref());
    for input in operation.inputs() {
        // The connection provides these.
        if filled.iter().any(|name| *name == input.name) {
            continue;
        }
        let needed = input.shape.required
            || whole == Some(input.name)
            || operation.one_of.first().is_some_and(|name| name == input.name);
        let template = own(input.name).or_else(|| service.script.examples.get(input.name).filter(|_| needed));
        let value = match template {
            Some(template) => template.render(&scope),
            None if needed => {
                Some(first_page(operation, &input).unwrap_or_else(|| smallest(input.name, input.shape)))
            }
            None => None,
        };
        if let Some(value) = value {
            inputs.insert(input.name.to_owned(), value);
        }
    }
    inputs
}

/// The value of a paging input for the first page.
fn first_page(operation: &Operation, input: &Input<'_>) -> Option<Value> {
    let first = match &operation.list.as_ref()?.paging {
        Paging::Offset { offset, .. } if offset == input.name => 0,
        Paging::Page { page, first, .. } if page == input.name => *first,
        _ => return None,
    };
    Some(if input.shape.kind == Kind::String { first.to_string().into() } else { first.into() })
}
