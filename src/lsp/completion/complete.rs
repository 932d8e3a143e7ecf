//! Which completions fit the cursor.

use lsp_types::{CompletionItem, CompletionItemKind};

use super::item::Items;
use super::{fields, template, values};
use crate::diagnostic::{Code, Severity};
use crate::lsp::outline::{Part, Role};
use crate::lsp::view::View;

/// The completions at the cursor of `view`, the likeliest first.
pub fn complete(view: &View<'_>) -> Vec<CompletionItem> {
    if let Some(expression) = &view.expression {
        return template::complete(view, expression).into_items();
    }
    match view.place.role {
        Role::Comment => allowances(view).into_items(),
        Role::Value => values::complete(view).into_items(),
        Role::Key => {
            let mut items = fields::complete(view);
            if matches!(view.place.path.last(), Some(Part::Item(_))) {
                items.extend(values::complete(view));
            }
            items.into_items()
        }
    }
}

/// Codes of warnings, behind `# hob: allow`.
fn allowances(view: &View<'_>) -> Items {
    let before = &view.file.text()[..view.offset];
    let line = before.rsplit('\n').next().unwrap_or_default();
    let word = line.rsplit(char::is_whitespace).next().unwrap_or_default();
    let mut items = Items::new(view.word(view.offset - word.len(), |c| c.is_alphanumeric() || c == '-'));
    if line[..line.len() - word.len()].trim_end().ends_with("hob: allow") {
        for code in Code::ALL.iter().filter(|code| code.severity() == Severity::Warning) {
            let text = format!("{} because ", code.name());
            items.add(code.name(), CompletionItemKind::CONSTANT, "", code.summary(), &text);
        }
    }
    items
}
