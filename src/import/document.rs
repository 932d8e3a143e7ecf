//! Parsed descriptions, with `$ref`s resolved across files.

use indexmap::IndexMap;
use serde_json::Value;

use crate::value::{JsonError, read_json_text};

/// A description to import.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// Its path, against which relative references are resolved.
    pub path: &'a str,
    /// JSON or YAML.
    pub text: &'a str,
}

/// Longest chain of references.
const MAX_CHAIN: usize = 32;

/// All documents of an import, by normalised path.
#[derive(Debug)]
pub(super) struct Documents {
    by_path: IndexMap<String, Value>,
}

/// The target of a reference.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    /// Path of the document.
    pub document: &'a str,
    /// The value there.
    pub value: &'a Value,
}

impl Documents {
    /// Parses all of them. The error names the document and the place.
    pub(super) fn read(documents: &[Document<'_>]) -> Result<Self, (String, String)> {
        let mut by_path = IndexMap::new();
        for document in documents {
            let value = parse(document.text).map_err(|reason| (document.path.to_owned(), reason))?;
            check_version(&value).map_err(|reason| (document.path.to_owned(), reason))?;
            by_path.insert(normalise(document.path), value);
        }
        Ok(Self { by_path })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.by_path.iter().map(|(path, value)| (path.as_str(), value))
    }

    /// The target of `reference` in `document`, and its name `file#/pointer`.
    pub(super) fn follow(&self, document: &str, reference: &str) -> Option<(Found<'_>, String)> {
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let path = if file.is_empty() { document.to_owned() } else { beside(document, file) };
        let (path, root) = match self.by_path.get_key_value(&path) {
            Some((path, root)) => (path, root),
            None => self.by_file_name(file)?,
        };
        let value = root.pointer(&percent_decoded(pointer))?;
        Some((Found { document: path, value }, format!("{path}#{pointer}")))
    }

    /// Resolves `value` if it is a reference. `Err` is a broken reference.
    pub(super) fn resolve<'a>(&'a self, document: &'a str, value: &'a Value) -> Result<Found<'a>, String> {
        let mut at = Found { document, value };
        for _ in 0..MAX_CHAIN {
            let Some(reference) = at.value.get("$ref").and_then(Value::as_str) else { return Ok(at) };
            at = self.follow(at.document, reference).ok_or(reference)?.0;
        }
        Err(at.value.get("$ref").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// A document given in another folder: found by its file name if unique.
    fn by_file_name(&self, file: &str) -> Option<(&String, &Value)> {
        let name = file_name(file);
        let mut same = self.by_path.iter().filter(|(path, _)| file_name(path) == name);
        match (same.next(), same.next()) {
            (Some(only), None) if !file.contains("://") => Some(only),
            _ => None,
        }
    }
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn parse(text: &str) -> Result<Value, String> {
    let text = text.trim_start_matches('\u{feff}');
    let looks_like_json = text.trim_start().starts_with('{');
    let json = if looks_like_json { read_json_text(text) } else { Err(JsonError::Syntax(String::new())) };
    match json {
        Ok(value) => Ok(value),
        // It would be as large as YAML.
        Err(error @ JsonError::TooMany { .. }) => Err(error.to_string()),
        Err(JsonError::Syntax(reason)) => serde_yaml::from_str(text)
            .map_err(|error| if looks_like_json { reason } else { error.to_string() }),
    }
}

fn check_version(document: &Value) -> Result<(), String> {
    let Some(object) = document.as_object() else { return Err("not a mapping".into()) };
    if let Some(version) = object.get("swagger") {
        return Err(format!("describes its API in Swagger {version}; convert it to OpenAPI 3 first"));
    }
    match object.get("openapi") {
        Some(Value::String(version)) if version.starts_with("3.") => Ok(()),
        Some(Value::Number(version)) if version.as_f64().is_some_and(|v| (3.0..4.0).contains(&v)) => Ok(()),
        Some(other) => Err(format!("openapi: {other} is not a version that can be read; 3.0 and 3.1 can")),
        None => Err("has no `openapi: 3.…`; is it an OpenAPI description?".into()),
    }
}

fn beside(document: &str, file: &str) -> String {
    let folder = document.rfind('/').map_or("", |at| &document[..at]);
    let absolute = file.starts_with('/');
    normalise(&if absolute { file.to_owned() } else { format!("{folder}/{file}") })
}

fn normalise(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

fn percent_decoded(pointer: &str) -> String {
    percent_encoding::percent_decode_str(pointer).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(texts: &[(&str, &str)]) -> Documents {
        let all: Vec<Document<'_>> = texts.iter().map(|&(path, text)| Document { path, text }).collect();
        Documents::read(&all).expect("documents")
    }

    #[test]
    fn follows_references_between_files_and_escaped_names() {
        let all = documents(&[
            (
                "api/v2/a.json",
                r#"{"openapi":"3.0.0","x":{"$ref":"../shared/b.yaml#/components/schemas/A~1B"}}"#,
            ),
            ("api/shared/b.yaml", "openapi: 3.1.0\ncomponents: { schemas: { A/B: { type: string } } }"),
        ]);
        let (path, root) = all.iter().next().unwrap();
        let found = all.resolve(path, &root["x"]).unwrap();
        assert_eq!(found.document, "api/shared/b.yaml");
        assert_eq!(found.value["type"], "string");
    }

    #[test]
    fn a_circle_of_references_ends() {
        let all = documents(&[("a.json", r##"{"openapi":"3.0.0","x":{"$ref":"#/y"},"y":{"$ref":"#/x"}}"##)]);
        let (path, root) = all.iter().next().unwrap();
        assert!(all.resolve(path, &root["x"]).is_err());
    }

    #[test]
    fn says_what_is_no_description() {
        let read = |text| Documents::read(&[Document { path: "x", text }]).map(|_| ()).unwrap_err().1;
        assert!(read("swagger: '2.0'").contains("Swagger"));
        assert!(read("a: 1").contains("no `openapi"));
        assert!(read("{\"openapi\": \"3.0.0\", ").contains("line 1"));
        assert!(read("[").len() > 5);
    }
}
