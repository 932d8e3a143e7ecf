//! What is shown of the place at the pointer: operations, inputs, fields, names in templates, mistakes.

use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind};

use super::completion::{about, input_shape, meaning};
use super::cursor_context::CursorContext;
use super::document_position::{DocumentPosition, TemplateUse, below, use_at};
use super::names::segments;
use super::schema_walk;
use super::text_position::Encoding;
use crate::check::Context;
use crate::diagnostic::Diagnostic;
use crate::reference::{self, words};
use crate::source::{SourceFile, Span};
use crate::template::{self, PathStep, Spec, Use};
use crate::workspace::FileRole;

/// What is shown at the offset of `document`.
pub fn hover(document: &DocumentPosition<'_>, encoding: Encoding) -> Option<Hover> {
    let mut parts = Vec::new();
    let mut place: Option<Span> = None;
    if let Some(context) = document.context()
        && let Some(found) = use_at(&context, document.offset)
        && let Some((text, span)) = of_use(&context, &found, document)
    {
        parts.push(text);
        place = Some(span);
    } else if let Some(located) = document.located() {
        let cursor = document.cursor(&located, encoding);
        let text = match &located.key {
            Some(key) => of_key(&cursor, key),
            None => of_value(&cursor, &document.text_of(&located)),
        };
        if let Some(text) = text {
            parts.push(text);
            place = Some(located.span);
        }
    }
    for found in mistakes(document) {
        let code = found.code;
        parts.push(format!("`{0}`: {1} `hob explain {0}` shows an example.", code.name(), code.summary()));
        place = place.or(Some(found.span));
    }
    if parts.is_empty() {
        return None;
    }
    let value = document.state.redactor.text(&parts.join("\n\n---\n\n"));
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value }),
        range: place.map(|span| encoding.range(document.file, span)),
    })
}

/// The mistakes at the offset, each code once.
fn mistakes<'r>(document: &'r DocumentPosition<'_>) -> Vec<&'r Diagnostic> {
    let report = document.state.reports().get(document.path);
    let offset = document.offset;
    let mut found: Vec<&Diagnostic> = Vec::new();
    for diagnostic in report.iter().flat_map(|report| &report.diagnostics) {
        let is_here = diagnostic.span.start <= offset && offset <= diagnostic.span.end;
        if is_here && !found.iter().any(|known| known.code == diagnostic.code) {
            found.push(diagnostic);
        }
    }
    found
}

fn of_key(cursor: &CursorContext<'_>, key: &str) -> Option<String> {
    if let Some((operation, rest)) = cursor.inputs() {
        if rest.is_empty() {
            return Some(reference::input(operation, &operation.input(key)?, cursor.catalog()));
        }
        let shape = input_shape(operation, &below(rest, key))?;
        return Some(format!("`{key}`: {}", words(shape)));
    }
    if cursor.role == FileRole::Tests
        && let Some(operation) = cursor.catalog().operation(key)
    {
        return Some(of_operation(operation, cursor));
    }
    let root = cursor.schema()?;
    let node = cursor.analysis.node.as_ref();
    let schemas = schema_walk::at(root, &cursor.place.path, node);
    let known = schema_walk::keys(root, &schemas).into_iter().find(|(name, ..)| *name == key);
    let about = known.map(|(_, about, _)| about).filter(|about| !about.is_empty())?;
    Some(format!("`{key}`: {about}"))
}

fn of_value(cursor: &CursorContext<'_>, text: &str) -> Option<String> {
    match cursor.keys().as_slice() {
        [.., "do" | "poll" | "over"] => return Some(of_operation(cursor.catalog().operation(text)?, cursor)),
        ["trigger", "webhook"] | ["trigger", "webhook", ""] if cursor.role == FileRole::Recipe => {
            let (connector, name) = text.split_once('.')?;
            let event = cursor.catalog().connector(connector)?.events.get(name)?;
            let fields: Vec<String> = event.fields.iter().map(|field| format!("`{field}`")).collect();
            let notes = event.notes.join("\n\n");
            return Some(format!("## {text}\n\n{}\n\nFields: {}\n\n{notes}", event.title, fields.join(", ")));
        }
        ["connections", ..] | [.., "connection"] if cursor.role == FileRole::Recipe => {
            let known = cursor.state.info.connections.get(text)?;
            return Some(format!("A connection on `{}`, in hob.yaml.", known.connector));
        }
        [.., "connector"] if cursor.role == FileRole::Settings => {
            let connector = cursor.catalog().connector(text)?;
            return Some(format!("**{}**\n\n{}", connector.title, connector.about));
        }
        _ => {}
    }
    let root = cursor.schema()?;
    let schemas = schema_walk::at(root, &cursor.place.path, None);
    let word = schema_walk::words(root, &schemas).into_iter().find(|word| word.text == text)?;
    (!word.about.is_empty()).then(|| format!("`{text}`: {}", word.about))
}

