//! Applies all rules.

use std::collections::HashMap;
use std::sync::Arc;

use super::checked::CheckedRecipe;
use super::context::Context;
use super::facts::Facts;
use super::rules;
use crate::catalog::Catalog;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::recipe::Recipe;
use crate::source::SourceFile;

/// What checking a recipe found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The file.
    pub file: SourceFile,
    /// The recipe, if nothing is an error.
    pub recipe: Option<CheckedRecipe>,
    /// What is wrong, in the order of the text. What parsing found is not repeated.
    pub diagnostics: Vec<Diagnostic>,
}

/// Applies all rules to `recipe`. A recipe that parsing had to mend is checked but never passes.
pub fn check(recipe: Recipe, catalog: &Arc<Catalog>, facts: &Facts) -> Checked {
    let diagnostics = complaints(&recipe, catalog, facts);
    conclude(recipe, diagnostics, catalog, facts)
}

/// Applies all rules to each recipe, and those that look at all of them together.
pub fn check_all(recipes: Vec<Recipe>, catalog: &Arc<Catalog>, facts: &Facts) -> Vec<Checked> {
    let mut first_with: HashMap<String, String> = HashMap::new();
    let mut checked = Vec::with_capacity(recipes.len());
    for recipe in recipes {
        let mut diagnostics = complaints(&recipe, catalog, facts);
        let name = &recipe.name;
        match first_with.get(name.as_str()) {
            _ if name.is_empty() => {}
            Some(place) => {
                let message = format!("another recipe is called `{name}` already");
                let help = format!("the other one is at {place}; give one of them another name");
                diagnostics.push(Diagnostic::new(Code::DuplicateName, name.span, message).help(help));
            }
            None => {
                let position = recipe.file.position(name.span.start);
                let place = format!("{}:{}:{}", recipe.file.name(), position.line, position.column);
                first_with.insert(name.value.clone(), place);
            }
        }
        checked.push(conclude(recipe, diagnostics, catalog, facts));
    }
    checked
}

fn complaints(recipe: &Recipe, catalog: &Arc<Catalog>, facts: &Facts) -> Vec<Diagnostic> {
    let context = Context::new(recipe, catalog, facts);
    let mut found = Vec::new();
    for rule in rules::ALL {
        rule.check(&context, &mut found);
    }
    found
}

fn conclude(
    recipe: Recipe,
    mut diagnostics: Vec<Diagnostic>,
    catalog: &Arc<Catalog>,
    facts: &Facts,
) -> Checked {
    diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    let file = recipe.file.clone();
    let failed = diagnostics.iter().any(|diagnostic| diagnostic.code.severity() == Severity::Error);
    let recipe = if failed || recipe.is_broken() { None } else { CheckedRecipe::new(recipe, catalog, facts) };
    Checked { file, recipe, diagnostics }
}
