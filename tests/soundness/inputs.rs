//! Random inputs of an operation.

use hob::catalog::{Input, Operation, Place};
use hob::value::{Kind, Shape};
use serde_json::{Map, Value, json};

use crate::expression::Writer;
use crate::grammar::Sort;
use crate::test_bed::FILE;
use crate::values::{self, Named};

/// Deepest mapping that is written out.
const MAX_DEPTH: usize = 3;

/// Inputs for `operation`: those of its `example`, many of them replaced by templates, and more.
pub fn inputs(
    writer: &mut Writer<'_>,
    operation: &Operation,
    example: &Map<String, Value>,
) -> Map<String, Value> {
    let mut inputs = example.clone();
    for input in operation.inputs() {
        let needed = input.shape.required || input.place == Some(Place::Path);
        if is_settled(operation, &input) {
            continue;
        }
        let given = inputs.contains_key(input.name);
        let is_file = input.shape.format.as_deref() == Some("binary");
        let chance = if is_file {
            100
        } else if given {
            45
        } else {
            9
        };
        if !writer.random.percent(chance) {
            continue;
        }
        // The record has to be there, as a rule.
        let names_record = given && Named(input.name).is_id() && !writer.random.percent(12);
        if names_record {
            continue;
        }
        let value = value(writer, input.shape, input.name, needed, MAX_DEPTH);
        inputs.insert(input.name.to_owned(), value);
    }
    inputs
}

/// Inputs that depend on the account or on each other: the example is right about them.
fn is_settled(operation: &Operation, input: &Input<'_>) -> bool {
    let account = ["locationId", "location_id", "altId", "altType", "companyId"];
    account.contains(&input.name)
        || operation.one_of.iter().any(|name| name == input.name)
        || input.place == Some(Place::Header)
}

/// A value for an input of this shape, written out or as a template.
pub fn value(writer: &mut Writer<'_>, shape: &Shape, name: &str, needed: bool, depth: usize) -> Value {
    if shape.format.as_deref() == Some("binary") {
        return Value::from(FILE);
    }
    if !needed && writer.random.percent(10) {
        return Value::from(left_out(writer, shape, name));
    }
    if writer.careless && writer.random.percent(6) {
        return Value::from(careless(writer));
    }
    if let Some(one) = writer.random.pick(&shape.any_of) {
        return value(writer, one, name, needed, depth);
    }
    if !shape.values.is_empty() {
        return word(writer, shape);
    }
    match shape.kind {
        Kind::String => text(writer, shape, name),
        Kind::Integer => match writer.random.below(3) {
            0 if shape.maximum.is_none() && shape.minimum.is_none_or(|least| least <= 0) => {
                Value::from(format!("{{{{ {} | length }}}}", writer.expression(Sort::Texts)))
            }
            _ => values::value(writer.random, shape, Named(name)),
        },
        Kind::Number if shape.minimum.is_none() && shape.maximum.is_none() && writer.random.percent(60) => {
            Value::from(writer.template(Sort::Number))
        }
        Kind::Number => values::value(writer.random, shape, Named(name)),
        Kind::Boolean if writer.random.percent(50) => Value::from(writer.template(Sort::Flag)),
        Kind::Boolean => Value::from(writer.random.percent(50)),
        Kind::Array => list(writer, shape, name, depth),
        Kind::Object => object(writer, shape, depth),
        Kind::Any => any(writer),
    }
}

/// `omit` where there is no value.
fn left_out(writer: &mut Writer<'_>, shape: &Shape, name: &str) -> String {
    let fields: Vec<(String, bool)> = writer
        .fields
        .iter()
        .filter(|field| field.typed && field.shape.kind == shape.kind && field.shape.values == shape.values)
        .filter(|field| field.shape.format == shape.format && field.shape.any_of.is_empty())
        .filter(|field| {
            !matches!(shape.kind, Kind::Array | Kind::Object)
                || field.shape.items == shape.items && field.shape.fields == shape.fields
        })
        .filter(|field| !Named(name).is_id() || field.name() == name)
        .filter(|_| shape.minimum.is_none() && shape.maximum.is_none())
        .map(|field| (field.path.clone(), field.deep))
        .collect();
    match writer.random.pick(&fields).cloned() {
        Some((path, deep)) if deep || writer.random.percent(60) => {
            format!("{{{{ {path} | default(omit) }}}}")
        }
        Some((path, _)) => format!("{{{{ {path} or omit }}}}"),
        None => "{{ omit }}".to_owned(),
    }
}

