//! YAML as a tree with spans.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Span, Spanned};

/// A YAML value with its span.
pub type Node = Spanned<Data>;

/// A YAML value. Keys are text and unique; numbers beyond 64 bits and other values that JSON lacks are text.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Data {
    /// Nothing, `~` or `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the text.
    Map(Vec<(Spanned<String>, Node)>),
}

impl Data {
    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn as_map(&self) -> Option<&[(Spanned<String>, Node)]> {
        match self {
            Data::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value under `key`, if it is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Key and value under `key`, if it is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&(Spanned<String>, Node)> {
        self.as_map()?.iter().find(|(name, _)| name.value == key)
    }

    /// The value as JSON, without spans.
    pub fn to_value(&self) -> Value {
        match self {
            Data::Null => Value::Null,
            Data::Bool(flag) => Value::Bool(*flag),
            Data::Int(number) => Value::from(*number),
            Data::Float(number) => Value::from(*number),
            Data::Text(text) => Value::String(text.clone()),
            Data::List(items) => items.iter().map(|item| item.to_value()).collect(),
            Data::Map(entries) => {
                entries.iter().map(|(key, value)| (key.value.clone(), value.to_value())).collect()
            }
        }
    }
}

impl Node {
    /// The span reached by following keys and indexes as far as they exist; the parent's span if the last part does
    /// not.
    pub fn span_at<S: AsRef<str>>(&self, path: &[S]) -> Span {
        let Some((first, rest)) = path.split_first() else { return self.span };
        let inner = match &self.value {
            Data::Map(_) => self.get(first.as_ref()),
            Data::List(items) => first.as_ref().parse().ok().and_then(|index: usize| items.get(index)),
            _ => None,
        };
        inner.map_or(self.span, |node| node.span_at(rest))
    }

    /// The keys and indexes that lead from here to the value that contains `span`, joined by dots.
    pub fn path_to(&self, span: Span) -> String {
        let holds = |node: &&Node| node.span.start <= span.start && span.end <= node.span.end;
        let inner = match &self.value {
            Data::Map(entries) => {
                entries.iter().find(|(_, value)| holds(&value)).map(|(key, value)| (key.value.clone(), value))
            }
            Data::List(items) => items
                .iter()
                .enumerate()
                .find(|(_, item)| holds(item))
                .map(|(at, item)| (at.to_string(), item)),
            _ => None,
        };
        let Some((step, node)) = inner else { return String::new() };
        match node.path_to(span) {
            rest if rest.is_empty() => step,
            rest => format!("{step}.{rest}"),
        }
    }

    /// The span of the last key of `path`, or of its value if there is no such key.
    pub fn key_span_at<S: AsRef<str>>(&self, path: &[S]) -> Span {
        let Some((last, parents)) = path.split_last() else { return self.span };
        let mut at = self;
        for part in parents {
            let inner = match &at.value {
                Data::Map(_) => at.get(part.as_ref()),
                Data::List(items) => part.as_ref().parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            };
            let Some(inner) = inner else { return at.span };
            at = inner;
        }
        match at.entry(last.as_ref()) {
            Some((key, _)) => key.span,
            None => at.span_at(&[last]),
        }
    }
}

/// A value without spans.
impl From<Value> for Node {
    fn from(value: Value) -> Self {
        let data = match value {
            Value::Null => Data::Null,
            Value::Bool(flag) => Data::Bool(flag),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => Data::Int(whole),
                None => number.as_f64().map_or_else(|| Data::Text(number.to_string()), Data::Float),
            },
            Value::String(text) => Data::Text(text),
            Value::Array(items) => Data::List(items.into_iter().map(Node::from).collect()),
            Value::Object(entries) => Data::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (Spanned::new(key, Span::default()), Node::from(value)))
                    .collect(),
            ),
        };
        Spanned::new(data, Span::default())
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;

        impl<'de> Visitor<'de> for Anything {
            type Value = Data;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("any value")
            }

            fn visit_unit<E>(self) -> Result<Data, E> {
                Ok(Data::Null)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Data, E> {
                Ok(Data::Bool(flag))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Data, E> {
                Ok(Data::Int(number))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Data, E> {
                Ok(Data::Float(number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Data, E> {
                Ok(Data::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Data, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Data::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Data::Map(entries))
            }
        }

        deserializer.deserialize_any(Anything)
    }
}
