//! Templates whose value is known before anything runs.

use crate::check::CheckedRecipe;
use crate::template::{LocatedTemplate, PathStep, Scope, Template, Use};
use crate::value::{Map, Value};

/// Functions whose value depends on nothing but their arguments.
const PURE: [&str; 2] = ["range", "dict"];

/// The value of a template that depends on nothing but constants and variables of the recipe that are constant.
pub(super) fn constant(recipe: &CheckedRecipe, template: &LocatedTemplate) -> Option<Value> {
    let mut known = Map::new();
    for (name, tree) in &recipe.recipe().vars {
        let scope = scope(&known);
        if tree.templates().iter().all(|template| is_constant(&template.template, &known))
            && let Ok(value) = tree.evaluate(&scope)
        {
            known.insert(name.value.clone(), value);
        }
    }
    if !is_constant(&template.template, &known) {
        return None;
    }
    template.evaluate(&scope(&known)).ok()
}

fn scope(known: &Map<String, Value>) -> Scope {
    Scope::new(chrono::DateTime::UNIX_EPOCH).with("vars", Value::Object(known.clone()))
}

fn is_constant(template: &Template, known: &Map<String, Value>) -> bool {
    template.uses().iter().all(|used| match used {
        Use::Path { root, steps, .. } if root == "vars" => {
            matches!(steps.first(), Some(PathStep::Field(name)) if known.contains_key(name))
        }
        Use::Function { name, .. } => PURE.contains(&name.as_str()),
        Use::Path { .. } | Use::Omit { .. } => false,
        Use::Filter { .. } | Use::Test { .. } => true,
    })
}
