//! Deserializes a located tree with serde; types that contain `Spanned` get the spans as well.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor, value};
use serde::forward_to_deserialize_any;

use super::span::{SPANNED, SPANNED_FIELDS};
use super::{Data, Node, SourceFile, Span, Spanned, parse};

/// Why a type could not be deserialized, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The message.
    pub message: String,
    /// The innermost location, if known.
    pub span: Option<Span>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), span: None }
    }
}

/// Deserializes `node`. Stops at the first error; validate the structure first to find all.
pub fn read<T: for<'de> Deserialize<'de>>(node: &Node) -> Result<T, Error> {
    T::deserialize(NodeReader(node))
}

/// Deserializes the YAML text of `file`. Stops at the first error.
pub fn read_text<T: for<'de> Deserialize<'de>>(file: &SourceFile) -> Result<T, Error> {
    let parsed = parse(file);
    if let Some(error) = parsed.errors.into_iter().next() {
        return Err(Error { message: error.message, span: Some(error.span) });
    }
    read(&parsed.node.unwrap_or_else(|| Spanned::new(Data::Null, Span::default())))
}

#[derive(Clone, Copy)]
struct NodeReader<'a>(&'a Node);

impl NodeReader<'_> {
    fn place(self, error: Error) -> Error {
        Error { span: error.span.or(Some(self.0.span)), ..error }
    }

    /// What is refused only after it was read has its place here, too.
    fn seed<'de, T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self).map_err(|error| self.place(error))
    }
}

impl<'de> Deserializer<'de> for NodeReader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let result = match &self.0.value {
            Data::Null => visitor.visit_unit(),
            Data::Bool(flag) => visitor.visit_bool(*flag),
            Data::Int(number) => visitor.visit_i64(*number),
            Data::Float(number) => visitor.visit_f64(*number),
            Data::Text(text) => visitor.visit_str(text),
            Data::List(items) => visitor.visit_seq(Items(items.iter())),
            Data::Map(entries) => visitor.visit_map(Entries { rest: entries.iter(), value: None }),
        };
        result.map_err(|error| self.place(error))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.value {
            Data::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == SPANNED {
            return visitor.visit_map(SpannedParts { node: self, next: 0 });
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let result = match &self.0.value {
            Data::Text(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Data::Map(entries) => visitor
                .visit_enum(value::MapAccessDeserializer::new(Entries { rest: entries.iter(), value: None })),
            _ => Err(serde::de::Error::custom("expected a name")),
        };
        result.map_err(|error| self.place(error))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'a>(std::slice::Iter<'a, Node>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|node| NodeReader(node).seed(seed)).transpose()
    }
}

struct Entries<'a> {
    rest: std::slice::Iter<'a, (Spanned<String>, Node)>,
    value: Option<&'a Node>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        let key = Spanned::new(Data::Text(key.value.clone()), key.span);
        seed.deserialize(NodeReader(&key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let missing = || serde::de::Error::custom("a value without a key");
        NodeReader(self.value.take().ok_or_else(missing)?).seed(seed)
    }
}

struct SpannedParts<'a> {
    node: NodeReader<'a>,
    next: usize,
}

impl<'de> MapAccess<'de> for SpannedParts<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(name) = SPANNED_FIELDS.get(self.next) else { return Ok(None) };
        self.next += 1;
        let name: value::StrDeserializer<'_, Error> = (*name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let span = self.node.0.span;
        let offset = |at: usize| -> value::UsizeDeserializer<Error> { at.into_deserializer() };
        match self.next {
            1 => seed.deserialize(offset(span.start)),
            2 => seed.deserialize(offset(span.end)),
            _ => seed.deserialize(self.node),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, parse};

    #[derive(Deserialize)]
    struct Sample {
        name: Spanned<String>,
        with: Node,
        retries: Option<u32>,
    }

    fn sample(text: &str) -> Result<Sample, Error> {
        read(&parse(&SourceFile::new("s.yaml", text)).node.expect("a tree"))
    }

    #[test]
    fn hands_over_places_and_subtrees() {
        let sample = sample("name: demo\nwith:\n  email: a@b\n").unwrap();
        assert_eq!((sample.name.value.as_str(), sample.name.span), ("demo", Span::new(6, 10)));
        assert_eq!(sample.with.get("email").unwrap().as_text(), Some("a@b"));
        assert_eq!(sample.retries, None);
    }

    #[test]
    fn a_complaint_has_the_innermost_place() {
        let error = sample("name: demo\nwith: {}\nretries: many\n").err().expect("not a number");
        assert_eq!(error.span, Some(Span::new(29, 33)));
    }
}
