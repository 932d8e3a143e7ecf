//! Inputs that one operation or event gives to another operation: `with:` of a probe, an alternative and `hydrate`.
//! What may stand in it is the same everywhere: `{{ … }}` for what is passed on, a constant otherwise.

use indexmap::IndexMap;

use super::placeholder::{PlaceholderName, ValueTemplate};
use super::{Operation, Place, path};
use crate::diagnostic::closest;

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

impl Operation {
    /// What is wrong with a placeholder that names nothing of this operation, or with a name that is no placeholder;
    /// and the keys that lead to it.
    pub(super) fn wrong_placeholder(&self) -> Option<(Vec<String>, String)> {
        let is_parameter = |name: &str| {
            self.parameters.iter().any(|(own, p)| p.place == Place::Path && p.on_wire(own) == name)
        };
        if let Some(name) = self.path.names().find(|name| !is_parameter(name)) {
            let reason =
                format!("`{{{name}}}` is no path parameter; describe it under `parameters`, with `in: path`");
            return Some((vec!["path".to_owned()], reason));
        }
        let probe = self.probe.iter().map(|probe| (vec!["probe".to_owned()], &probe.with));
        let parts = self.composite.iter().enumerate();
        let parts = parts.map(|(at, part)| (vec!["composite".to_owned(), at.to_string()], &part.with));
        probe.chain(parts).find_map(|(mut keys, with)| {
            let (name, reason) = self.wrong_input(with)?;
            keys.extend(["with".to_owned(), name]);
            Some((keys, reason))
        })
    }

    /// The first of `with` that names no input of this operation, or names one without being a placeholder.
    fn wrong_input(&self, with: &NestedInputs<InputName>) -> Option<(String, String)> {
        // Where any input may be given, a word alone would be taken for a constant in silence.
        let any = self.takes_any_input() && with.values().all(|value| value.names().is_empty());
        let is_word = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_') && !text.is_empty();
        with.iter().find_map(|(name, value)| {
            let is_known = |input: &&InputName| self.takes_any_input() || self.input(&input.0).is_some();
            if let Some(InputName(unknown)) = value.names().into_iter().find(|input| !is_known(input)) {
                let known = closest(unknown, self.inputs().iter().map(|input| input.name));
                let known = known.map(|known| format!("; {known}")).unwrap_or_default();
                let reason = format!("`{{{{ {unknown} }}}}` names no input of this operation{known}");
                return Some((name.clone(), reason));
            }
            let ValueTemplate::Constant(constant) = value else { return None };
            let is_input = |text: &&str| self.input(text).is_some() || text == name || any && is_word(text);
            let text = constant.as_str().filter(is_input)?;
            Some((name.clone(), format!("an input is passed on by a placeholder: write `{{{{ {text} }}}}`")))
        })
    }
}