fn careless(writer: &mut Writer<'_>) -> String {
    match writer.random.below(3) {
        0 => format!("{{{{ {} }}}}", writer.any_field()),
        1 => writer.template(Sort::Text),
        _ => writer.template(Sort::List),
    }
}

fn word(writer: &mut Writer<'_>, shape: &Shape) -> Value {
    let one = writer.random.one(&shape.values).clone();
    let same: Vec<String> = writer
        .fields
        .iter()
        .filter(|field| {
            field.typed
                && !field.shape.values.is_empty()
                && !field.missing
                && field.shape.values.iter().all(|value| shape.values.contains(value))
        })
        .map(|field| field.path.clone())
        .collect();
    match (writer.random.below(4), &one) {
        (0, _) if !same.is_empty() => Value::from(format!("{{{{ {} }}}}", writer.random.one(&same))),
        (1, Value::String(word)) if !word.contains('\'') => {
            let other = writer.random.one(&shape.values).clone();
            let test = writer.expression(Sort::Flag);
            match other.as_str() {
                Some(other) if !other.contains('\'') => {
                    Value::from(format!("{{{{ '{word}' if {test} else '{other}' }}}}"))
                }
                _ => one,
            }
        }
        _ => one,
    }
}

fn text(writer: &mut Writer<'_>, shape: &Shape, name: &str) -> Value {
    let format = shape.format.as_deref();
    let named = Named(name);
    if matches!(format, Some("date-time")) && writer.random.percent(60) {
        return Value::from(format!("{{{{ {} | iso8601 }}}}", writer.leaf(Sort::Time)));
    }
    if matches!(format, Some("date")) && writer.random.percent(60) {
        return Value::from(format!("{{{{ {} | date }}}}", writer.leaf(Sort::Time)));
    }
    let is_free =
        format.is_none() && !named.is_id() && !named.is_phone() && !name.to_lowercase().contains("email");
    if is_free {
        return match writer.random.below(4) {
            0 => Value::from(values::text(writer.random, format, named).replace("{{", "")),
            1 => Value::from(format!(
                "about {} and {}",
                writer.template(Sort::Text),
                writer.template(Sort::Number)
            )),
            _ => Value::from(writer.template(Sort::Text)),
        };
    }
    let fields: Vec<String> = writer
        .fields
        .iter()
        .filter(|field| field.shape.kind == Kind::String && field.shape.any_of.is_empty() && !field.missing)
        .filter(|field| match format {
            Some(_) => field.shape.format.as_deref() == format,
            None => field.name() == name || named.is_phone() && Named(field.name()).is_phone(),
        })
        .map(|field| field.path.clone())
        .collect();
    match writer.random.pick(&fields).cloned() {
        Some(path) => Value::from(format!("{{{{ {path} }}}}")),
        None => Value::from(values::text(writer.random, format, named).replace("{{", "")),
    }
}

fn list(writer: &mut Writer<'_>, shape: &Shape, name: &str, depth: usize) -> Value {
    let Some(items) = shape.items.as_deref().filter(|_| depth > 0) else { return json!([]) };
    let plain = items.kind == Kind::String
        && items.values.is_empty()
        && items.format.is_none()
        && items.any_of.is_empty()
        && !Named(name).is_id();
    if plain && writer.random.percent(50) {
        return Value::from(writer.template(Sort::Texts));
    }
    let length = 1 + writer.random.below(2);
    (0..length).map(|_| value(writer, items, name, true, depth - 1)).collect()
}

fn object(writer: &mut Writer<'_>, shape: &Shape, depth: usize) -> Value {
    if shape.fields.is_empty() {
        return match writer.random.below(2) {
            0 => Value::from(writer.template(Sort::Mapping)),
            _ => json!({ "note": writer.template(Sort::Text) }),
        };
    }
    let mut found = Map::new();
    for (name, field) in &shape.fields {
        let chosen = shape.one_of.first() == Some(name) || depth > 0 && writer.random.percent(12);
        if field.required || chosen {
            found.insert(name.clone(), value(writer, field, name, field.required, depth.saturating_sub(1)));
        }
    }
    Value::Object(found)
}

/// A value where anything goes.
pub fn any(writer: &mut Writer<'_>) -> Value {
    let sorts = [
        Sort::Text,
        Sort::Number,
        Sort::Flag,
        Sort::Texts,
        Sort::Numbers,
        Sort::Records,
        Sort::Mapping,
        Sort::Time,
        Sort::List,
    ];
    let sort = *writer.random.one(&sorts);
    Value::from(writer.template(sort))
}
