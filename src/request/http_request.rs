//! A request to any URL, described by its inputs alone.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};
use url::Url;

use super::Expected;
use super::body::{self, RequestBody};
use super::prepare::{PreparedRequest, insert};
use super::query::{push, text};
use crate::catalog::{ArrayStyle, Effect};
use crate::value::address::Reach;

/// The request that `inputs` (`url`, `headers`, `query`, and one of `json`, `form`, `text`) describe; `reach` limits
/// the addresses it may be sent to.
pub fn http_request(
    operation: &str,
    method: &str,
    inputs: &Map<String, Value>,
    effect: Effect,
    reach: Reach,
) -> Result<PreparedRequest, String> {
    let method =
        Method::from_bytes(method.as_bytes()).map_err(|_| format!("`{method}` is not an HTTP method"))?;
    let mut headers = HeaderMap::new();
    for (name, value) in object(inputs, "headers")? {
        insert(&mut headers, name, &text(value)).map_err(|problem| problem.message)?;
    }
    Ok(PreparedRequest {
        operation: operation.to_owned(),
        method,
        url: address(inputs)?,
        headers,
        body: payload(inputs)?,
        effect,
        download: None,
        scopes: vec![],
        expected: Expected::default(),
        reach,
    })
}

fn address(inputs: &Map<String, Value>) -> Result<Url, String> {
    let address = match inputs.get("url") {
        Some(Value::String(address)) => address.trim(),
        Some(other) => return Err(format!("`url` must be text, not {other}")),
        None => return Err("`url` is missing".into()),
    };
    // The URL may contain a secret, so the error does not repeat it.
    let mut url = Url::parse(address).map_err(|error| format!("`url` is not an address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`url` must begin with http:// or https://, not {}:", url.scheme()));
    }
    let mut pairs: Vec<String> = url.query().map(str::to_owned).into_iter().collect();
    for (name, value) in object(inputs, "query")? {
        push(&mut pairs, name, value, ArrayStyle::Repeat);
    }
    url.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
    Ok(url)
}

fn payload(inputs: &Map<String, Value>) -> Result<RequestBody, String> {
    let given = |name: &str| inputs.get(name).filter(|value| !value.is_null());
    match (given("json"), given("form"), given("text")) {
        (None, None, None) => Ok(RequestBody::Empty),
        (Some(value), None, None) => Ok(body::json(value)),
        (None, Some(Value::Object(fields)), None) => Ok(RequestBody::Form(body::form(fields))),
        (None, Some(other), None) => Err(format!("`form` must be a mapping, not {other}")),
        (None, None, Some(value)) => Ok(RequestBody::Text(text(value))),
        _ => Err("only one of `json`, `form` and `text` can be sent".into()),
    }
}

fn object<'a>(
    inputs: &'a Map<String, Value>,
    name: &str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, String> {
    match inputs.get(name) {
        None | Some(Value::Null) => Ok(None.into_iter().flatten()),
        Some(Value::Object(map)) => Ok(Some(map.iter()).into_iter().flatten()),
        Some(other) => Err(format!("`{name}` must be a mapping, not {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(inputs: Value) -> Result<PreparedRequest, String> {
        http_request("http.request", "POST", inputs.as_object().unwrap(), Effect::Create, Reach::Anywhere)
    }

    #[test]
    fn address_headers_and_body() {
        let built = request(json!({
            "url": "https://a.test/x?k=1", "query": { "q": "a b", "n": [1, 2] },
            "headers": { "X-Count": 3 }, "json": { "a": null },
        }))
        .unwrap();
        assert_eq!(built.url.as_str(), "https://a.test/x?k=1&q=a%20b&n=1&n=2");
        assert_eq!(built.headers["x-count"], "3");
        assert_eq!(built.body, body::json(&json!({ "a": null })));
        for wrong in [
            json!({}),
            json!({ "url": "ftp://a/" }),
            json!({ "url": "nowhere" }),
            json!({ "url": "http://a/", "json": 1, "text": "x" }),
            json!({ "url": "http://a/", "headers": { "a b": "x" } }),
            json!({ "url": "http://a/", "query": [1] }),
        ] {
            assert!(request(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
