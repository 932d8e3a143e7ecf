//! Shapes in words and as trees.

use std::fmt::Write;

use crate::value::{Kind, Shape};

/// Allowed values that are listed; of more, only the first few and their number.
const MAX_VALUES: usize = 24;
/// The number of these few.
const FEW_VALUES: usize = 6;

/// The type in words, with allowed values, format and limits.
pub fn words(shape: &Shape) -> String {
    let mut words = bare(shape);
    let mut more: Vec<String> = shape.format.iter().cloned().collect();
    more.extend(match (shape.minimum, shape.maximum) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("at least {least}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        (None, None) => None,
    });
    if !more.is_empty() {
        words = format!("{words} ({})", more.join(", "));
    }
    if shape.nullable {
        words.push_str(" or null");
    }
    if !shape.one_of.is_empty() {
        let names: Vec<String> = shape.one_of.iter().map(|name| format!("`{name}`")).collect();
        let _ = write!(words, " with {}", names.join(" or "));
    }
    words
}

fn bare(shape: &Shape) -> String {
    if shape.values.len() > MAX_VALUES {
        let few: Vec<String> = shape.values.iter().take(FEW_VALUES).map(ToString::to_string).collect();
        return format!("one of {}, … ({} in all)", few.join(", "), shape.values.len());
    }
    if !shape.any_of.is_empty() {
        let mut all: Vec<String> = shape.any_of.iter().map(words).collect();
        all.dedup();
        return all.join(" or ");
    }
    match (shape.kind, &shape.items, &shape.entries) {
        (Kind::Array, Some(items), _) if items.kind != Kind::Any => format!("a list of {}", words(items)),
        (Kind::Object, _, Some(entries)) if entries.kind != Kind::Any => {
            format!("a mapping of any names to {}", words(entries))
        }
        _ => shape.describe(),
    }
}

/// The named parts of a value with all their names; of its items, if it is a list or a map.
fn parts(shape: &Shape) -> impl Iterator<Item = (Vec<&str>, &Shape)> {
    let inner = shape.items.as_deref().or(shape.entries.as_deref()).unwrap_or(shape);
    inner.fields.iter().map(|(name, part)| {
        let others = inner.also.iter().filter(|(_, own)| *own == name).map(|(other, _)| other.as_str());
        (std::iter::once(name.as_str()).chain(others).collect(), part)
    })
}

/// One line per part, to a depth of `deepest`, formatted by `line` from depth, names and shape.
pub(super) fn tree(shape: &Shape, deepest: usize, line: &mut dyn FnMut(usize, &[&str], &Shape)) {
    descend(shape, 0, deepest, line);
}

fn descend(shape: &Shape, depth: usize, deepest: usize, line: &mut dyn FnMut(usize, &[&str], &Shape)) {
    if depth >= deepest {
        return;
    }
    for (names, part) in parts(shape) {
        line(depth, &names, part);
        descend(part, depth + 1, deepest, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(yaml: &str) -> Shape {
        serde_yaml::from_str(yaml).expect("a shape")
    }

    #[test]
    fn says_type_format_and_limit() {
        assert_eq!(words(&shape("{ type: integer, maximum: 9 }")), "a whole number (at most 9)");
        assert_eq!(words(&shape("{ type: number, minimum: 1, maximum: 9 }")), "a number (1 to 9)");
        assert_eq!(words(&shape("{ type: string, format: date, nullable: true }")), "text (date) or null");
        let list = shape("{ type: array, items: { type: string, enum: [a, b] } }");
        assert_eq!(words(&list), "a list of one of \"a\", \"b\"");
    }

    #[test]
    fn many_values_are_counted() {
        let many = Shape { values: (0..200).map(Into::into).collect(), ..Shape::new(Kind::Integer) };
        assert_eq!(words(&many), "one of 0, 1, 2, 3, 4, 5, … (200 in all)");
    }

    #[test]
    fn a_tree_goes_through_lists_and_stops() {
        let deep = shape(
            "type: object\nfields: { a: { type: array, items: { type: object, also: { bee: b }, fields: { b: { type: object, fields: { c: {} } } } } } }",
        );
        let mut seen = Vec::new();
        tree(&deep, 2, &mut |depth, names, _| seen.push((depth, names.join("/"))));
        assert_eq!(seen, [(0, "a".to_owned()), (1, "b/bee".to_owned())]);
    }
}
