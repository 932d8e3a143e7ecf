//! The body of a request.

use std::path::PathBuf;

use bytes::Bytes;
use reqwest::multipart::{Form, Part as HttpPart};
use serde_json::{Map, Value};

use super::files::{Allowed, Opened};
use super::query::{push, text};
use crate::catalog::{ArrayStyle, Body, Encoding};
use crate::value::Shape;

/// A body that is ready to be sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum RequestBody {
    /// No body.
    #[default]
    Empty,
    /// A JSON body (`application/json`).
    Json(Bytes),
    /// A form (`application/x-www-form-urlencoded`).
    Form(String),
    /// A multipart form (`multipart/form-data`).
    Multipart(Vec<Part>),
    /// Text; the headers name its media type.
    Text(String),
}

/// One part of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Name of the form field.
    pub name: String,
    /// Content of the part.
    pub content: PartContent,
}

/// Content of a multipart part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartContent {
    /// Text.
    Text(String),
    /// A file, which is read while it is sent.
    File(PathBuf),
}

/// Builds the body from the inputs that belong in it.
pub(super) fn build(body: &Body, mut inputs: Map<String, Value>) -> RequestBody {
    match body.encoding {
        Encoding::Json => match &body.whole {
            // Inputs that were left out do not make an empty object.
            Some(name) => inputs.remove(name).map_or(RequestBody::Empty, |whole| json(&whole)),
            None => json(&Value::Object(inputs)),
        },
        Encoding::Form => RequestBody::Form(form(&inputs)),
        Encoding::Multipart => RequestBody::Multipart(parts(&body.shape, &inputs)),
    }
}

pub(super) fn json(value: &Value) -> RequestBody {
    RequestBody::Json(Bytes::from(value.to_string()))
}

/// The fields as form pairs; a list repeats its name.
pub(super) fn form(fields: &Map<String, Value>) -> String {
    let mut pairs = Vec::new();
    for (name, value) in fields {
        push(&mut pairs, name, value, ArrayStyle::Repeat);
    }
    pairs.join("&")
}

fn parts(shape: &Shape, fields: &Map<String, Value>) -> Vec<Part> {
    let is_file = |name: &str| {
        let binary = |shape: &Shape| shape.format.as_deref() == Some("binary");
        shape.fields.get(name).is_some_and(|s| binary(s) || s.items.as_deref().is_some_and(binary))
    };
    let mut parts = Vec::new();
    for (name, value) in fields {
        let values = match value {
            Value::Array(items) => items.iter().collect(),
            Value::Null => vec![],
            other => vec![other],
        };
        parts.extend(values.into_iter().map(|value| {
            let text = text(value);
            let content =
                if is_file(name) { PartContent::File(PathBuf::from(text)) } else { PartContent::Text(text) };
            Part { name: name.clone(), content }
        }));
    }
    parts
}

/// The parts as a form to send; files are opened, not read.
pub(super) async fn multipart(parts: &[Part], allowed: Allowed<'_>) -> Result<Form, String> {
    let mut form = Form::new();
    for part in parts {
        let content = match &part.content {
            PartContent::Text(text) => HttpPart::text(text.clone()),
            PartContent::File(path) => {
                let Opened { file, length, name } = allowed.open(path).await?;
                HttpPart::stream_with_length(file, length).file_name(name)
            }
        };
        form = form.part(part.name.clone(), content);
    }
    Ok(form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn built(body: &str, inputs: Value) -> RequestBody {
        let body: Body = serde_yaml::from_str(body).unwrap();
        build(&body, inputs.as_object().unwrap().clone())
    }

    #[test]
    fn json_whole_form_and_multipart() {
        let any = "shape: { type: object }";
        assert_eq!(built(any, json!({ "a": [1] })), RequestBody::Json(Bytes::from("{\"a\":[1]}")));
        assert_eq!(
            built("whole: items\nshape: { type: array }", json!({ "items": [1, 2] })),
            RequestBody::Json(Bytes::from("[1,2]"))
        );
        assert_eq!(built("whole: items\nshape: { type: array }", json!({})), RequestBody::Empty);
        assert_eq!(
            built("encoding: form\nshape: { type: object }", json!({ "a": "x y", "b": [1, 2], "c": null })),
            RequestBody::Form("a=x%20y&b=1&b=2".into())
        );
        let body = "encoding: multipart\nshape: { type: object, fields: { file: { type: string, format: binary } } }";
        let expected = [
            Part { name: "file".into(), content: PartContent::File("/tmp/a.png".into()) },
            Part { name: "n".into(), content: PartContent::Text("1".into()) },
        ];
        assert_eq!(
            built(body, json!({ "file": "/tmp/a.png", "n": 1 })),
            RequestBody::Multipart(expected.to_vec())
        );
    }
}
