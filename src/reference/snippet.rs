//! Example recipes of an operation, from its example inputs.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::catalog::{ListWindow, Operation, Paging};
use crate::value::Kind;

/// A polling recipe.
#[derive(Serialize)]
struct Polling<'a> {
    name: String,
    trigger: Poll<'a>,
    actions: [Log; 1],
}

#[derive(Serialize)]
struct Poll<'a> {
    poll: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    with: Map<String, Value>,
    every: &'static str,
}

#[derive(Serialize)]
struct Log {
    r#do: &'static str,
    with: Message,
}

#[derive(Serialize)]
struct Message {
    message: &'static str,
}

/// A recipe with an action.
#[derive(Serialize)]
struct Acting<'a> {
    name: String,
    trigger: Manual,
    actions: [Do<'a>; 1],
}

#[derive(Serialize)]
struct Manual {
    manual: Map<String, Value>,
}

#[derive(Serialize)]
struct Do<'a> {
    r#do: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    with: Map<String, Value>,
}

/// Recipes that validate: one that polls the operation, if it is a poller, and one that calls it, if it is an action.
pub fn snippets(operation: &Operation) -> Vec<String> {
    let mut recipes = Vec::new();
    if operation.is_poller() {
        recipes.push(yaml(&polling(operation)));
    }
    if operation.is_action() {
        recipes.push(yaml(&acting(operation)));
    }
    recipes
}

fn polling(operation: &Operation) -> Polling<'_> {
    // Recipes must not set paging inputs, and leave a window of time to the poll.
    let mut own = operation.list.as_ref().map(|list| list.paging_inputs()).unwrap_or_default();
    let window = operation.list.as_ref().and_then(|list| list.window.as_ref());
    own.extend(window.into_iter().flat_map(ListWindow::inputs));
    let with = example(operation).into_iter().filter(|(name, _)| !own.contains(&name.as_str())).collect();
    Polling {
        name: format!("watch-{}", slug(&operation.id)),
        trigger: Poll { poll: &operation.id, with, every: "5m" },
        actions: [Log { r#do: "log", with: Message { message: "{{ event | tojson }}" } }],
    }
}

fn acting(operation: &Operation) -> Acting<'_> {
    let mut with = example(operation);
    // Polls set these themselves, actions do not.
    for (name, value) in first_page(operation) {
        if let Some(input) = operation.input(name).filter(|input| input.shape.required) {
            let text = input.shape.kind == Kind::String;
            let value = if text { Value::String(value.to_string()) } else { value.into() };
            with.entry(name.to_owned()).or_insert(value);
        }
    }
    Acting {
        name: format!("do-{}", slug(&operation.id)),
        trigger: Manual { manual: Map::new() },
        actions: [Do { r#do: &operation.id, with }],
    }
}

/// The inputs of the first page.
fn first_page(operation: &Operation) -> Vec<(&str, u32)> {
    match operation.list.as_ref().map(|list| &list.paging) {
        Some(Paging::Offset { offset, limit, size, .. }) => vec![(offset, 0), (limit, *size)],
        Some(Paging::Page { page, limit, size, first, .. }) => {
            let limit = limit.as_deref().map(|limit| (limit, *size));
            std::iter::once((page.as_str(), *first)).chain(limit).collect()
        }
        Some(Paging::Cursor { limit: Some(limit), size: Some(size), .. }) => vec![(limit, *size)],
        _ => Vec::new(),
    }
}

fn example(operation: &Operation) -> Map<String, Value> {
    operation.example.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn slug(id: &str) -> String {
    id.replace(['.', '_'], "-")
}

fn yaml(recipe: &impl Serialize) -> String {
    // Fails only for values without a YAML form, which these types do not have.
    serde_yaml::to_string(recipe).unwrap_or_default()
}
