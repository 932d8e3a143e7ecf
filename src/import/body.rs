//! Request bodies and answers of descriptions.

use serde_json::Value;

use super::described::Described;
use super::finding::FindingKind;
use super::schema::{REQUEST_DEPTH, RESPONSE_DEPTH, Reading};
use crate::catalog::{Body, Encoding};
use crate::value::{Kind, Shape};

/// The input name of a body that is a list.
const WHOLE_NAME: &str = "items";

/// The content of a success.
#[derive(Default)]
pub(super) struct Answer {
    /// Media type of a file.
    pub download: Option<String>,
    pub shape: Option<Shape>,
}

/// The request body, if there is one that can be sent.
pub(super) fn body(reading: &mut Reading<'_>, described: &Described<'_>) -> Option<Body> {
    let Some(declared) = described.operation.get("requestBody") else {
        if matches!(described.method, "POST" | "PUT" | "PATCH") {
            reading.note(FindingKind::WriteWithoutBody, "");
        }
        return None;
    };
    match described.method {
        "GET" | "HEAD" => {
            reading.note(FindingKind::GetWithBody, "");
            return None;
        }
        "DELETE" => reading.note(FindingKind::DeleteWithBody, ""),
        _ => {}
    }
    let documents = reading.documents;
    let found = match documents.resolve(described.document, declared) {
        Ok(found) => found,
        Err(reference) => {
            reading.note(FindingKind::RefBroken, reference);
            return Some(Body { encoding: Encoding::Json, whole: None, shape: Shape::new(Kind::Object) });
        }
    };
    if found.value.get("required") != Some(&Value::Bool(true)) {
        reading.note(FindingKind::BodyOptional, "");
    }
    let (encoding, media) = choose(reading, found.value.get("content")?)?;
    let mut shape = match media.get("schema") {
        Some(schema) => {
            let shape = reading.shape(found.document, schema, REQUEST_DEPTH);
            let name = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next());
            merge_alternatives(reading, shape, name.unwrap_or_default())
        }
        None => {
            reading.note(FindingKind::BodyNoSchema, "");
            Shape::new(Kind::Object)
        }
    };
    let whole = (shape.kind == Kind::Array).then(|| WHOLE_NAME.to_owned());
    if whole.is_some() {
        reading.note(FindingKind::BodyArray, "");
        // It is a single input without an alternative.
        shape.required = found.value.get("required") == Some(&Value::Bool(true));
    }
    Some(Body { encoding, whole, shape })
}

/// The media type to send: JSON before form before multipart.
fn choose<'v>(reading: &mut Reading<'_>, content: &'v Value) -> Option<(Encoding, &'v Value)> {
    let content = content.as_object()?;
    let find = |wanted: fn(&str) -> bool| {
        content.iter().find(|(name, _)| wanted(&bare(name))).map(|(_, media)| media)
    };
    if let Some(media) = find(|name| name.ends_with("json") || name == "*/*") {
        return Some((Encoding::Json, media));
    }
    if let Some(media) = find(|name| name == "application/x-www-form-urlencoded") {
        reading.note(FindingKind::BodyForm, "");
        return Some((Encoding::Form, media));
    }
    if let Some(media) = find(|name| name == "multipart/form-data") {
        reading.note(FindingKind::BodyMultipart, "");
        return Some((Encoding::Multipart, media));
    }
    let names: Vec<&str> = content.keys().map(String::as_str).collect();
    reading.note(FindingKind::BodyOther, names.join(" "));
    None
}

fn bare(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_lowercase()
}

/// A body is an object or a list: alternatives are merged into one object that allows them all.
fn merge_alternatives(reading: &mut Reading<'_>, shape: Shape, name: &str) -> Shape {
    if !shape.any_of.is_empty() {
        reading.note(FindingKind::BodyAlternatives, name);
        return united(shape.any_of);
    }
    match shape.kind {
        Kind::Object if shape.fields.is_empty() && shape.entries.is_none() => {
            reading.note(FindingKind::BodyEmpty, name);
            shape
        }
        Kind::Object | Kind::Array => shape,
        _ => {
            reading.note(FindingKind::BodyEmpty, name);
            Shape::new(Kind::Object)
        }
    }
}

