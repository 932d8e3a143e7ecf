//! An operation as a page of text: the same facts that everything else reads from the catalog.

use std::fmt::Write;

use super::list::{kinds, request_line};
use super::snippet::snippets;
use crate::catalog::{ArrayStyle, Effect, Encoding, Input, Operation, Paging, Place};
use crate::cli::table::table;
use crate::value::{Kind, Shape};

/// Levels of a result that are shown; below, its type has to do.
const DEEPEST: usize = 4;

/// The whole page.
pub(super) fn page(operation: &Operation) -> String {
    let mut text = format!("{} · {}\n{}\n\n", operation.id, operation.title, operation.summary);
    facts(operation, &mut text);
    inputs(operation, &mut text);
    result(operation, &mut text);
    paging(operation, &mut text);
    if !operation.notes.is_empty() {
        text.push_str("\nNotes\n");
        operation.notes.iter().for_each(|note| push(&mut text, &format!("  - {note}")));
    }
    for recipe in snippets(operation) {
        text.push_str("\nA recipe to start from\n");
        recipe.lines().for_each(|line| push(&mut text, &format!("  {line}")));
    }
    text
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn facts(operation: &Operation, text: &mut String) {
    let effect = match operation.effect {
        Effect::Read => "read: changes nothing",
        Effect::Idempotent => "idempotent: twice is the same as once",
        Effect::Create => "create: twice makes two",
    };
    let mut facts = vec![
        ("request", request_line(operation)),
        ("connector", operation.connector.clone()),
        ("kinds", kinds(operation)),
        ("effect", effect.to_owned()),
    ];
    facts.extend(operation.version.clone().map(|version| ("version", version)));
    if let Some(body) = operation.body.as_ref().filter(|body| body.encoding != Encoding::Json) {
        facts.push(("body", if body.encoding == Encoding::Form { "form" } else { "multipart" }.to_owned()));
    }
    let listed = [("scopes", &operation.scopes), ("token", &operation.access)];
    facts.extend(
        listed.into_iter().filter(|(_, all)| !all.is_empty()).map(|(name, all)| (name, all.join(", "))),
    );
    facts.extend(
        operation
            .probe
            .as_ref()
            .map(|probe| ("probe", format!("{} tells whether it happened", probe.operation))),
    );
    if operation.deprecated {
        facts.push(("deprecated", "the vendor advises against it".to_owned()));
    }
    for (name, value) in facts {
        push(text, &format!("  {name:<11}{value}"));
    }
}

fn inputs(operation: &Operation, text: &mut String) {
    let inputs = operation.inputs();
    if inputs.is_empty() {
        text.push_str("\nNo inputs\n");
        return;
    }
    let own = operation.list.as_ref().map(|list| list.paging.inputs()).unwrap_or_default();
    let mut rows = Vec::new();
    for input in &inputs {
        rows.push(vec![
            input.name.to_owned(),
            input.shape.describe(),
            place(operation, input),
            remark(input, &own),
        ]);
        members(input.shape, 1, &mut rows);
    }
    text.push_str("\nInputs\n");
    for line in table(&["NAME", "TYPE", "WHERE", ""], rows).lines() {
        push(text, &format!("  {line}"));
    }
    if !operation.one_of.is_empty() {
        push(text, &format!("  One of these is needed: {}.", operation.one_of.join(", ")));
    }
    if operation.takes_any_input() {
        push(text, "  Further inputs are passed on as they are.");
    }
}

/// Rows for what an input is made of.
fn members(shape: &Shape, depth: usize, rows: &mut Vec<Vec<String>>) {
    let (prefix, shape) = match &shape.items {
        Some(items) => ("- ", items.as_ref()),
        None => ("", shape),
    };
    if depth >= DEEPEST {
        return;
    }
    for (name, member) in &shape.fields {
        let required = if member.required { "required" } else { "" };
        let name = format!("{}{prefix}{name}", "  ".repeat(depth));
        rows.push(vec![name, member.describe(), String::new(), required.to_owned()]);
        members(member, depth + 1, rows);
    }
}

fn place(operation: &Operation, input: &Input<'_>) -> String {
    let style = operation.parameters.get(input.name).map(|parameter| parameter.style);
    let listed = input.shape.kind == Kind::Array;
    match input.place {
        Some(Place::Path) => "path".into(),
        Some(Place::Query) if listed && style == Some(ArrayStyle::Comma) => "query, comma-separated".into(),
        Some(Place::Query) => "query".into(),
        Some(Place::Header) => "header".into(),
        None if operation.body.is_some() => "body".into(),
        None => String::new(),
    }
}

fn remark(input: &Input<'_>, own: &[&str]) -> String {
    let mut words: Vec<String> = Vec::new();
    if input.shape.required {
        words.push("required".into());
    }
    words.extend(input.shape.format.clone());
    words.extend(input.shape.maximum.map(|most| format!("at most {most}")));
    if own.contains(&input.name) {
        words.push("set by hob when it polls".into());
    }
    words.join(", ")
}

fn result(operation: &Operation, text: &mut String) {
    let path = if operation.result.is_empty() { "$".to_owned() } else { operation.result.join(" or ") };
    let _ = writeln!(text, "\nResult ({path})");
    if let Some(media) = &operation.download {
        push(text, &format!("  a file ({media})"));
        return;
    }
    match operation.result_shape() {
        Some(shape) => {
            push(text, &format!("  {}", shape.describe()));
            tree(shape, 2, text);
        }
        None => push(text, "  any value"),
    }
}

fn tree(shape: &Shape, depth: usize, text: &mut String) {
    let shape = shape.items.as_deref().unwrap_or(shape);
    if depth > DEEPEST {
        return;
    }
    for (name, member) in &shape.fields {
        push(text, &format!("{}{name}: {}", "  ".repeat(depth), member.describe()));
        tree(member, depth + 1, text);
    }
}

fn paging(operation: &Operation, text: &mut String) {
    let Some(list) = &operation.list else { return };
    text.push_str("\nPolling\n");
    push(text, &format!("  items      {}", list.items.join(" or ")));
    let known = |fields: &[String]| {
        if fields.is_empty() { "the item itself".to_owned() } else { fields.join(" or ") }
    };
    push(text, &format!("  id         {}", known(&list.id)));
    let time = list.updated.as_ref().or(list.created.as_ref());
    push(
        text,
        &format!(
            "  changes    {}",
            time.map_or("by content".to_owned(), |field| format!("by {field} and content"))
        ),
    );
    let pages = match &list.paging {
        Paging::None => "one answer holds everything".to_owned(),
        Paging::Offset { offset, limit, size } => format!("{offset} and {limit}, {size} at a time"),
        Paging::Page { page, size, .. } => format!("numbered by {page}, {size} at a time"),
        Paging::Cursor { next, .. } => {
            format!("by cursor: {}", next.keys().cloned().collect::<Vec<_>>().join(", "))
        }
        Paging::Link { .. } => "the answer links to the next page".to_owned(),
    };
    push(text, &format!("  pages      {pages}"));
}
