//! Mistakes in YAML itself.

use hob::source::{Data, Node, Span};

use crate::mutant::Edit;
use crate::original::Original;

/// Scalars in double quotes that hold a template.
fn quoted_templates(original: &Original) -> Vec<Span> {
    let spans = original.scalars().into_iter().map(|node| node.span);
    let quoted = spans.filter(|span| {
        let text = original.slice(*span);
        text.starts_with('"') && text.contains("{{")
    });
    quoted.collect()
}

pub fn unquoted_template(original: &Original) -> Vec<Edit> {
    let places = quoted_templates(original).into_iter();
    places.map(|place| Edit::replace(place, original.slice(place).trim_matches('"'))).collect()
}

/// Numbers, flags, lists and mappings put in quotes.
pub fn quoted_value(original: &Original) -> Vec<Edit> {
    let mut found = Vec::new();
    collect(&original.tree, original, &mut found);
    found
        .into_iter()
        .map(|span| Edit::replace(span, format!("'{}'", original.slice(span).trim_end())))
        .collect()
}

fn collect(node: &Node, original: &Original, found: &mut Vec<Span>) {
    let text = original.slice(node.span);
    let flow = text.starts_with(['[', '{']) && !text.contains('\'') && !text.contains('\n');
    if flow || matches!(node.value, Data::Bool(_) | Data::Int(_)) {
        found.push(node.span);
    }
    match &node.value {
        Data::Map(entries) => entries.iter().for_each(|(_, value)| collect(value, original, found)),
        Data::List(items) => items.iter().for_each(|item| collect(item, original, found)),
        _ => {}
    }
}

/// The lines that begin with this many spaces or more, by the place of their first letter.
fn lines(original: &Original) -> Vec<(usize, usize)> {
    let mut at = 0;
    let mut found = Vec::new();
    for line in original.text.split_inclusive('\n') {
        let spaces = line.len() - line.trim_start().len();
        if spaces >= 2 && !line.trim_start().starts_with('#') && line.contains(':') {
            found.push((at, spaces));
        }
        at += line.len();
    }
    found
}

pub fn dedented_line(original: &Original) -> Vec<Edit> {
    let lines = lines(original).into_iter();
    lines.map(|(at, _)| Edit::replace(Span::new(at, at + 2), "")).collect()
}

pub fn tab_indentation(original: &Original) -> Vec<Edit> {
    let lines = lines(original).into_iter();
    lines.map(|(at, spaces)| Edit::replace(Span::new(at, at + spaces), "\t")).collect()
}

pub fn unclosed_braces(original: &Original) -> Vec<Edit> {
    let places = original.expressions().into_iter();
    places.map(|place| Edit::replace(Span::new(place.end, place.end + 1), "")).collect()
}

pub fn unclosed_quote(original: &Original) -> Vec<Edit> {
    let mut places: Vec<Span> =
        quoted_templates(original).iter().map(|place| Span::new(place.end - 1, place.end)).collect();
    places.extend(original.quoted().iter().map(|place| Span::new(place.end - 1, place.end)));
    places.into_iter().map(|place| Edit::replace(place, "")).collect()
}

pub fn single_braces(original: &Original) -> Vec<Edit> {
    let edits = original.expressions().into_iter().map(|place| Edit {
        changes: vec![
            (Span::new(place.start - 1, place.start), String::new()),
            (Span::new(place.end, place.end + 1), String::new()),
        ],
    });
    edits.collect()
}

/// `email:"…"` without a space.
pub fn missing_space(original: &Original) -> Vec<Edit> {
    let colons = original.text.match_indices(": \"").map(|(at, _)| Span::new(at + 1, at + 2));
    let dashes = original.text.match_indices("\n  - ").map(|(at, _)| Span::new(at + 4, at + 5));
    colons.chain(dashes).map(|place| Edit::replace(place, "")).collect()
}
