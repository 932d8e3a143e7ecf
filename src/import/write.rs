//! Formats connector files: one line per simple field, blocks for the others.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::catalog::{FileKind, Operation};

/// Longest line of a mapping in braces.
const WIDTH: usize = 110;

/// First line of generated files: only files with it may be overwritten.
pub const MARK: &str = "# Written by `hob import openapi`; corrections belong into overlay.yaml.";

/// Files by the first word of the operations' ids after the prefix.
pub(super) fn files(operations: IndexMap<String, Operation>, prefix: &str) -> Vec<(String, String)> {
    let mut groups: IndexMap<String, IndexMap<String, Operation>> = IndexMap::new();
    for (id, operation) in operations {
        let rest = id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&id);
        let mut group = rest.split('.').next().unwrap_or_default().to_owned();
        // Some names mean something else in a connector's folder.
        if FileKind::from_path(&format!("{group}.yaml")) != FileKind::Operations {
            group.push_str("_operations");
        }
        groups.entry(group).or_default().insert(id, operation);
    }
    let mut files: Vec<(String, String)> =
        groups.into_iter().map(|(group, operations)| (format!("{group}.yaml"), file(&operations))).collect();
    files.sort();
    files
}

fn file(operations: &IndexMap<String, Operation>) -> String {
    let mut text = format!("{MARK}\noperations:\n");
    for (id, operation) in operations {
        let value = serde_json::to_value(operation).unwrap_or_default();
        text.push_str(&format!("  {}:\n", scalar(&Value::String(id.clone()))));
        if let Value::Object(fields) = value {
            block(&mut text, &fields, 4);
        }
    }
    text
}

/// A mapping as a whole text.
pub(super) fn mapping(fields: &Map<String, Value>) -> String {
    let mut text = String::new();
    block(&mut text, fields, 0);
    text
}

/// A mapping over several lines, indented by `indent` spaces.
fn block(text: &mut String, fields: &Map<String, Value>, indent: usize) {
    for (name, value) in fields {
        let key = scalar(&Value::String(name.clone()));
        let head = format!("{}{key}:", " ".repeat(indent));
        match value {
            Value::Object(inner) if !inner.is_empty() && !fits(&head, value) => {
                text.push_str(&format!("{head}\n"));
                block(text, inner, indent + 2);
            }
            Value::Array(items) if !items.is_empty() && !fits(&head, value) => {
                text.push_str(&format!("{head}\n"));
                sequence(text, items, indent + 2);
            }
            _ => text.push_str(&format!("{head} {}\n", flow(value))),
        }
    }
}

fn sequence(text: &mut String, items: &[Value], indent: usize) {
    for item in items {
        let dash = format!("{}-", " ".repeat(indent));
        match item {
            Value::Object(inner) if !inner.is_empty() && !fits(&dash, item) => {
                let mut lines = String::new();
                block(&mut lines, inner, indent + 2);
                text.push_str(&format!("{dash} {}", lines.trim_start()));
            }
            _ => text.push_str(&format!("{dash} {}\n", flow(item))),
        }
    }
}

/// Whether it fits one line: short, and without nested shapes.
fn fits(head: &str, value: &Value) -> bool {
    let simple = match value {
        Value::Object(fields) => fields.iter().all(|(name, inner)| name != "fields" && one_line(inner)),
        Value::Array(items) => items.iter().all(one_line),
        _ => true,
    };
    simple && head.len() + flow(value).chars().count() < WIDTH
}

fn one_line(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().all(|(name, inner)| name != "fields" && one_line(inner)),
        Value::Array(items) => items.iter().all(one_line),
        Value::String(text) => !text.contains('\n'),
        _ => true,
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::Object(fields) if fields.is_empty() => "{}".into(),
        Value::Object(fields) => {
            let inner: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}: {}", scalar(&Value::String(name.clone())), flow(value)))
                .collect();
            format!("{{ {} }}", inner.join(", "))
        }
        Value::Array(items) => {
            let inner: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", inner.join(", "))
        }
        other => scalar(other),
    }
}

/// A scalar, quoted if YAML would read it differently. JSON quoting is valid YAML.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_plain(text: &str) -> bool {
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || "$_/".contains(c));
    let no_syntax = !text.chars().any(|c| "{}[],\"'`|>%@&*!#\\".contains(c) || c.is_control())
        && !text.contains(": ")
        && !text.ends_with([':', ' ']);
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"];
    starts_well && no_syntax && !words.contains(&text.to_lowercase().as_str()) && text.is_ascii()
}
