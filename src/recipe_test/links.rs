//! Links of a test, with what is noted of the records at their ends.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::journal::{BaseValues, Error, Journal, Link, LinkBase, WriteIntent};
use crate::run::RunId;
use crate::source::{Node, read};

/// Stands for the runs that noted something before the test.
const EARLIER_RUN: &str = "before-the-test";

/// The other end of a link; or that, with what is noted of both records.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, title = "link")]
pub enum LinkEntry {
    /// Nothing is noted.
    Plain(Scalar),
    /// With what `links.base` tells.
    Noted(Box<NotedLink>),
}

impl<'de> Deserialize<'de> for LinkEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let entry = match node.as_map() {
            Some(_) => read(&node).map(|noted| Self::Noted(Box::new(noted))),
            None => read(&node).map(Self::Plain),
        };
        entry.map_err(D::Error::custom)
    }
}

/// A link, with what `links.base` tells of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "noted link", example = json!({ "to": "c1", "base": { "from": { "phone": { "phone": "1" } }, "to": { "phone": { "phone": "1" } } } }))]
pub struct NotedLink {
    /// The other end.
    pub to: Scalar,
    /// What both records had when they were last made equal, as `links.settle` noted it.
    #[serde(default)]
    pub base: Base,
    /// What was to be written to them since, as `links.intend` noted it: field → list of values.
    #[serde(default)]
    pub sent: Sent,
}

/// What is noted of the records at both ends.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "base of a link")]
pub struct Base {
    /// The record at the end `from`.
    pub from: Map<String, Value>,
    /// The record at the end `to`.
    pub to: Map<String, Value>,
}

/// Values that were to be written to the records at both ends.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "sent values")]
pub struct Sent {
    /// Fields of the record at the end `from`.
    pub from: IndexMap<String, Vec<Value>>,
    /// Fields of the record at the end `to`.
    pub to: IndexMap<String, Vec<Value>>,
}

impl Sent {
    /// The writes: each has one value of each field.
    fn writes(&self) -> Vec<BaseValues> {
        let most = self.from.values().chain(self.to.values()).map(Vec::len).max().unwrap_or_default();
        let at = |fields: &IndexMap<String, Vec<Value>>, number: usize| {
            fields
                .iter()
                .filter_map(|(name, values)| Some((name.clone(), values.get(number)?.clone())))
                .collect()
        };
        (0..most)
            .map(|number| BaseValues { from: at(&self.from, number), to: at(&self.to, number) })
            .collect()
    }
}

/// A text or a number, used as a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar(pub String);

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "text or number", "type": ["string", "number"] })
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Node::deserialize(deserializer)?.to_value() {
            Value::String(text) => Ok(Self(text)),
            other @ Value::Number(_) => Ok(Self(other.to_string())),
            _ => Err(D::Error::custom("expected a text or a number")),
        }
    }
}

/// A link before a test.
#[derive(Debug, Clone)]
pub struct KnownLink {
    /// Its name and ends.
    pub link: Link,
    /// What was noted of it, one after the other.
    notes: Vec<LinkBase>,
}

impl KnownLink {
    /// The link that is called `name` and begins at `from`.
    pub(super) fn new(name: &str, from: &str, entry: &LinkEntry) -> Self {
        let mut notes = Vec::new();
        if let LinkEntry::Noted(noted) = entry {
            let NotedLink { base: Base { from, to }, sent, .. } = noted.as_ref();
            let mut base = LinkBase::default();
            if !from.is_empty() || !to.is_empty() {
                base = base.settled(BaseValues { from: from.clone(), to: to.clone() }, &[]);
                notes.push(base.clone());
            }
            for values in sent.writes() {
                base = base.intended(WriteIntent { run: RunId(EARLIER_RUN.to_owned()), values });
                notes.push(base.clone());
            }
        }
        let to = match entry {
            LinkEntry::Plain(to) => to,
            LinkEntry::Noted(noted) => &noted.to,
        };
        Self { link: Link { name: name.to_owned(), from: from.to_owned(), to: to.0.clone() }, notes }
    }

    /// Stores it.
    pub(super) async fn save(&self, journal: &dyn Journal) -> Result<(), Error> {
        journal.save_link(&self.link).await?;
        for base in &self.notes {
            journal.put_link_base(&self.link, base).await?;
        }
        Ok(())
    }
}

/// A link as a test states it: its other end, and with it what is noted, where there is something.
pub(super) fn entry(to: &str, base: &Value, sent: &Value) -> Value {
    let is_empty = |ends: &Value| ends.as_object().is_none_or(|ends| ends.values().all(is_nothing));
    let mut entry = Map::new();
    for (name, ends) in [("base", base), ("sent", sent)].into_iter().filter(|(_, ends)| !is_empty(ends)) {
        entry.insert(name.to_owned(), ends.clone());
    }
    if entry.is_empty() {
        return to.into();
    }
    entry.insert("to".to_owned(), to.into());
    entry.into()
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}

/// A link after a test, with everything that is noted of it.
pub(super) async fn found(journal: &dyn Journal, name: &str, from: &str) -> Result<Option<Value>, Error> {
    let Some(link) = journal.find_link(name, Some(from), None).await? else { return Ok(None) };
    let base = journal.link_base(name, Some(from), None).await?.unwrap_or_default();
    let BaseValues { from, to } = &base.values;
    Ok(Some(json!({ "to": link.to, "base": { "from": from, "to": to }, "sent": base.sent() })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_write_has_one_value_of_a_field() {
        let entry = Node::from(json!({
            "to": "c1",
            "base": { "from": { "phone": { "phone": "1" } } },
            "sent": { "to": { "phone": ["2", "3"], "city": ["Bath"] } },
        }));
        let entry: LinkEntry = read(&entry).unwrap();
        let known = KnownLink::new("people", "7", &entry);
        assert_eq!((known.link.to.as_str(), known.notes.len()), ("c1", 3));
        let last = known.notes.last().unwrap();
        assert_eq!(last.revision, 3, "each note follows the one before it");
        assert_eq!(last.values.from, json!({ "phone": { "phone": "1" } }).as_object().unwrap().clone());
        assert_eq!(
            json!(last.sent()),
            json!({ "from": {}, "to": { "phone": ["2", "3"], "city": ["Bath"] } })
        );
    }

    #[test]
    fn only_what_is_noted_is_stated() {
        let nothing = json!({ "from": {}, "to": {} });
        assert_eq!(super::entry("c1", &nothing, &nothing), "c1");
        let base = json!({ "from": { "a": 1 }, "to": {} });
        assert_eq!(super::entry("c1", &base, &nothing), json!({ "to": "c1", "base": base }));
    }
}
