//! Converts schemas to shapes: references are expanded, within limits.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::document::{Documents, file_name};
use super::finding::FindingKind;
use super::listing::Hint;
use super::patch;
use super::report::Finding;
use crate::value::{Kind, Shape};

/// Maximum depth of a request schema.
pub(super) const REQUEST_DEPTH: usize = 14;
/// Maximum depth of a response schema; below it, recipes may use any name.
pub(super) const RESPONSE_DEPTH: usize = 7;
/// Maximum number of expanded schemas per operation.
const OPERATION_BUDGET: usize = 4_000;
/// Maximum number of expanded schemas per import.
const TOTAL_BUDGET: usize = 1_000_000;

/// The state of reading documents: the current place, findings, and remaining budget.
pub(super) struct Reading<'a> {
    pub(super) documents: &'a Documents,
    /// Corrections of named schemas: `contacts.json#Name` → merge patch on its shape.
    patches: &'a BTreeMap<String, Value>,
    pub(super) used_patches: BTreeSet<String>,
    pub(super) findings: BTreeSet<Finding>,
    /// What the parameters of the current operation state besides their types.
    pub(super) hints: BTreeMap<String, Hint>,
    /// Path of the current document.
    document: String,
    /// Method and path of the current operation.
    operation: String,
    /// References being expanded.
    open: Vec<String>,
    budget: usize,
    total: usize,
    deepest: usize,
    flatten_lists: bool,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        documents: &'a Documents,
        patches: &'a BTreeMap<String, Value>,
        flatten_lists: bool,
    ) -> Self {
        Self {
            documents,
            patches,
            used_patches: BTreeSet::new(),
            findings: BTreeSet::new(),
            hints: BTreeMap::new(),
            document: String::new(),
            operation: String::new(),
            open: Vec::new(),
            budget: OPERATION_BUDGET,
            total: TOTAL_BUDGET,
            deepest: REQUEST_DEPTH,
            flatten_lists,
        }
    }

    /// Starts reading an operation.
    pub(super) fn begin(&mut self, document: &str, operation: &str) {
        document.clone_into(&mut self.document);
        operation.clone_into(&mut self.operation);
        self.budget = OPERATION_BUDGET;
        self.open.clear();
        self.hints.clear();
    }

    pub(super) fn note(&mut self, kind: FindingKind, detail: impl Into<String>) {
        self.findings.insert(Finding {
            document: self.document.clone(),
            operation: self.operation.clone(),
            kind,
            detail: detail.into(),
        });
    }

    /// The shape of `schema` in `document`.
    pub(super) fn shape(&mut self, document: &str, schema: &Value, deepest: usize) -> Shape {
        self.deepest = deepest;
        self.any_schema(document, schema, 0)
    }

    fn any_schema(&mut self, document: &str, schema: &Value, depth: usize) -> Shape {
        if self.budget == 0 || self.total == 0 {
            self.note(FindingKind::TooLarge, format!("more than {OPERATION_BUDGET} schemas"));
            return Shape::default();
        }
        self.budget -= 1;
        self.total -= 1;
        let object = match schema {
            Value::Object(object) => object,
            Value::Bool(true) => return Shape::default(),
            other => {
                self.note(FindingKind::SchemaBroken, shown(other));
                return Shape::default();
            }
        };
        if depth > self.deepest {
            self.note(FindingKind::TooDeep, format!("more than {} levels", self.deepest));
            return Shape::new(first_type(object).and_then(kind_of).unwrap_or_default());
        }
        match object.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.reference(document, reference, depth),
            None => self.combined(document, object, depth),
        }
    }

    fn reference(&mut self, document: &str, reference: &str, depth: usize) -> Shape {
        let documents = self.documents;
        let Some((found, name)) = documents.follow(document, reference) else {
            self.note(FindingKind::RefBroken, reference);
            return Shape::default();
        };
        if self.open.contains(&name) {
            self.note(FindingKind::RefCyclic, reference);
            return Shape::default();
        }
        self.open.push(name);
        let shape = self.any_schema(found.document, found.value, depth);
        let name = self.open.pop().unwrap_or_default();
        let file = file_name(name.split('#').next().unwrap_or_default()).to_owned();
        let key = format!("{file}#{}", name.rsplit('/').next().unwrap_or_default());
        match self.patches.get(&key) {
            Some(correction) => {
                self.used_patches.insert(key);
                patch::shape(shape, correction)
            }
            None => shape,
        }
    }

    /// The shape of a schema that is not a reference: its own keywords with `allOf`, `anyOf` and `oneOf`.
    fn combined(&mut self, document: &str, object: &Map<String, Value>, depth: usize) -> Shape {
        let mut shape = self.own(document, object, depth);
        if let Some(Value::Array(parts)) = object.get("allOf") {
            for part in parts {
                let part = self.any_schema(document, part, depth + 1);
                shape = self.both(shape, part);
            }
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(Value::Array(parts)) = object.get(keyword) {
                let alternatives: Vec<Shape> =
                    parts.iter().map(|part| self.any_schema(document, part, depth + 1)).collect();
                shape = one_of(shape, alternatives, parts);
            }
        }
        shape.nullable |= object.get("nullable") == Some(&Value::Bool(true));
        shape
    }

    fn own(&mut self, document: &str, object: &Map<String, Value>, depth: usize) -> Shape {
        let kind = self.kind(object);
        let mut shape = Shape::new(kind);
        shape.nullable = type_names(object).contains(&"null");
        if kind == Kind::String {
            shape.format = object.get("format").and_then(Value::as_str).map(str::to_owned);
        }
        if matches!(kind, Kind::Integer | Kind::Number) {
            shape.minimum = object.get("minimum").and_then(Value::as_f64).map(|least| least.ceil() as i64);
            shape.maximum = object.get("maximum").and_then(Value::as_f64).map(|most| most.floor() as i64);
        }
        match kind {
            Kind::Object => self.object(&mut shape, document, object, depth),
            Kind::Array => {
                if let Some(items) = object.get("items") {
                    shape.items = Some(Box::new(self.any_schema(document, items, depth + 1)));
                    self.flatten(&mut shape);
                }
            }
            _ => {}
        }
        self.values(&mut shape, object);
        shape
    }

    /// Treats items declared as lists as the items of these lists, if the overlay says that the generator errs there.
    fn flatten(&mut self, shape: &mut Shape) {
        let Some(items) =
            shape.items.as_mut().filter(|items| self.flatten_lists && items.kind == Kind::Array)
        else {
            return;
        };
        let inner = items.items.take();
        self.note(
            FindingKind::ListNested,
            Shape { items: inner.clone(), ..Shape::new(Kind::Array) }.describe(),
        );
        (shape.items, shape.doubtful) = (inner, true);
    }

    fn kind(&mut self, object: &Map<String, Value>) -> Kind {
        let names: Vec<&str> = type_names(object).into_iter().filter(|name| *name != "null").collect();
        match names.as_slice() {
            [] if object.contains_key("properties") => Kind::Object,
            [] if object.contains_key("items") => Kind::Array,
            [] => {
                if let Some(other) = object.get("type").filter(|t| !t.is_string() && !t.is_array()) {
                    self.note(FindingKind::TypeInvalid, shown(other));
                }
                Kind::Any
            }
            ["object"] => self.object_or_example(object),
            [name] => kind_of(name).unwrap_or_else(|| {
                self.note(FindingKind::TypeInvalid, *name);
                Kind::Any
            }),
            _ => Kind::Any,
        }
    }

    /// Generators write `object` for every type they do not know. An example shows the real type.
    fn object_or_example(&mut self, object: &Map<String, Value>) -> Kind {
        let says_more = ["properties", "additionalProperties", "allOf", "oneOf", "anyOf"];
        if says_more.iter().any(|key| object.contains_key(*key)) {
            return Kind::Object;
        }
        let kind = match object.get("default").or(object.get("example")) {
            Some(Value::String(_)) => Kind::String,
            Some(Value::Number(_)) => Kind::Number,
            Some(Value::Bool(_)) => Kind::Boolean,
            Some(Value::Array(_)) => Kind::Any,
            _ => return Kind::Object,
        };
        self.note(FindingKind::TypeFromExample, Shape::new(kind).describe());
        kind
    }

    fn object(&mut self, shape: &mut Shape, document: &str, object: &Map<String, Value>, depth: usize) {
        match object.get("properties") {
            Some(Value::Object(properties)) => {
                for (name, schema) in properties {
                    let field = self.any_schema(document, schema, depth + 1);
                    shape.fields.insert(name.clone(), field);
                }
            }
            Some(other) => self.note(FindingKind::SchemaBroken, format!("properties: {}", shown(other))),
            None => {}
        }
        if let Some(Value::Array(required)) = object.get("required") {
            for name in required.iter().filter_map(Value::as_str) {
                match shape.fields.get_mut(name) {
                    Some(field) => field.required = true,
                    None => self.note(FindingKind::RequiredUnknown, name),
                }
            }
        }
        match object.get("additionalProperties") {
            Some(Value::Bool(true)) => shape.open = !shape.fields.is_empty(),
            Some(entries @ Value::Object(_)) => {
                let entries = self.any_schema(document, entries, depth + 1);
                if entries == Shape::default() {
                    shape.open = !shape.fields.is_empty();
                } else {
                    shape.entries = Some(Box::new(entries));
                }
            }
            _ => {}
        }
    }

    /// Allowed values. Those of a list apply to its items; those of another type are dropped.
    fn values(&mut self, shape: &mut Shape, object: &Map<String, Value>) {
        let constant = object.get("const").map(std::slice::from_ref);
        let listed = object.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        let Some(mut values) = listed.or(constant) else { return };
        if let [Value::Array(inner)] = values {
            self.note(FindingKind::EnumNested, format!("{} values", inner.len()));
            values = inner;
        }
        let target = match (shape.kind, &mut shape.items) {
            (Kind::Array, Some(items)) => items.as_mut(),
            _ => shape,
        };
        if let Some(kind) = common_kind(values).filter(|kind| !fits(*kind, target.kind)) {
            self.note(FindingKind::TypeFromEnum, format!("{} {}", target.describe(), shown(&values[0])));
            *target = Shape { required: target.required, nullable: target.nullable, ..Shape::new(kind) };
        }
        let unrestricted = Shape { values: vec![], required: false, ..target.clone() };
        for value in values {
            if value.is_null() {
                target.nullable = true;
            } else if unrestricted.check(value, &|_| false).is_empty() {
                if !target.values.contains(value) {
                    target.values.push(value.clone());
                }
            } else {
                self.note(FindingKind::EnumWrongType, shown(value));
            }
        }
    }

    /// A shape that matches both.
    fn both(&mut self, one: Shape, other: Shape) -> Shape {
        let nothing_said = |shape: &Shape| {
            let empty = Shape { nullable: false, kind: Kind::Any, ..shape.clone() } == Shape::default();
            empty && matches!(shape.kind, Kind::Any | Kind::Object)
        };
        let nullable = one.nullable || other.nullable;
        let mut merged = if nothing_said(&one) {
            other
        } else if nothing_said(&other) {
            one
        } else if one.kind == Kind::Object && other.kind == Kind::Object {
            objects(one, other)
        } else {
            if one.kind != other.kind {
                self.note(FindingKind::AllOfMixed, format!("{} and {}", one.describe(), other.describe()));
            }
            one
        };
        merged.nullable = nullable;
        merged
    }
}