fn united(alternatives: Vec<Shape>) -> Shape {
    if alternatives.iter().any(|shape| shape.kind != Kind::Object) {
        return Shape::new(Kind::Object);
    }
    let mut all = Shape::new(Kind::Object);
    for alternative in &alternatives {
        all.open |= alternative.is_open();
        for (name, field) in &alternative.fields {
            let everywhere = alternatives.iter().all(|a| a.fields.get(name).is_some_and(|f| f.required));
            let merged = match all.fields.get(name) {
                None => field.clone(),
                Some(known) if Shape { required: field.required, ..known.clone() } == *field => field.clone(),
                Some(known) if known.kind == Kind::String && field.kind == Kind::String => {
                    let values: Vec<Value> = known.values.iter().chain(&field.values).cloned().collect();
                    let both = !known.values.is_empty() && !field.values.is_empty();
                    Shape { values: if both { values } else { vec![] }, ..Shape::new(Kind::String) }
                }
                Some(_) => Shape::default(),
            };
            all.fields.insert(name.clone(), Shape { required: everywhere, ..merged });
        }
    }
    all
}

/// The first success with content.
pub(super) fn answer(reading: &mut Reading<'_>, described: &Described<'_>) -> Answer {
    let Some(responses) = described.operation.get("responses").and_then(Value::as_object) else {
        reading.note(FindingKind::NoSuccess, "");
        return Answer::default();
    };
    note_broken(reading, described.document, responses.values());
    let mut successes: Vec<(&str, &Value)> = responses
        .iter()
        .filter(|(status, _)| status.starts_with('2'))
        .map(|(status, response)| (status.as_str(), response))
        .collect();
    successes.sort_by_key(|(status, _)| *status);
    note_statuses(reading, described.method, &successes);
    let documents = reading.documents;
    for (_, response) in &successes {
        let Ok(found) = documents.resolve(described.document, response) else { continue };
        let content = found.value.get("content").and_then(Value::as_object);
        for (media_type, media) in content.into_iter().flatten() {
            let media_type = bare(media_type);
            if !media_type.ends_with("json") && media_type != "*/*" {
                return Answer { download: Some(media_type), shape: None };
            }
            let Some(schema) = media.get("schema") else { continue };
            let mut shape = reading.shape(found.document, schema, RESPONSE_DEPTH);
            forget_required(&mut shape);
            if shape == Shape::new(Kind::Object) || shape == Shape::default() {
                let name = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next());
                reading.note(FindingKind::ResponseEmpty, name.unwrap_or("None"));
            }
            return Answer { download: None, shape: Some(shape).filter(|s| *s != Shape::default()) };
        }
    }
    if !successes.is_empty() {
        let statuses: Vec<String> = successes.iter().map(|(status, _)| format!("'{status}'")).collect();
        reading.note(FindingKind::NoContent, format!("[{}]", statuses.join(", ")));
    }
    Answer::default()
}

/// Reports broken references of answers that are otherwise ignored.
fn note_broken<'v>(reading: &mut Reading<'_>, document: &str, responses: impl Iterator<Item = &'v Value>) {
    let documents = reading.documents;
    for response in responses {
        for media in response.get("content").and_then(Value::as_object).into_iter().flat_map(|c| c.values()) {
            if let Some(reference) = media.pointer("/schema/$ref").and_then(Value::as_str)
                && documents.follow(document, reference).is_none()
            {
                reading.note(FindingKind::RefBroken, reference);
            }
        }
    }
}

fn note_statuses(reading: &mut Reading<'_>, method: &str, successes: &[(&str, &Value)]) {
    match successes {
        [] => reading.note(FindingKind::NoSuccess, ""),
        [_] => {}
        many => {
            let statuses: Vec<String> = many.iter().map(|(status, _)| format!("'{status}'")).collect();
            reading.note(FindingKind::SeveralSuccesses, format!("[{}]", statuses.join(", ")));
        }
    }
    let only_created = successes.iter().any(|(status, _)| *status == "201");
    match method {
        "DELETE" if only_created => reading.note(FindingKind::DeleteCreates, ""),
        "PUT" if only_created => reading.note(FindingKind::PutCreates, ""),
        _ => {}
    }
}

/// Descriptions of required answer fields are unreliable.
fn forget_required(shape: &mut Shape) {
    shape.required = false;
    shape.fields.values_mut().for_each(forget_required);
    shape.any_of.iter_mut().for_each(forget_required);
    for inner in [&mut shape.items, &mut shape.entries].into_iter().flatten() {
        forget_required(inner);
    }
}
