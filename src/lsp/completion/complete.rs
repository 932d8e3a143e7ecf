//! Which completions fit the cursor.

use lsp_types::{CompletionItem, CompletionItemKind};

use super::item::Items;
use super::{fields, template, values};
use crate::diagnostic::{Code, Severity};
use crate::lsp::cursor_context::CursorContext;
use crate::lsp::outline::{Part, Role};

/// The completions at `cursor`, the likeliest first.
pub fn complete(cursor: &CursorContext<'_>) -> Vec<CompletionItem> {
    if let Some(expression) = &cursor.expression {
        return template::complete(cursor, expression).into_items();
    }
    match cursor.place.role {
        Role::Comment => allowances(cursor).into_items(),
        Role::Value => values::complete(cursor).into_items(),
        Role::Key => {
            let mut items = fields::complete(cursor);
            if matches!(cursor.place.path.last(), Some(Part::Item(_))) {
                items.extend(values::complete(cursor));
            }
            items.into_items()
        }
    }
}

/// Codes of warnings, behind `# hob: allow`.
fn allowances(cursor: &CursorContext<'_>) -> Items {
    let before = &cursor.file.text()[..cursor.offset];
    let line = before.rsplit('\n').next().unwrap_or_default();
    let word = line.rsplit(char::is_whitespace).next().unwrap_or_default();
    let mut items = Items::new(cursor.word(cursor.offset - word.len(), |c| c.is_alphanumeric() || c == '-'));
    if line[..line.len() - word.len()].trim_end().ends_with("hob: allow") {
        for code in Code::ALL.iter().filter(|code| code.severity() == Severity::Warning) {
            let text = format!("{} because ", code.name());
            items.add(code.name(), CompletionItemKind::CONSTANT, "", code.summary(), &text);
        }
    }
    items
}
