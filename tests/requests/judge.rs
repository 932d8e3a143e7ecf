//! A server that accepts every request, and a strict check of requests against the description.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::described::Described;

/// A received request.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Requests received since the last call.
#[derive(Debug, Clone, Default)]
pub struct Inbox(Arc<Mutex<Vec<Received>>>);

impl Inbox {
    /// Takes the received requests.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.0.lock().expect("no panic meanwhile"))
    }

    /// Listens; returns the address. Searches find nothing.
    pub async fn serve(&self) -> String {
        let router = Router::new().fallback(take).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }
}

async fn take(
    State(inbox): State<Inbox>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::Json<Value> {
    inbox.0.lock().expect("no panic meanwhile").push(Received { method, uri, headers, body });
    axum::Json(json!({ "contact": null, "contacts": [] }))
}

/// The described request with the method and path of `received`, the most literal one.
pub fn meant<'a>(rows: &'a [Described], received: &Received) -> Option<&'a Described> {
    let fits = |row: &&Described| {
        let (template, path) = (row.path.split('/'), received.uri.path().split('/'));
        row.method == received.method.as_str()
            && template.clone().count() == path.clone().count()
            && template.zip(path).all(|(a, b)| a == b || (a.starts_with('{') && !b.is_empty()))
    };
    rows.iter().filter(fits).min_by_key(|row| row.path.matches('{').count())
}

/// All mistakes in `received`.
pub fn complaints(row: &Described, received: &Received) -> Vec<String> {
    let mut wrong = query(row, received);
    let header = |name: &str| received.headers.get(name).and_then(|value| value.to_str().ok());
    // One operation lacks this header in its description; the difference is recorded in the overlay.
    if row.version.is_some() && header("version") != row.version.as_deref() {
        wrong.push(format!("version {:?}, not {:?}", header("version"), row.version));
    }
    if header("authorization") != Some("Bearer token-1") {
        wrong.push("no credential".into());
    }
    match &row.body {
        None if !received.body.is_empty() => wrong.push("a body that is not described".into()),
        None => {}
        Some(_) if header("content-type") != Some("application/json") => wrong.push("no JSON".into()),
        Some(schema) => match serde_json::from_slice(&received.body) {
            Ok(body) => wrong.extend(check("body", schema, &body)),
            Err(error) => wrong.push(format!("the body: {error}")),
        },
    }
    wrong
}

/// A list in a query uses OpenAPI's default style: its name once per item.
fn query(row: &Described, received: &Received) -> Vec<String> {
    let mut wrong = Vec::new();
    let text = received.uri.query().unwrap_or_default();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    for (name, _) in &pairs {
        if !row.parameters.iter().any(|known| known.place == "query" && known.name == *name) {
            wrong.push(format!("query {name} is unknown"));
        }
    }
    for known in row.parameters.iter().filter(|known| known.place == "query") {
        let values = pairs.iter().filter(|(name, _)| *name == known.name).map(|(_, value)| value.as_str());
        let values: Vec<&str> = values.collect();
        let value = match (known.schema["type"].as_str(), values.as_slice()) {
            (_, []) if known.required => {
                wrong.push(format!("query {} is missing", known.name));
                continue;
            }
            (_, []) => continue,
            (Some("array"), values) => {
                values.iter().map(|value| typed(&known.schema["items"], value)).collect()
            }
            (_, [value]) => typed(&known.schema, value),
            (_, more) => json!(more),
        };
        wrong.extend(check(&known.name, &known.schema, &value));
    }
    wrong
}

/// Query text converted to the described type, if possible.
fn typed(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str() {
        Some("number" | "integer" | "boolean") => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        _ => json!(text),
    }
}

fn check(place: &str, schema: &Value, value: &Value) -> Vec<String> {
    let validator = validator(schema);
    let complaint =
        |error: jsonschema::ValidationError<'_>| format!("{place}{}: {error}", error.instance_path());
    validator.iter_errors(value).map(complaint).collect()
}

/// The strict validator of `schema`, cached.
fn validator(schema: &Value) -> Arc<jsonschema::Validator> {
    static MADE: LazyLock<Mutex<HashMap<String, Arc<jsonschema::Validator>>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().expect("no panic meanwhile");
    let made = made.entry(schema.to_string()).or_insert_with(|| {
        let strict = strict(schema);
        let made = jsonschema::draft7::new(&strict).unwrap_or_else(|error| panic!("{error}: {strict}"));
        Arc::new(made)
    });
    Arc::clone(made)
}

/// The schema, without additional properties.
fn strict(schema: &Value) -> Value {
    let mut strict = schema.clone();
    let Some(map) = strict.as_object_mut() else { return json!({}) };
    if let Some(fields) = map.get_mut("properties").and_then(Value::as_object_mut) {
        fields.values_mut().for_each(|field| *field = self::strict(field));
        map.entry("additionalProperties").or_insert(json!(false));
    }
    if let Some(items) = map.get_mut("items") {
        *items = self::strict(items);
    }
    if let Some(parts) = map.get_mut("anyOf").and_then(Value::as_array_mut) {
        parts.iter_mut().for_each(|part| *part = self::strict(part));
    }
    match map.remove("nullable") {
        Some(Value::Bool(true)) => json!({ "anyOf": [strict, { "type": "null" }] }),
        _ => strict,
    }
}
