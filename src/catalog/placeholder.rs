//! Placeholders in connector files: `{{ name }}` in values and `{name}` in paths. A template is parsed once, when its
//! file is read, and filled with each request. What is no placeholder is a constant.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<N> {
    /// Text that stays as it is.
    Text(String),
    /// A placeholder, and what it names.
    Placeholder(N),
}

/// What a placeholder in a value may name.
pub trait PlaceholderName: Clone {
    /// What `text` between the braces names; the error says what may stand there.
    fn read(text: &str) -> Result<Self, String>;

    /// What stands between the braces.
    fn text(&self) -> &str;

    /// Why a text without placeholders is none: it is in a notation of which a placeholder has taken the place.
    fn old_notation(text: &str) -> Option<String>;
}

/// The text and placeholders of `text`, of which one stands between `open` and `close`.
pub fn split(text: &str, open: &str, close: &str) -> Result<Vec<Part<String>>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        let unclosed = || format!("`{open}` in `{text}` is not closed by `{close}`");
        let (name, after) = after.split_once(close).ok_or_else(unclosed)?;
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        parts.push(Part::Placeholder(name.trim().to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

/// A value in which `{{ name }}` stands for another one. A text that is one placeholder takes a value of any type;
/// beside other text it is written out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value", bound = "N: PlaceholderName")]
pub enum ValueTemplate<N> {
    /// A value without placeholders, lists and mappings aside.
    Constant(Value),
    /// Text with placeholders.
    Text(Vec<Part<N>>),
    /// Members, each with placeholders or without.
    List(Vec<Self>),
    /// Fields, each with placeholders or without.
    Map(IndexMap<String, Self>),
}

impl<N: PlaceholderName> ValueTemplate<N> {
    /// The value, with `value` for what its placeholders name. `None` where that has none: a list does without such
    /// a member, unless it has no others.
    pub fn fill(&self, value: &impl Fn(&N) -> Option<Value>) -> Option<Value> {
        match self {
            Self::Constant(constant) => Some(constant.clone()),
            Self::Text(parts) => match parts.as_slice() {
                [Part::Placeholder(name)] => value(name),
                parts => fill(parts, |name| value(name).map(written)).map(Value::String),
            },
            Self::List(items) => {
                let filled: Vec<Value> = items.iter().filter_map(|item| item.fill(value)).collect();
                (!filled.is_empty() || items.is_empty()).then_some(Value::Array(filled))
            }
            Self::Map(fields) => {
                let filled = fields.iter().map(|(name, field)| Some((name.clone(), field.fill(value)?)));
                filled.collect::<Option<_>>().map(Value::Object)
            }
        }
    }

    /// What its placeholders name.
    pub fn names(&self) -> Vec<&N> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Text(parts) => parts.iter().filter_map(Part::name).collect(),
            Self::List(items) => items.iter().flat_map(Self::names).collect(),
            Self::Map(fields) => fields.values().flat_map(Self::names).collect(),
        }
    }

    /// Changes what its placeholders name.
    pub fn rename(&mut self, rename: &impl Fn(&mut N)) {
        match self {
            Self::Constant(_) => {}
            Self::Text(parts) => parts.iter_mut().for_each(|part| match part {
                Part::Text(_) => {}
                Part::Placeholder(name) => rename(name),
            }),
            Self::List(items) => items.iter_mut().for_each(|item| item.rename(rename)),
            Self::Map(fields) => fields.values_mut().for_each(|field| field.rename(rename)),
        }
    }
}

impl<N: PlaceholderName> TryFrom<Value> for ValueTemplate<N> {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) if text.contains("{{") => {
                let parts = split(&text, "{{", "}}")?.into_iter().map(|part| match part {
                    Part::Text(text) => Ok(Part::Text(text)),
                    Part::Placeholder(name) => N::read(&name).map(Part::Placeholder),
                });
                Self::Text(parts.collect::<Result<_, _>>()?)
            }
            Value::String(text) => match N::old_notation(&text) {
                Some(reason) => return Err(reason),
                None => Self::Constant(text.into()),
            },
            Value::Array(items) => {
                Self::List(items.into_iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| Ok((name, value.try_into()?)));
                Self::Map(fields.collect::<Result<_, String>>()?)
            }
            other => Self::Constant(other),
        })
    }
}

/// The value as it was read.
impl<N: PlaceholderName> From<ValueTemplate<N>> for Value {
    fn from(template: ValueTemplate<N>) -> Self {
        match template {
            ValueTemplate::Constant(constant) => constant,
            ValueTemplate::Text(parts) => {
                let text = fill(&parts, |name| Some(format!("{{{{ {} }}}}", name.text())));
                text.unwrap_or_default().into()
            }
            ValueTemplate::List(items) => items.into_iter().map(Value::from).collect(),
            ValueTemplate::Map(fields) => fields.into_iter().collect(),
        }
    }
}

