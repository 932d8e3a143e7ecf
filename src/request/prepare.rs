//! Turns an operation and its inputs into a request that can be sent. Pure.

use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use url::Url;

use super::body::{self, RequestBody};
use super::inputs::complete;
use super::query::{push, text};
use super::{Expected, InputProblem, path};
use crate::catalog::{Effect, Operation, Place};
use crate::connection::Connection;
use crate::value::address::Reach;

/// A request that is complete except for its credential.
#[derive(Debug, Clone)]
pub struct PreparedRequest {
    /// Id of the operation.
    pub operation: String,
    /// HTTP method.
    pub method: Method,
    /// URL with query.
    pub url: Url,
    /// Headers, except for the credential and the content type of the body.
    pub headers: HeaderMap,
    /// Body.
    pub body: RequestBody,
    /// Effect of the operation, which says whether it may be sent twice.
    pub effect: Effect,
    /// Media type of the file that is the answer, for a download.
    pub download: Option<String>,
    /// Description of a successful answer.
    pub expected: Expected,
    /// Addresses that it may be sent to.
    pub reach: Reach,
    /// OAuth scopes that the token needs.
    pub scopes: Vec<String>,
}

/// The request for `operation` with `inputs` on `connection`, or all problems with the inputs.
pub fn prepare(
    operation: &Operation,
    inputs: &Map<String, Value>,
    connection: &Connection,
) -> Result<PreparedRequest, Vec<InputProblem>> {
    let mut inputs = complete(operation, inputs, Some(connection))?;
    let one = |problem| vec![problem];
    let method = Method::from_bytes(operation.method.as_bytes())
        .ok()
        .filter(|_| !operation.method.is_empty())
        .ok_or_else(|| one(InputProblem::new("", format!("`{}` sends no request", operation.id))))?;
    let url = address(operation, &inputs, connection).map_err(one)?;
    let headers = headers(operation, &inputs, connection).map_err(one)?;
    let effect = operation.effect_with(&inputs);
    inputs.retain(|name, _| !operation.parameters.contains_key(name));
    let body = operation.body.as_ref().map(|body| body::build(body, inputs)).unwrap_or_default();
    Ok(PreparedRequest {
        operation: operation.id.clone(),
        method,
        url,
        headers,
        body,
        effect,
        download: operation.download.clone(),
        expected: Expected::from_operation(operation),
        reach: Reach::Anywhere,
        scopes: operation.scopes.clone(),
    })
}

fn address(
    operation: &Operation,
    inputs: &Map<String, Value>,
    connection: &Connection,
) -> Result<Url, InputProblem> {
    let path = path::fill(&operation.path, |placeholder| {
        let (name, _) = operation
            .parameters
            .iter()
            .find(|(name, p)| p.place == Place::Path && p.on_wire(name) == placeholder)?;
        Some((name.clone(), inputs.get(name)?.clone()))
    })?;
    // Without a slash between them, a value in the path could extend the host name.
    let base = connection.base_url.as_str().trim_end_matches('/');
    let goes_on = path.is_empty() || path.starts_with(['/', '?']);
    let slash = if goes_on { "" } else { "/" };
    let mut url = Url::parse(&format!("{base}{slash}{path}"))
        .map_err(|error| InputProblem::new("", format!("{base}{slash}{path} is not an address: {error}")))?;
    let mut pairs = Vec::new();
    for (name, parameter) in operation.parameters.iter().filter(|(_, p)| p.place == Place::Query) {
        if let Some(value) = inputs.get(name) {
            push(&mut pairs, parameter.on_wire(name), value, parameter.style);
        }
    }
    if !pairs.is_empty() {
        let before = url.query().map(|query| format!("{query}&")).unwrap_or_default();
        url.set_query(Some(&format!("{before}{}", pairs.join("&"))));
    }
    Ok(url)
}

fn headers(
    operation: &Operation,
    inputs: &Map<String, Value>,
    connection: &Connection,
) -> Result<HeaderMap, InputProblem> {
    let mut headers = HeaderMap::new();
    if operation.download.is_none() {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    for (name, value) in &connection.connector.headers {
        insert(&mut headers, name, value)?;
    }
    if let (Some(name), Some(version)) = (&connection.connector.version_header, &operation.version) {
        insert(&mut headers, name, version)?;
    }
    for (name, parameter) in operation.parameters.iter().filter(|(_, p)| p.place == Place::Header) {
        if let Some(value) = inputs.get(name).filter(|value| !value.is_null()) {
            insert(&mut headers, parameter.on_wire(name), &text(value))?;
        }
    }
    Ok(headers)
}

/// Sets a header; an error names the header.
pub(super) fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), InputProblem> {
    let key = HeaderName::try_from(name)
        .map_err(|_| InputProblem::new(name, format!("`{name}` is not a header name")))?;
    let value = HeaderValue::try_from(value).map_err(|_| {
        InputProblem::new(name, format!("`{name}` holds characters that a header cannot carry"))
    })?;
    headers.insert(key, value);
    Ok(())
}

#[cfg(test)]
mod tests;
