//! `${NAME}` and `${NAME:-default}` in `hob.yaml`, from a given environment.
//!
//! In `{ token: ${TOKEN} }` YAML would treat the braces as its own. So they are masked, byte for byte, before the
//! text is parsed, and the masks are replaced in the tree's texts.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::source::{Data, Node, Span};

/// Mask of `${`, also two bytes long. Not used in settings.
const OPEN: char = '\u{7fa}';
/// Mask of `}`. Defaults that contain it are not masked.
const CLOSE: char = '`';

/// An unset variable without a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unset {
    /// Its name.
    pub name: String,
    /// The value that contains it.
    pub span: Span,
}

/// A text of the same length in which variables look like plain text to YAML.
pub(super) fn mask(text: &str) -> String {
    let mut masked = text.to_owned();
    let mut from = 0;
    while let Some(at) = text[from..].find("${").map(|at| from + at) {
        from = at + 2;
        let Some(variable) = variable(text, at).filter(|_| !escaped(text, at)) else { continue };
        masked.replace_range(at..at + 2, OPEN.encode_utf8(&mut [0; 2]));
        masked.replace_range(variable.end..variable.end + 1, CLOSE.encode_utf8(&mut [0; 1]));
        from = variable.end + 1;
    }
    masked
}

/// The range inside `${…}` at `at`, if it is a variable.
fn variable(text: &str, at: usize) -> Option<Range<usize>> {
    let inside = &text[at + 2..];
    let length = inside.find(['}', '\n', CLOSE]).filter(|end| inside[*end..].starts_with('}'))?;
    let name = inside[..length].split(":-").next().unwrap_or_default();
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let fits = plain && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    fits.then_some(at + 2..at + 2 + length)
}

/// Whether `$${NAME}` escapes it.
fn escaped(text: &str, at: usize) -> bool {
    text[..at].ends_with('$')
}

/// Replaces the masks in all texts below `node`; unset variables become empty.
pub(super) fn fill(node: &mut Node, variables: &BTreeMap<String, String>, unset: &mut Vec<Unset>) {
    let span = node.span;
    match &mut node.value {
        Data::Text(text) => *text = filled(text, span, variables, unset),
        Data::List(items) => items.iter_mut().for_each(|item| fill(item, variables, unset)),
        Data::Map(entries) => entries.iter_mut().for_each(|(_, value)| fill(value, variables, unset)),
        Data::Null | Data::Bool(_) | Data::Int(_) | Data::Float(_) => {}
    }
}

fn filled(text: &str, span: Span, variables: &BTreeMap<String, String>, unset: &mut Vec<Unset>) -> String {
    let mut parts = text.split(OPEN);
    let mut filled = parts.next().unwrap_or_default().replace("$${", "${");
    for part in parts {
        let (inside, rest) = part.split_once(CLOSE).unwrap_or((part, ""));
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        match (variables.get(name).filter(|value| !value.is_empty()), default) {
            (Some(value), _) => filled.push_str(value),
            (None, Some(default)) => filled.push_str(default),
            (None, None) => unset.push(Unset { name: name.to_owned(), span }),
        }
        filled.push_str(&rest.replace("$${", "${"));
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, parse};
    use proptest::prelude::*;

    fn expanded(text: &str) -> (serde_json::Value, Vec<String>) {
        let parsed = parse(&SourceFile::new("hob.yaml", mask(text)));
        assert_eq!(parsed.errors, []);
        let mut node = parsed.node.expect("a tree");
        let variables = [("KEY", "k-1"), ("EMPTY", "")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let mut unset = Vec::new();
        fill(&mut node, &BTreeMap::from(variables), &mut unset);
        (node.to_value(), unset.into_iter().map(|unset| unset.name).collect())
    }

    #[test]
    fn variables_stand_anywhere_in_text() {
        let (value, unset) = expanded(
            "a: { token: ${KEY} }\nb: \"x${KEY}y${NONE:-z}\"\nc: ${LISTEN:-127.0.0.1:8787}\nd: ${EMPTY:-}\ne: $${KEY}\n",
        );
        let wanted = serde_json::json!({
            "a": { "token": "k-1" }, "b": "xk-1yz", "c": "127.0.0.1:8787", "d": "", "e": "${KEY}",
        });
        assert_eq!(value, wanted);
        assert!(unset.is_empty(), "{unset:?}");
    }

    #[test]
    fn unset_variables_are_reported() {
        assert_eq!(expanded("a: [${ONE}, '${EMPTY}']").1, ["ONE", "EMPTY"]);
    }

    proptest! {
        #[test]
        fn masking_keeps_every_place(text in "[${}:a-z`é -]{0,40}") {
            prop_assert_eq!(mask(&text).len(), text.len());
        }
    }
}