impl<N> Part<N> {
    fn name(&self) -> Option<&N> {
        match self {
            Self::Text(_) => None,
            Self::Placeholder(name) => Some(name),
        }
    }
}

/// `parts` as one text; `None` where a placeholder has no value.
fn fill<N>(parts: &[Part<N>], value: impl Fn(&N) -> Option<String>) -> Option<String> {
    let text = parts.iter().map(|part| match part {
        Part::Text(text) => Some(Cow::Borrowed(text.as_str())),
        Part::Placeholder(name) => value(name).map(Cow::Owned),
    });
    text.collect()
}

fn written(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A path or an address with `{name}` for its parameters, as OpenAPI writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathTemplate {
    text: String,
    parts: Vec<Part<String>>,
}

impl PathTemplate {
    /// The path with what `value` returns for each of its parameters. The first error ends it.
    pub fn fill<E>(&self, value: impl Fn(&str) -> Result<String, E>) -> Result<String, E> {
        let text = self.parts.iter().map(|part| match part {
            Part::Text(text) => Ok(Cow::Borrowed(text.as_str())),
            Part::Placeholder(name) => value(name).map(Cow::Owned),
        });
        text.collect()
    }

    /// The names of its parameters, in order.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.parts.iter().filter_map(Part::name).map(String::as_str)
    }
}

impl TryFrom<String> for PathTemplate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(Self { parts: split(&text, "{", "}")?, text })
    }
}

impl From<PathTemplate> for String {
    fn from(path: PathTemplate) -> Self {
        path.text
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

/// The path as it was written.
impl Deref for PathTemplate {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::super::nested_inputs::InputName;
    use super::*;
    use serde_json::json;

    fn template(value: Value) -> ValueTemplate<InputName> {
        value.try_into().expect("a template")
    }

    fn filled(template_: Value, given: Value) -> Option<Value> {
        template(template_).fill(&|name| given.get(&name.0).cloned())
    }

    #[test]
    fn one_placeholder_keeps_the_type_and_text_around_it_does_not() {
        let given = json!({ "n": 3, "list": [1], "name": "Ada" });
        let value = json!({ "n": "{{n}}", "l": ["{{ list }}", "x"], "t": "{{ name }}: {{ n }}!", "c": true });
        let expected = json!({ "n": 3, "l": [[1], "x"], "t": "Ada: 3!", "c": true });
        assert_eq!(filled(value, given), Some(expected));
    }

    #[test]
    fn what_has_no_value_is_left_out() {
        let given = json!({ "a": 1 });
        for (value, expected) in [
            (json!("{{ b }}"), None),
            (json!("x {{ b }}"), None),
            (json!(["{{ b }}", "{{ a }}"]), Some(json!([1]))),
            (json!(["{{ b }}"]), None),
            (json!([]), Some(json!([]))),
            (json!({ "a": "{{ a }}", "b": "{{ b }}" }), None),
        ] {
            assert_eq!(filled(value.clone(), given.clone()), expected, "{value}");
        }
    }

    #[test]
    fn a_template_is_written_as_it_was_read() {
        let value = json!({ "a": ["a and {b} {{ c.d }}"], "n": null });
        assert_eq!(json!(template(value.clone())), value);
        assert_eq!(template(value).names().iter().map(|name| name.0.as_str()).collect::<Vec<_>>(), ["c.d"]);
    }

    #[test]
    fn a_placeholder_is_closed_and_names_something() {
        let refused = |text: &str| ValueTemplate::<InputName>::try_from(json!([text])).unwrap_err();
        assert_eq!(refused("x {{ a"), "`{{` in `x {{ a` is not closed by `}}`");
        assert!(refused("{{ }}").contains("names no input"));
        assert!(PathTemplate::try_from("/a/{b/c".to_owned()).unwrap_err().contains("not closed by `}`"));
    }

    #[test]
    fn paths_are_filled_in_one_pass() {
        let path = PathTemplate::try_from("/a/{b}/{c}/".to_owned()).unwrap();
        assert_eq!(path.names().collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(path.fill(|name| Ok::<_, ()>(format!("{{{name}}}"))).unwrap(), "/a/{b}/{c}/");
        assert_eq!(
            path.fill(|name| if name == "b" { Ok("1".to_owned()) } else { Err(name.to_owned()) }),
            Err("c".to_owned())
        );
    }
}
