//! Valid requests made up from the catalog: the smallest one of each operation, on seeded records.

use serde_json::{Map, Value};

use super::sample::smallest;
use super::service::Service;
use super::world::World;
use crate::catalog::Operation;

/// Inputs with which `operation` succeeds on a fresh stand-in: the required ones, and those that its
/// script names.
pub(super) fn example(service: &Service, world: &World, operation: &Operation) -> Map<String, Value> {
    let scope = world.scope(service);
    let own = service.script.operations.get(&operation.id).map(|behaviour| &behaviour.example);
    let own = |name: &str| own.and_then(|own| own.get(name));
    let mut inputs = Map::new();
    for input in operation.inputs() {
        let fill = own(input.name)
            .or_else(|| service.script.examples.get(input.name).filter(|_| input.shape.required));
        let value = match fill {
            Some(fill) => fill.render(&scope),
            None if input.shape.required
                || operation.one_of.first().is_some_and(|name| name == input.name) =>
            {
                Some(smallest(input.name, input.shape))
            }
            None => None,
        };
        if let Some(value) = value {
            inputs.insert(input.name.to_owned(), value);
        }
    }
    inputs
}