fn of_operation(usual: &crate::catalog::Operation, cursor: &CursorContext<'_>) -> String {
    let holder = cursor.place.path.split_last().map(|(_, holder)| holder).unwrap_or_default();
    let operation = cursor.operation(&usual.id, holder).unwrap_or(usual);
    let mut text = reference::brief(operation, cursor.catalog());
    if let Some(shape) = operation.result_shape() {
        let fields: Vec<String> = shape.fields.keys().map(|name| format!("`{name}`")).collect();
        text.push_str(&format!("- result: {}", words(shape)));
        if !fields.is_empty() {
            text.push_str(&format!(" with {}", fields.join(", ")));
        }
        text.push('\n');
    }
    operation.notes.iter().for_each(|note| text.push_str(&format!("\n{note}\n")));
    text
}

/// What a name in a template is, and the place of the part of it that is meant.
fn of_use(
    context: &Context<'_>,
    found: &TemplateUse<'_>,
    document: &DocumentPosition<'_>,
) -> Option<(String, Span)> {
    let of_spec = |specs: &[Spec], name: &str| {
        let spec = specs.iter().find(|spec| spec.name == name)?;
        Some((format!("```text\n{}\n```\n\n{}", spec.signature, about(spec)), found.span))
    };
    match found.used {
        Use::Filter { name, .. } => of_spec(template::filters(), name),
        Use::Function { name, .. } => of_spec(template::functions(), name),
        Use::Test { name, .. } => of_spec(template::tests(), name),
        Use::Omit { .. } => Some(("`omit`: leaves the input out.".to_owned(), found.span)),
        Use::Path { root, steps, .. } => {
            let (taken, span) = part_at(document.file, found.span, root, steps, document.offset);
            let shown = shown(root, &steps[..taken]);
            Some((of_path(context, found, root, &steps[..taken], &shown)?, span))
        }
    }
}

/// How many steps of the path at `span` lead to the part at `offset`, and the place up to there.
fn part_at(file: &SourceFile, span: Span, root: &str, steps: &[PathStep], offset: usize) -> (usize, Span) {
    let parts = segments(file.slice(span));
    let is_plain = parts.len() == steps.len() + 1 && parts.first().is_some_and(|(_, name)| name == root);
    let at = parts.iter().position(|(range, _)| offset <= span.start + range.end);
    match at.filter(|_| is_plain) {
        Some(at) => (at, Span::new(span.start, span.start + parts[at].0.end)),
        None => (steps.len(), span),
    }
}

fn shown(root: &str, steps: &[PathStep]) -> String {
    steps.iter().fold(root.to_owned(), |path, step| match step {
        PathStep::Field(name) => format!("{path}.{name}"),
        PathStep::Item => format!("{path}[…]"),
    })
}

fn of_path(
    context: &Context<'_>,
    found: &TemplateUse<'_>,
    root: &str,
    steps: &[PathStep],
    shown: &str,
) -> Option<String> {
    let shape = context.shape_at(&found.site.position, root, steps);
    let shape = shape.map(|shape| words(&shape));
    let about = match (root, steps) {
        (_, []) => meaning(root).map(str::to_owned),
        ("steps", [PathStep::Field(id)]) => {
            let action = context.recipe.all_actions().find(|action| action.id == *id)?;
            let title = context.operation(action).map(|operation| operation.title.clone());
            Some(format!("The result of `{}`: {}.", action.operation.value, title.unwrap_or_default()))
        }
        ("vars", [PathStep::Field(name)]) => {
            let (_, value) = context.recipe.vars.get_key_value(name.as_str())?;
            Some(format!(
                "A variable of this recipe:\n\n```yaml\n{}\n```",
                context.recipe.file.slice(value.span)
            ))
        }
        ("env", [PathStep::Field(_)]) => {
            Some("A variable of the environment, listed under `env` in hob.yaml.".to_owned())
        }
        _ => None,
    };
    match (shape, about) {
        (None, None) => None,
        (shape, about) => {
            let kind = shape.map(|shape| format!(": {shape}")).unwrap_or_default();
            let about = about.map(|about| format!("\n\n{about}")).unwrap_or_default();
            Some(format!("`{shown}`{kind}{about}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_at_the_pointer_is_meant() {
        let text = "{{ steps.a[0].name }}";
        let file = SourceFile::new("a", text);
        let span = Span::new(3, 18);
        let steps = [PathStep::Field("a".into()), PathStep::Item, PathStep::Field("name".into())];
        let at = |offset| part_at(&file, span, "steps", &steps, offset).0;
        assert_eq!([at(4), at(9), at(10), at(15)], [0, 1, 1, 3]);
        assert_eq!(shown("steps", &steps), "steps.a[…].name");
    }
}
