//! Inputs that one operation or event gives to another operation: `with:` of a probe, an alternative and `hydrate`.
//! What may stand in it is the same everywhere: `{{ … }}` for what is passed on, a constant otherwise.

use indexmap::IndexMap;

use super::path;
use super::placeholder::{PlaceholderName, ValueTemplate};

/// The inputs of the other operation: name → value.
pub type NestedInputs<N> = IndexMap<String, ValueTemplate<N>>;

/// An input of the operation around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputName(pub String);

/// A place in the body of an event, by JSONPath.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyPath(pub String);

impl PlaceholderName for InputName {
    fn read(text: &str) -> Result<Self, String> {
        match text.is_empty() || is_path(text) || text.contains(['{', '}', ' ']) {
            true => Err(format!("`{{{{ {text} }}}}` names no input of the operation around it")),
            false => Ok(Self(text.to_owned())),
        }
    }

    fn text(&self) -> &str {
        &self.0
    }

    fn old_notation(text: &str) -> Option<String> {
        is_path(text)
            .then(|| format!("`{text}`: there is nothing to read here; write `{{{{ name }}}}` for an input"))
    }
}

impl PlaceholderName for BodyPath {
    fn read(text: &str) -> Result<Self, String> {
        if !is_path(text) {
            let place = format!("`{{{{ {text} }}}}` names no place in the event");
            return Err(format!("{place}; write a JSONPath of its body, as `{{{{ $.id }}}}`"));
        }
        path::check(text).map_err(|reason| format!("`{text}` is no JSONPath: {reason}"))?;
        Ok(Self(text.to_owned()))
    }

    fn text(&self) -> &str {
        &self.0
    }

    fn old_notation(text: &str) -> Option<String> {
        is_path(text).then(|| format!("a path is a placeholder now: write `{{{{ {text} }}}}`"))
    }
}

/// Whether `text` looks like a JSONPath, and not like a price.
fn is_path(text: &str) -> bool {
    text == "$" || text.starts_with("$.") || text.starts_with("$[")
}
