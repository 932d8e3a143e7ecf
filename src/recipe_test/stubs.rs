//! Answers requests in place of the network, and records them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::outcome::{Answered, SentRequest};
use super::syntax::{self, Stub};
use crate::catalog::{Builtin, Catalog, Operation, path};
use crate::clock::Clock;
use crate::request::{Form, PartContent, PreparedRequest, Received, RequestBody};
use crate::sandbox::request_inputs;
use crate::value::differences;

/// The answers of one test, and the requests that they answered.
pub(super) struct Stubs {
    catalog: Arc<Catalog>,
    clock: Clock,
    answers: HashMap<String, Vec<Stub>>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    sent: Vec<SentRequest>,
    /// How often each answer of an operation was given.
    given: HashMap<(String, usize), usize>,
}

impl Stubs {
    pub(super) fn new<'a>(
        catalog: Arc<Catalog>,
        clock: Clock,
        answers: impl IntoIterator<Item = (&'a str, &'a syntax::Stubs)>,
    ) -> Self {
        let answers =
            answers.into_iter().map(|(operation, stubs)| (operation.to_owned(), stubs.all().to_vec()));
        Self { catalog, clock, answers: answers.collect(), log: Mutex::default() }
    }

    /// The answer to `request`.
    pub(super) fn receive(&self, request: &PreparedRequest) -> Received {
        let operation = self.catalog.operation(&request.operation);
        let inputs = operation.map(|operation| inputs(operation, request)).unwrap_or_default();
        let mut log = self.log();
        let (stub, is_first) = self.choose(&request.operation, &inputs, &mut log);
        let answered = match stub {
            None => Answered::Sample,
            Some(stub) if stub.lost.as_ref().is_some_and(|lost| lost.value) => Answered::Lost,
            Some(stub) => Answered::Stub(stub.status.as_ref().map_or(200, |status| status.value)),
        };
        let mut body = match (stub, operation) {
            (Some(stub), Some(operation)) => body(stub, operation, &inputs),
            (None, Some(operation)) => sample(operation, &inputs),
            (_, None) => Value::Null,
        };
        if let Some(operation) = operation
            && !is_first
            && is_further_page(operation, &inputs, &log.sent)
        {
            empty(operation, &mut body);
        }
        let (operation, effect) = (request.operation.clone(), request.effect);
        log.sent.push(SentRequest { operation, inputs, effect, answered });
        let status = match answered {
            Answered::Lost => {
                return Received::Lost { sent: true, reason: "the test lost the answer".to_owned() };
            }
            Answered::Stub(status) => status,
            Answered::Sample => 200,
        };
        let form = match (&body, &request.download) {
            (_, Some(_)) if (200..300).contains(&status) => Form::File,
            (Value::Null, _) => Form::Nothing,
            _ => Form::Json,
        };
        let headers = stub.map(headers).unwrap_or_default();
        Received::Answer { status, headers, form, body, at: self.clock.now() }
    }

    /// The first answer that fits and was not given yet, else the last that fits; and whether it is given for the first
    /// time.
    fn choose(&self, operation: &str, inputs: &Map<String, Value>, log: &mut Log) -> (Option<&Stub>, bool) {
        let Some(all) = self.answers.get(operation) else { return (None, false) };
        let sent = Value::Object(inputs.clone());
        let fits = |stub: &Stub| {
            stub.with.as_ref().is_none_or(|with| differences(&with.to_value(), &sent, false).is_empty())
        };
        let fitting: Vec<usize> = (0..all.len()).filter(|at| fits(&all[*at])).collect();
        let times = |at: usize| log.given.get(&(operation.to_owned(), at)).copied().unwrap_or_default();
        let chosen = fitting.iter().copied().find(|at| times(*at) == 0).or(fitting.last().copied());
        let Some(chosen) = chosen else { return (None, false) };
        let given = log.given.entry((operation.to_owned(), chosen)).or_default();
        *given += 1;
        (Some(&all[chosen]), *given == 1)
    }

    /// The requests so far, in order.
    pub(super) fn sent(&self) -> Vec<SentRequest> {
        self.log().sent.clone()
    }

    /// The operations with an answer that was never given.
    pub(super) fn unused(&self) -> Vec<String> {
        let log = self.log();
        let is_unused = |operation: &&String| {
            let all = 0..self.answers[*operation].len();
            all.into_iter().any(|at| !log.given.contains_key(&((*operation).clone(), at)))
        };
        let mut unused: Vec<String> = self.answers.keys().filter(is_unused).cloned().collect();
        unused.sort();
        unused
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The inputs of a request, as under `with` in a recipe.
fn inputs(operation: &Operation, request: &PreparedRequest) -> Map<String, Value> {
    if operation.builtin.is_some() {
        return free_inputs(request);
    }
    let body: &[u8] = match &request.body {
        RequestBody::Json(bytes) => bytes,
        RequestBody::Form(text) | RequestBody::Text(text) => text.as_bytes(),
        RequestBody::Empty | RequestBody::Multipart(_) => &[],
    };
    let mut inputs = request_inputs(operation, &request.url, body);
    if let RequestBody::Multipart(parts) = &request.body {
        inputs.extend(parts.iter().map(|part| {
            let value = match &part.content {
                PartContent::Text(text) => text.clone(),
                PartContent::File(path) => path.display().to_string(),
            };
            (part.name.clone(), value.into())
        }));
    }
    inputs
}

/// The inputs of a request to any URL.
fn free_inputs(request: &PreparedRequest) -> Map<String, Value> {
    let mut inputs = Map::new();
    inputs.insert("method".into(), request.method.as_str().into());
    inputs.insert("url".into(), request.url.as_str().into());
    let headers: Map<String, Value> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    if !headers.is_empty() {
        inputs.insert("headers".into(), headers.into());
    }
    match &request.body {
        RequestBody::Json(bytes) => {
            inputs.insert("json".into(), serde_json::from_slice(bytes).unwrap_or_default());
        }
        RequestBody::Form(text) => {
            let fields = url::form_urlencoded::parse(text.as_bytes());
            let fields: Map<String, Value> =
                fields.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect();
            inputs.insert("form".into(), fields.into());
        }
        RequestBody::Text(text) => {
            inputs.insert("text".into(), text.as_str().into());
        }
        RequestBody::Empty | RequestBody::Multipart(_) => {}
    }
    inputs
}

fn headers(stub: &Stub) -> HeaderMap {
    let given = stub.headers.iter().flatten();
    let valid = given.filter_map(|(name, value)| {
        Some((HeaderName::try_from(name.as_str()).ok()?, HeaderValue::try_from(value.as_str()).ok()?))
    });
    valid.collect()
}

fn body(stub: &Stub, operation: &Operation, inputs: &Map<String, Value>) -> Value {
    match (&stub.result, &stub.body) {
        (Some(result), _) => body_with_result(operation, result.to_value()).unwrap_or_default(),
        (None, Some(body)) => body.to_value(),
        // A success with the content that the catalog describes, or a failure without any.
        (None, None) if stub.status.as_ref().is_none_or(|status| status.value < 300) => {
            sample(operation, inputs)
        }
        (None, None) => Value::Null,
    }
}

/// Whether a request asks for a further page of a list that was read before. What stands for the list is on its first
/// page.
fn is_further_page(operation: &Operation, inputs: &Map<String, Value>, sent: &[SentRequest]) -> bool {
    let Some(listing) = &operation.list else { return false };
    let paging = listing.paging.inputs();
    let without_page = |inputs: &Map<String, Value>| -> Vec<(String, Value)> {
        let kept = inputs.iter().filter(|(name, _)| !paging.contains(&name.as_str()));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let earlier = sent.iter().filter(|sent| sent.operation == operation.id);
    let mut earlier = earlier.filter(|sent| without_page(&sent.inputs) == without_page(inputs));
    earlier.any(|sent| sent.inputs != *inputs)
}

/// Takes the items out of the answer of a list.
fn empty(operation: &Operation, body: &mut Value) {
    let paths = operation.list.iter().flat_map(|listing| &listing.items);
    for items in paths {
        let pointer = path::pointer(items.strip_suffix("[*]").unwrap_or(items));
        if let Some(Value::Array(items)) = pointer.and_then(|pointer| body.pointer_mut(&pointer)) {
            items.clear();
        }
    }
}

/// A sample of the answer. A list has one page.
fn sample(operation: &Operation, inputs: &Map<String, Value>) -> Value {
    let sample = operation.sample_answer(inputs);
    let Some(listing) = &operation.list else { return sample };
    match listing.items.iter().find_map(|items| Some((items, path::read(&sample, items)?))) {
        Some((items, found)) => placed(found, items).unwrap_or(sample),
        None => sample,
    }
}

/// The body of an answer whose result is `result`; the error says why there is none.
pub(super) fn body_with_result(operation: &Operation, result: Value) -> Result<Value, String> {
    if operation.builtin == Some(Builtin::HttpRequest) {
        return Err("the result of `http.request` is its status, headers and body: give `body`".to_owned());
    }
    match operation.result.first() {
        None => Ok(result),
        Some(place) => placed(result, place).ok_or_else(|| {
            format!("the result of `{}` is at `{place}` of its answer: give `body`", operation.id)
        }),
    }
}

/// An object that has `value` at `place`.
fn placed(value: Value, place: &str) -> Option<Value> {
    let pointer = path::pointer(place.strip_suffix("[*]").unwrap_or(place))?;
    let names: Vec<&str> = pointer.split('/').skip(1).collect();
    Some(names.into_iter().rev().fold(value, |inner, name| {
        let name = name.replace("~1", "/").replace("~0", "~");
        Value::Object(Map::from_iter([(name, inner)]))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_result_stands_where_the_answer_has_it() {
        let catalog = Catalog::built_in();
        let body = |id: &str, result: Value| body_with_result(catalog.operation(id).unwrap(), result);
        for operation in catalog.operations().filter(|operation| operation.composite.is_empty()) {
            let result =
                if operation.result.iter().any(|path| path.ends_with("[*]")) { json!([1]) } else { json!(1) };
            let Ok(body) = body(&operation.id, result.clone()) else { continue };
            assert_eq!(path::read_first(&body, &operation.result), Some(result), "{}", operation.id);
        }
        assert!(body("http.request", json!(1)).is_err());
    }
}
