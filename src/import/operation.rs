//! An operation's facts, from its description.

use serde_json::Value;

use super::body;
use super::described::Described;
use super::document::file_name;
use super::finding::FindingKind;
use super::overlay::Overlay;
use super::parameters;
use super::schema::Reading;
use crate::catalog::{Effect, Operation, OperationKind, Shows};

/// Reads all facts of an operation. Title, summary, and what no description contains stay empty.
pub(super) fn read(reading: &mut Reading<'_>, overlay: &Overlay, described: &Described<'_>) -> Operation {
    reading.begin(file_name(described.document), &described.key());
    let found = parameters::read(reading, overlay, described);
    let body = body::body(reading, described);
    let answer = body::answer(reading, described);
    let (scopes, access) = security(reading, overlay, described);
    if described.operation.get("tags").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        reading.note(FindingKind::NoTags, "");
    }
    let deprecated = described.operation.get("deprecated") == Some(&Value::Bool(true));
    if deprecated {
        reading.note(FindingKind::Deprecated, "");
    }
    let mut operation = Operation {
        id: String::new(),
        connector: String::new(),
        api: None,
        renamed: indexmap::IndexMap::new(),
        title: String::new(),
        summary: String::new(),
        kinds: vec![OperationKind::Action],
        method: described.method.to_owned(),
        path: described.path.to_owned().try_into().expect("paths that are none are left out"),
        version: found.version,
        scopes,
        access,
        deprecated,
        parameters: found.parameters,
        body,
        input: None,
        one_of: vec![],
        result: vec![],
        download: answer.download,
        response: answer.shape,
        list: None,
        effect: effect(described.method),
        creates_when: vec![],
        first_only: vec![],
        read_back: Vec::new(),
        shows: Shows::default(),
        updates: None,
        probe: None,
        composite: vec![],
        builtin: None,
        replaces_all: indexmap::IndexMap::new(),
        notes: vec![],
        example: indexmap::IndexMap::new(),
    };
    rename_clashes(reading, &mut operation);
    operation
}

/// The effect of a method, cautiously.
fn effect(method: &str) -> Effect {
    match method {
        "GET" | "HEAD" => Effect::Read,
        "PUT" | "DELETE" | "PATCH" => Effect::Idempotent,
        _ => Effect::Create,
    }
}

/// A parameter with the name of a body field becomes `query_name`.
fn rename_clashes(reading: &mut Reading<'_>, operation: &mut Operation) {
    let Some(body) = &operation.body else { return };
    let clashes = |name: &str| body.whole.as_deref() == Some(name) || body.shape.fields.contains_key(name);
    let mut renamed = indexmap::IndexMap::new();
    for (name, mut parameter) in std::mem::take(&mut operation.parameters) {
        if !clashes(&name) {
            renamed.insert(name, parameter);
            continue;
        }
        reading.note(FindingKind::NameInBody, name.clone());
        let place = parameters::place_name(parameter.place);
        parameter.wire.get_or_insert(name.clone());
        renamed.insert(format!("{place}_{name}"), parameter);
    }
    operation.parameters = renamed;
}

/// Scopes and kinds of tokens, over all alternatives.
fn security(
    reading: &mut Reading<'_>,
    overlay: &Overlay,
    described: &Described<'_>,
) -> (Vec<String>, Vec<String>) {
    let own = described.operation.get("security").and_then(Value::as_array);
    let Some(alternatives) = own.or_else(|| described.root.get("security").and_then(Value::as_array)) else {
        reading.note(FindingKind::SecurityAbsent, "");
        return (vec![], vec![]);
    };
    let (mut scopes, mut access) = (Vec::new(), Vec::new());
    for (scheme, needed) in alternatives.iter().filter_map(Value::as_object).flatten() {
        if needed.as_array().is_none_or(Vec::is_empty) {
            reading.note(FindingKind::ScopesEmpty, scheme.clone());
        }
        for scope in needed.as_array().into_iter().flatten().filter_map(Value::as_str) {
            push_new(&mut scopes, scope);
        }
        for token in overlay.access.get(scheme).into_iter().flatten() {
            push_new(&mut access, token);
        }
    }
    (scopes, access)
}

fn push_new(list: &mut Vec<String>, text: &str) {
    if !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}
