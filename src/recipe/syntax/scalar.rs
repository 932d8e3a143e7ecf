//! Scalar values of fields.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::source::{Data, Node, Spanned};

/// A duration: numbers with `ms`, `s`, `m`, `h` or `d`, one after the other.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    title = "duration",
    example = &"5m",
    example = &"2h30m",
    extend("pattern" = r"^\s*(\d+(ms|s|m|h|d)\s*)+$")
)]
pub struct DurationText(pub Spanned<String>);

/// How often a poll polls: a duration, or the shortest and the longest one between which it adapts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    title = "interval",
    example = &"5m",
    example = &"1m..15m",
    extend("pattern" = r"^\s*(\d+(ms|s|m|h|d)\s*)+(\.\.\s*(\d+(ms|s|m|h|d)\s*)+)?$")
)]
pub struct IntervalText(pub Spanned<String>);

/// How many records may be removed at once: a share, or a number of records.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct RemovedLimitText(pub Node);

impl JsonSchema for RemovedLimitText {
    fn schema_name() -> Cow<'static, str> {
        "RemovedLimitText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "limit",
            "description": "A share of the known records, such as `10%`, or a number of records.",
            "type": ["string", "integer"],
            "examples": ["10%", 50],
        })
    }
}

/// Text that may contain templates. A value that is exactly one `{{ … }}` keeps its type.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(title = "template", example = &"{{ event.email | lower }}")]
pub struct TemplateText(pub Spanned<String>);

/// A condition: exactly one template, or plain `true` or `false`. Null, zero, an empty text, list or
/// mapping count as false, and so do the texts `false`, `no`, `off`, `0`, `null` and `none`.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Condition(pub Node);

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "condition",
            "description": "A condition: exactly one template, or plain `true` or `false`. Null, zero, an empty text, list or mapping count as false, and so do the texts `false`, `no`, `off`, `0`, `null` and `none`.",
            "type": ["string", "boolean"],
            "examples": ["{{ event.email }}"],
        })
    }
}

/// Any value, with templates wherever there is text in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Anything(pub Node);

impl JsonSchema for Anything {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Anything".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}

/// A mapping of names to any values, with templates wherever there is text in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Mapping(pub Node);

impl JsonSchema for Mapping {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Mapping".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

/// One value, or a list of several.
#[derive(Debug, Clone)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<'de, T: for<'a> Deserialize<'a>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let read = match &node.value {
            Data::List(_) => crate::source::read(&node),
            _ => crate::source::read(&node).map(|one| vec![one]),
        };
        read.map(Self).map_err(serde::de::Error::custom)
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}
