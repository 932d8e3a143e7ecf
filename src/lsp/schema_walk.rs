//! The part of a schema that describes a place in a document.

use serde_json::Value;

use super::outline::Part;
use crate::recipe::schema_node::{branches, field, fields, resolve};
use crate::source::Node;

/// A value that a place may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As it is written.
    pub text: String,
    /// What it means.
    pub about: String,
    /// Whether it is only an example.
    pub example: bool,
}

/// The schemas of the value at `path` in the document `node`: one, or all variants that fit.
pub fn at(root: &'static Value, path: &[Part], node: Option<&Node>) -> Vec<&'static Value> {
    let mut here = variants(root, root);
    let mut node = node;
    for part in path {
        let fitting = fitting(here, node);
        let inner: Vec<&'static Value> = match part {
            Part::Key(name) => fitting.into_iter().filter_map(|schema| field(schema, name)).collect(),
            Part::Item(_) => fitting.into_iter().filter_map(|schema| schema.get("items")).collect(),
        };
        node = node.and_then(|node| step(node, part));
        here = inner.into_iter().flat_map(|schema| variants(root, schema)).collect();
    }
    fitting(here, node)
}

/// The value at `path` below `node`.
pub fn node_at<'n>(node: &'n Node, path: &[Part]) -> Option<&'n Node> {
    path.iter().try_fold(node, step)
}

fn step<'n>(node: &'n Node, part: &Part) -> Option<&'n Node> {
    match (part, &node.value) {
        (Part::Key(name), _) => node.get(name),
        (Part::Item(at), crate::source::Data::List(items)) => items.get(*at),
        _ => None,
    }
}

/// Those variants of a mapping that have all fields of `node`; all of them if none has.
fn fitting(variants: Vec<&'static Value>, node: Option<&Node>) -> Vec<&'static Value> {
    let Some(entries) = node.and_then(|node| node.as_map()) else { return variants };
    let has_all = |schema: &&'static Value| entries.iter().all(|(key, _)| field(schema, key).is_some());
    let fitting: Vec<&'static Value> = variants.iter().copied().filter(has_all).collect();
    if fitting.is_empty() { variants } else { fitting }
}

/// The variants of `schema`, references followed.
fn variants(root: &'static Value, schema: &'static Value) -> Vec<&'static Value> {
    let schema = resolve(root, schema);
    match branches(schema) {
        // Words with an explanation each are one schema.
        Some(branches) if branches.iter().any(|branch| branch.get("const").is_none()) => {
            branches.iter().flat_map(|branch| variants(root, branch)).collect()
        }
        _ => vec![schema],
    }
}

/// The fields of the mappings `schemas`, each with its description and whether it contains further fields or items.
pub fn keys(root: &'static Value, schemas: &[&'static Value]) -> Vec<(&'static str, String, bool)> {
    let mut found: Vec<(&'static str, String, bool)> = Vec::new();
    for (name, schema) in schemas.iter().filter_map(|schema| fields(schema)).flatten() {
        if found.iter().any(|(known, ..)| known == name) {
            continue;
        }
        let is_container = variants(root, schema)
            .iter()
            .all(|schema| matches!(schema["type"].as_str(), Some("object" | "array")));
        found.push((name.as_str(), description(root, schema), is_container));
    }
    found
}

/// What `schema` is for.
pub fn description(root: &'static Value, schema: &'static Value) -> String {
    let own = schema["description"].as_str();
    own.or_else(|| resolve(root, schema)["description"].as_str()).unwrap_or_default().to_owned()
}

/// The values that `schemas` allow or give as examples.
pub fn words(root: &'static Value, schemas: &[&'static Value]) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let mut add = |text: String, about: String, example: bool| {
        if !found.iter().any(|word| word.text == text) {
            found.push(Word { text, about, example });
        }
    };
    for schema in schemas {
        for branch in branches(schema).into_iter().flatten() {
            if let Some(word) = branch["const"].as_str() {
                add(word.to_owned(), description(root, branch), false);
            }
        }
        if let Some(word) = schema["const"].as_str() {
            add(word.to_owned(), description(root, schema), false);
        }
        for word in schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            add(word.to_owned(), String::new(), false);
        }
        if schema["type"] == "boolean" {
            ["true", "false"].into_iter().for_each(|word| add(word.to_owned(), String::new(), false));
        }
    }
    found
}

/// The examples of a field, one of the mappings `schemas`, that are plain values.
pub fn examples(schemas: &[&'static Value], name: &str) -> Vec<Word> {
    let examples = schemas.iter().filter_map(|schema| field(schema, name));
    let examples = examples.flat_map(|schema| schema["examples"].as_array().into_iter().flatten());
    let plain = examples.filter_map(|example| match example {
        Value::String(text) if !text.contains("{{") => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    plain.map(|text| Word { text, about: String::new(), example: true }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe;
    use crate::source::{SourceFile, parse};

    fn path(text: &str) -> Vec<Part> {
        let parts = text.split('.').filter(|part| !part.is_empty());
        parts.map(|part| part.parse().map_or_else(|_| Part::Key(part.into()), Part::Item)).collect()
    }

    fn names(place: &str, text: &str) -> Vec<&'static str> {
        let root = recipe::schema();
        let node = parse(&SourceFile::new("a", text)).node;
        let found = keys(root, &at(root, &path(place), node.as_ref()));
        found.into_iter().map(|(name, ..)| name).collect()
    }

    #[test]
    fn fields_are_those_of_the_place() {
        assert!(names("", "").starts_with(&["name", "description", "connections", "trigger"]));
        assert!(names("actions.0", "").contains(&"for_each"));
        assert_eq!(names("actions.0.retry", ""), ["attempts", "backoff"]);
        assert!(names("name", "").is_empty() && names("nothing.there", "").is_empty());
    }

    #[test]
    fn a_variant_is_chosen_by_the_fields_that_are_there() {
        let all = names("trigger", "");
        assert!(["poll", "webhook", "schedule", "manual"].iter().all(|kind| all.contains(kind)), "{all:?}");
        let polls = names("trigger", "trigger: { poll: x }");
        assert!(polls.contains(&"every") && !polls.contains(&"webhook"), "{polls:?}");
        // A word, or a mapping.
        assert!(names("trigger.verify", "trigger: { webhook: /x }").contains(&"hmac"));
        let root = recipe::schema();
        let found = words(root, &at(root, &path("trigger.verify"), None));
        assert!(found.iter().any(|word| word.text == "none"), "{found:?}");
    }

    #[test]
    fn words_have_their_meaning() {
        let root = recipe::schema();
        let found = words(root, &at(root, &path("echo"), None));
        assert_eq!(found.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["drop", "allow"]);
        assert!(found.iter().all(|word| !word.about.is_empty()));
        let hydrate = words(root, &at(root, &path("trigger.hydrate"), None));
        assert_eq!(hydrate.len(), 2, "{hydrate:?}");
        assert_eq!(examples(&at(root, &path("actions.0"), None), "timeout")[0].text, "30s");
    }
}
