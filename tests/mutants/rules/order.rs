//! What is missing, and what stands in the wrong place.

use hob::source::{Data, Node, Span};

use crate::mutant::Edit;
use crate::original::{Entry, Original};

pub fn swapped_steps(original: &Original) -> Vec<Edit> {
    let steps = original.steps();
    let pairs = steps.windows(2).filter_map(|pair| {
        let [first, second] = pair else { return None };
        Some(Edit::swap(original, trimmed(original, first.node.span), trimmed(original, second.node.span)))
    });
    pairs.collect()
}

pub fn deleted_step(original: &Original) -> Vec<Edit> {
    let steps = original.steps();
    steps.iter().map(|step| Edit::replace(whole_item(original, step.node.span), "")).collect()
}

/// A step that is left out at times gets a condition that it did not have.
pub fn skippable_step(original: &Original) -> Vec<Edit> {
    let steps = original.steps();
    let named = steps.iter().filter(|step| step.node.get("id").is_some() && step.node.get("if").is_none());
    let edits = named.map(|step| {
        Edit::insert(step.node.span.start, "if: \"{{ 'vip' in event.tags | default([]) }}\"\n    ".to_owned())
    });
    edits.collect()
}

pub fn duplicated_step(original: &Original) -> Vec<Edit> {
    let steps = original.steps();
    let named = steps.iter().filter(|step| step.node.get("id").is_some());
    let edits = named.map(|step| {
        let whole = whole_item(original, step.node.span);
        Edit::insert(whole.end, original.slice(whole))
    });
    edits.collect()
}

fn variables(original: &Original) -> &[Entry] {
    original.tree.get("vars").and_then(|vars| vars.as_map()).unwrap_or_default()
}

pub fn swapped_variables(original: &Original) -> Vec<Edit> {
    let place = |(key, value): &Entry| key.span.to(value.span);
    let pairs = variables(original).windows(2).filter_map(|pair| {
        let [first, second] = pair else { return None };
        Some(Edit::swap(original, trimmed(original, place(first)), trimmed(original, place(second))))
    });
    pairs.collect()
}

pub fn deleted_variable(original: &Original) -> Vec<Edit> {
    if variables(original).len() < 2 {
        return Vec::new();
    }
    variables(original).iter().map(|entry| Edit::replace(whole_entry(original, entry), "")).collect()
}

/// An input that the operation needs.
pub fn deleted_input(original: &Original) -> Vec<Edit> {
    let inputs = original.inputs().into_iter();
    let edits = inputs.filter_map(|(with, entry, input)| {
        let only = with.as_map()?.len() == 1;
        if !input?.shape.required && !only {
            return None;
        }
        Some(match only {
            true => Edit::replace(with.span, "{}"),
            false => Edit::replace(whole_entry(original, entry), ""),
        })
    });
    edits.collect()
}

/// A field of a step, of the trigger or of the recipe that changes what it does.
pub fn deleted_field(original: &Original) -> Vec<Edit> {
    let mut found: Vec<&Entry> = Vec::new();
    let nodes: Vec<&Node> = original.steps().iter().map(|step| step.node).collect();
    for node in nodes {
        let entries = node.as_map().into_iter().flatten();
        found.extend(
            entries.filter(|(key, _)| ["pick", "for_each", "as", "do", "with", "id"].contains(&key.as_str())),
        );
    }
    let top = original.tree.as_map().into_iter().flatten();
    found.extend(top.filter(|(key, _)| ["name", "trigger", "actions", "vars"].contains(&key.as_str())));
    let edits = found.into_iter().filter_map(|(key, value)| {
        // A first field stands behind the dash.
        let line = original.text[..key.span.start].rfind('\n').map_or(0, |at| at + 1);
        match original.text[line..key.span.start].contains('-') {
            true => {
                let next =
                    value.span.end + original.text[value.span.end..].find(|c: char| !c.is_whitespace())?;
                let inside = original.text[value.span.end..next].contains('\n');
                inside.then(|| Edit::replace(Span::new(key.span.start, next), ""))
            }
            false => Some(Edit::replace(whole_entry(original, &(key.clone(), value.clone())), "")),
        }
    });
    edits.collect()
}

/// The place without white space at its end.
fn trimmed(original: &Original, place: Span) -> Span {
    Span::new(place.start, place.start + original.slice(place).trim_end().len())
}

/// An item of a block list, from its dash to its line's end.
fn whole_item(original: &Original, place: Span) -> Span {
    let dash = original.text[..place.start].rfind('-').unwrap();
    let line = original.text[..dash].rfind('\n').map_or(0, |at| at + 1);
    let end = trimmed(original, place).end;
    Span::new(line, original.text[end..].find('\n').map_or(original.text.len(), |at| end + at + 1))
}

/// An entry with what separates it from the next one.
pub fn whole_entry(original: &Original, (key, value): &Entry) -> Span {
    let (text, start) = (&original.text, key.span.start);
    let end = match &value.value {
        Data::Null => key.span.end,
        _ => trimmed(original, value.span).end,
    };
    let rest = &text[end..];
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    if text[line..start].trim().is_empty() {
        return Span::new(line, rest.find('\n').map_or(text.len(), |at| end + at + 1));
    }
    if rest.starts_with(", ") {
        return Span::new(start, end + 2);
    }
    match text[..start].strip_suffix(", ") {
        Some(before) => Span::new(before.len(), end),
        None => Span::new(start, end),
    }
}