fn objects(mut one: Shape, other: Shape) -> Shape {
    for (name, field) in other.fields {
        let required = field.required || one.fields.get(&name).is_some_and(|f| f.required);
        one.fields.insert(name, Shape { required, ..field });
    }
    one.open |= other.open;
    one.entries = one.entries.or(other.entries);
    one
}

/// The common type of all values, if there is one.
fn common_kind(values: &[Value]) -> Option<Kind> {
    let kind = |value: &Value| match value {
        Value::String(_) => Some(Kind::String),
        Value::Number(_) => Some(Kind::Number),
        Value::Bool(_) => Some(Kind::Boolean),
        _ => None,
    };
    let first = kind(values.first()?)?;
    values.iter().all(|value| kind(value) == Some(first)).then_some(first)
}

/// Whether values of `kind` may be values of a schema of type `declared`.
fn fits(kind: Kind, declared: Kind) -> bool {
    kind == declared || declared == Kind::Any || (kind == Kind::Number && declared == Kind::Integer)
}

/// `base` with alternatives. A null alternative makes it nullable; a single alternative is merged.
fn one_of(base: Shape, alternatives: Vec<Shape>, schemas: &[Value]) -> Shape {
    let nullable = base.nullable || schemas.iter().any(|schema| schema.get("type") == Some(&"null".into()));
    let mut left: Vec<Shape> = Vec::new();
    for (shape, schema) in alternatives.into_iter().zip(schemas) {
        if schema.get("type") != Some(&"null".into()) && !left.contains(&shape) {
            left.push(shape);
        }
    }
    let mut shape = match left.len() {
        0 => base,
        1 => left.remove(0),
        _ if left.contains(&Shape::default()) => Shape::default(),
        _ => Shape { any_of: left, ..Shape::default() },
    };
    shape.nullable |= nullable;
    shape
}

fn type_names(object: &Map<String, Value>) -> Vec<&str> {
    match object.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    }
}

fn first_type(object: &Map<String, Value>) -> Option<&str> {
    type_names(object).into_iter().find(|name| *name != "null")
}

fn kind_of(name: &str) -> Option<Kind> {
    Some(match name {
        "string" => Kind::String,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        "object" => Kind::Object,
        "array" => Kind::Array,
        _ => return None,
    })
}

/// A value for the report, cut to a readable length.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
