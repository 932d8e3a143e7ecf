//! Recipe text → `Recipe`, with everything that is wrong with it.

use super::model::Recipe;
use super::{lower, structure, syntax};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{self, SourceFile, Span};

/// What reading a recipe's text found.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The recipe; a mended one if there are errors, so that checking finds more of them. `None`
    /// when there is nothing to go on with.
    pub recipe: Option<Recipe>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a recipe, all mistakes at once. Never panics, whatever the text.
pub fn parse(file: &SourceFile) -> Parsed {
    let tree = source::parse(file);
    let mut diagnostics: Vec<Diagnostic> = tree.errors.into_iter().map(Diagnostic::from).collect();
    let Some(node) = tree.node else {
        if diagnostics.is_empty() {
            let place = Span::new(0, file.text().len());
            let message = "the file is empty; a recipe needs `name`, `trigger` and `actions`";
            diagnostics.push(Diagnostic::new(Code::MissingField, place, message));
        }
        return Parsed { recipe: None, diagnostics };
    };
    let checked = structure::check(super::schema(), &node, tree.incomplete, "a recipe");
    diagnostics.extend(checked.diagnostics);
    let recipe = match source::read::<syntax::Recipe>(&checked.node) {
        Ok(recipe) => recipe,
        Err(error) => {
            let place = error.span.unwrap_or(node.span);
            if diagnostics.is_empty() {
                diagnostics.push(Diagnostic::new(Code::WrongType, place, error.message));
            }
            return Parsed { recipe: None, diagnostics };
        }
    };
    let (mut recipe, mistakes) = lower::lower(recipe, file, checked.lost);
    diagnostics.extend(mistakes);
    recipe.broken = !diagnostics.is_empty();
    Parsed { recipe: Some(recipe), diagnostics }
}
