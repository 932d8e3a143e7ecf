//! What can be done about a mistake: the safe change that mends it, or a comment that allows it.

use std::collections::BTreeMap;

use lsp_types::{Range, TextEdit};
use serde_json::{Value, json};

use super::diagnostics;
use super::document_position::DocumentPosition;
use super::outline::{self, Role};
use super::text_position::Encoding;
use super::uri;
use crate::diagnostic::{Applicability, Diagnostic, Severity};
use crate::source::Span;

/// The actions for mistakes that touch `range`.
pub fn code_actions(document: &DocumentPosition<'_>, range: Range, encoding: Encoding) -> Vec<Value> {
    let wanted = encoding.span(document.file, range);
    let report = document.state.reports().get(document.path);
    // A report of an earlier text has other places.
    let report = report.filter(|report| report.file.text().len() == document.file.text().len());
    let touches = |found: &&Diagnostic| found.span.start <= wanted.end && wanted.start <= found.span.end;
    let found = report.iter().flat_map(|report| &report.diagnostics).filter(touches);
    found.flat_map(|found| actions(found, document, encoding)).collect()
}

fn actions(found: &Diagnostic, document: &DocumentPosition<'_>, encoding: Encoding) -> Vec<Value> {
    let mut actions = Vec::new();
    let mut add = |title: String, edits: Vec<TextEdit>, is_preferred: bool| {
        let Some(uri) = uri::of(document.path) else { return };
        let changes = BTreeMap::from([(uri.as_str().to_owned(), edits)]);
        let told = diagnostics::one(found, document.file, encoding, &document.state.redactor);
        actions.push(json!({
            "title": title,
            "kind": "quickfix",
            "diagnostics": [told],
            "isPreferred": is_preferred,
            "edit": { "changes": changes },
        }));
    };
    if let Some(fix) = found.fix.as_ref().and_then(|fix| fix.located(document.file)) {
        let edits = fix
            .edits
            .iter()
            .map(|edit| TextEdit::new(encoding.range(document.file, edit.span), edit.replacement.clone()));
        let is_safe = fix.applicability == Applicability::Safe;
        add(document.state.redactor.text(&fix.title), edits.collect(), is_safe);
    }
    if found.code.severity() == Severity::Warning
        && let Some(edit) = allowance(found, document, encoding)
    {
        add(format!("Allow `{}` here, and say why", found.code.name()), vec![edit], false);
    }
    actions
}

/// The comment that allows a warning, on a line of its own before it. It lacks the reason, which only the author knows,
/// and without which it does not count.
fn allowance(found: &Diagnostic, document: &DocumentPosition<'_>, encoding: Encoding) -> Option<TextEdit> {
    let file = document.file;
    let line = file.line_span(file.position(found.span.start).line);
    let text = file.slice(line);
    let indent = &text[..text.len() - text.trim_start().len()];
    // Within a text of several lines, a comment would be a part of it.
    let place = outline::place(&file.text()[..line.start + indent.len()]);
    if place.role == Role::Value && (place.block || place.quoted) {
        return None;
    }
    let at = Span::new(line.start, line.start);
    let comment = format!("{indent}# hob: allow {} because \n", found.code.name());
    Some(TextEdit::new(encoding.range(file, at), comment))
}
