//! Completes the inputs of a request: fills defaults, converts types and validates.

use serde_json::{Map, Value};

use super::InputProblem;
use super::coerce::coerce;
use super::paging::first;
use crate::catalog::{Input, Operation, Place};
use crate::connection::Connection;
use crate::value::{Kind, Shape, ShapeProblem};

/// `given` completed with the connection's settings, the connector's constants and a page size where the API requires
/// one, each value converted to its shape; or all problems. Null is kept in a body, and left out of the query and
/// headers.
pub fn complete(
    operation: &Operation,
    given: &Map<String, Value>,
    connection: Option<&Connection>,
) -> Result<Map<String, Value>, Vec<InputProblem>> {
    let inputs = operation.inputs();
    let mut filled = given.clone();
    if let Some(connection) = connection {
        fill(&inputs, &mut filled, connection);
    }
    fill_page(operation, &inputs, &mut filled);
    let mut problems = Vec::new();
    let mut complete = Map::new();
    for (name, value) in filled {
        match inputs.iter().find(|input| input.name == name) {
            Some(input) if value.is_null() && is_nothing(operation, input) => {}
            // The API decides about null in a body: it clears a field, which descriptions rarely state.
            Some(input) if value.is_null() && input.place.is_none() && !input.shape.required => {
                complete.insert(name, value);
            }
            Some(input) => {
                let value = coerce(value, input.shape);
                check(&name, &value, input.shape, &mut problems);
                complete.insert(name, value);
            }
            None if operation.takes_any_input() => {
                complete.insert(name, value);
            }
            None => problems.push(InputProblem::unknown(&[name], inputs.iter().map(|input| input.name))),
        }
    }
    missing(operation, &inputs, &complete, &mut problems);
    if problems.is_empty() { Ok(complete) } else { Err(problems) }
}

/// Whether null for this input means that it was not given: queries and headers cannot hold null, and hob's own
/// operations treat it as missing.
fn is_nothing(operation: &Operation, input: &Input<'_>) -> bool {
    let own = operation.builtin.is_some() && input.shape.kind != Kind::Any && !input.shape.required;
    own || matches!(input.place, Some(Place::Query | Place::Header))
}

fn fill(inputs: &[Input<'_>], filled: &mut Map<String, Value>, connection: &Connection) {
    let known = |name: &str| inputs.iter().any(|input| input.name == name);
    for (setting, about) in &connection.connector.settings {
        let Some(value) = connection.settings.get(setting) else { continue };
        for name in about.fills.iter().filter(|name| known(name)) {
            filled.entry(name.clone()).or_insert_with(|| Value::String(value.clone()));
        }
    }
    for (name, value) in connection.connector.constants.iter().filter(|(name, _)| known(name)) {
        filled.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

/// Fills the first page's inputs where the API requires them, so that listing needs no paging inputs.
fn fill_page(operation: &Operation, inputs: &[Input<'_>], filled: &mut Map<String, Value>) {
    let Some(list) = &operation.list else { return };
    for (name, value) in first(&list.paging) {
        if inputs.iter().any(|input| input.name == name && input.shape.required) {
            filled.entry(name).or_insert(value);
        }
    }
}

fn check(name: &str, value: &Value, shape: &Shape, problems: &mut Vec<InputProblem>) {
    let found = ShapeProblem::without_duplicates(shape.check(value, &|_| false));
    for mut problem in found.into_iter().filter(ShapeProblem::is_certain) {
        problem.path.insert(0, name.to_owned());
        problems.push(InputProblem::of_shape(problem));
    }
}

fn missing(
    operation: &Operation,
    inputs: &[Input<'_>],
    complete: &Map<String, Value>,
    problems: &mut Vec<InputProblem>,
) {
    for input in inputs {
        let needed = input.shape.required || input.place == Some(Place::Path);
        let named = |problem: &InputProblem| problem.input == input.name;
        if needed && !complete.contains_key(input.name) && !problems.iter().any(named) {
            let about = format!("it takes {}", input.shape.describe());
            problems.push(InputProblem::missing(&[], input.name, Some(about)));
        }
    }
    let given = |name: &String| complete.get(name).is_some_and(|value| !value.is_null());
    if !operation.one_of.is_empty() && !operation.one_of.iter().any(given) {
        let names = operation.one_of.join("`, `");
        problems.push(InputProblem::new("", format!("one of `{names}` must be given")));
    }
}
