//! Whether the placeholders of an operation name something of it.

use super::nested_inputs::{InputName, NestedInputs};
use super::placeholder::ValueTemplate;
use super::{Operation, Place};
use crate::diagnostic::closest;

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
