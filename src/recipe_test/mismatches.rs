//! Tests that do not fit their recipe, found without running them.

use super::file::TestFile;
use super::tested_recipe::NoRecipe;
use crate::check::CheckedRecipe;
use crate::diagnostic::{Code, Diagnostic, list_some};

impl TestFile {
    /// What is wrong with the tests beside their recipes, which `recipe_of` finds; a recipe's own mistakes are told with
    /// it.
    pub fn mistakes<'r>(
        self,
        recipe_of: impl Fn(&Self) -> Result<&'r CheckedRecipe, NoRecipe>,
    ) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for tests in self.by_recipe() {
            match recipe_of(&tests) {
                Ok(recipe) => found.extend(mismatches(&tests, recipe)),
                Err(none) if none.is_broken => {}
                Err(none) => found.push(none.diagnostic),
            }
        }
        found
    }
}

/// What `tests` expect of steps that `recipe` does not have.
pub fn mismatches(tests: &TestFile, recipe: &CheckedRecipe) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let ids = || recipe.all_actions().map(|action| action.id.clone());
    for id in tests.cases.iter().flat_map(|case| case.expected.steps.iter().flatten()).map(|(id, _)| id) {
        // The cases of a table share what their test expects.
        let is_told = |found: &[Diagnostic]| found.iter().any(|other| other.span == id.span);
        if ids().any(|known| known == id.value) || is_told(&found) {
            continue;
        }
        let known: Vec<String> = ids().collect();
        let names = || known.iter().map(String::as_str);
        let message = format!("recipe `{}` has no step `{}`", recipe.name(), id.value);
        let diagnostic = Diagnostic::new(Code::UnknownStep, id.span, message);
        found.push(diagnostic.help(format!("its steps: {}", list_some(names()))).suggest(id, names()));
    }
    found
}
