//! Handles a request: caller, operation, inputs, execution, answer.

use axum::http::header::DATE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::answer::{Content, Reply, reply};
use super::damage::damage;
use super::execute::{Change, Execution, ListFault};
use super::fault::{Fault, FaultKind};
use super::identity::{Alphabet, Identity};
use super::inputs::{self, Inputs, Raw};
use super::page;
use super::refusal::Refusal;
use super::route::Found;
use super::sample::sample;
use super::service::Service;
use super::state::State;
use super::step::Behaviour;
use super::template::Scope;
use super::time;
use crate::catalog::Operation;

/// A request below a connector's prefix.
#[derive(Debug, Clone, Copy)]
pub(super) struct Incoming<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// Address of the connector's stand-in.
    pub(super) origin: &'a str,
}

/// The answer to a request, and its changes.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
    pub(super) changes: Vec<Change>,
}

impl Served {
    /// Nothing is done or answered.
    pub(super) fn unanswered() -> Self {
        Self {
            status: 0,
            headers: HeaderMap::new(),
            content: Content::Json(Value::Null),
            changes: Vec::new(),
        }
    }
}

/// Answers a request at `now`, with the given fault.
pub(super) fn handle(
    service: &Service,
    state: &mut State,
    seed: u64,
    incoming: Incoming<'_>,
    now: i64,
    fault: Option<&Fault>,
) -> Served {
    state.requests += 1;
    let mut scope = state.scope(service);
    let trace = Identity { alphabet: Alphabet::Hex, length: 32, ..Identity::default() };
    scope.set("trace", &Value::from(trace.make(seed, "trace", state.requests)));
    scope.set("now", &Value::from(time::iso(now)));
    scope.set("now_ms", &Value::from(now));
    scope.set("method", &Value::from(incoming.method));
    scope.set("url", &Value::from(incoming.path));
    scope.set("origin", &Value::from(incoming.origin));
    let mut changes = Vec::new();
    let caller = caller(service, state, incoming.headers);
    let caller = caller.as_deref();
    let answered = if fault.is_some_and(|fault| !fault.done && matches!(fault.what, FaultKind::Status { .. }))
    {
        Ok(Reply { status: 200, body: Content::Json(Value::Null) })
    } else {
        execute(service, state, seed, incoming, caller, now, fault, &mut scope, &mut changes)
    };
    let (status, content) = match answered {
        Ok(reply) => (reply.status, reply.body),
        Err(refusal) => {
            let (status, body) = refusal.answer(&service.script.refusals, &scope);
            (status, Content::Json(body))
        }
    };
    let mut headers = HeaderMap::new();
    state.counters.write_headers(caller.unwrap_or_default(), &service.connector.limits, now, &mut headers);
    // The same clock as that of its records.
    if let Ok(date) = HeaderValue::from_str(&time::rfc2822(now)) {
        headers.insert(DATE, date);
    }
    let served = Served { status, headers, content, changes };
    match fault.map(|fault| &fault.what) {
        Some(FaultKind::Status { status, body, headers }) => {
            apply_status_fault(service, &scope, served, *status, body.as_ref(), headers)
        }
        _ => served,
    }
}

fn apply_status_fault(
    service: &Service,
    scope: &Scope,
    mut served: Served,
    status: u16,
    body: Option<&Value>,
    headers: &[(String, String)],
) -> Served {
    let usual = service.script.refusals.iter().find(|(_, answer)| answer.status == status);
    let body = body.cloned().unwrap_or_else(|| {
        let name = usual.map_or_else(|| "server_error".to_owned(), |(name, _)| name.clone());
        Refusal::new(name).message("made to fail").answer(&service.script.refusals, scope).1
    });
    served.status = status;
    let media_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    served.content = match (body, media_type) {
        (Value::String(text), Some((_, media_type))) => {
            Content::File { media_type: media_type.clone(), bytes: text.into_bytes() }
        }
        (body, _) => Content::Json(body),
    };
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            served.headers.insert(name, value);
        }
    }
    served
}

#[expect(clippy::too_many_arguments, reason = "one caller; a struct would only rename them")]
fn execute(
    service: &Service,
    state: &mut State,
    seed: u64,
    incoming: Incoming<'_>,
    caller: Option<&str>,
    now: i64,
    fault: Option<&Fault>,
    scope: &mut Scope,
    changes: &mut Vec<Change>,
) -> Result<Reply, Refusal> {
    if let Some(body) = issue_token(service, state, seed, incoming) {
        return Ok(Reply { status: 200, body: Content::Json(body?) });
    }
    let Some(caller) = caller else { return Err(Refusal::new("unauthorized")) };
    let found = service.find(incoming.method, incoming.path, incoming.headers);
    let (operation, path) = match found {
        Found::Operation(operation, path) => (operation, path),
        Found::OtherCase => return Err(Refusal::new("miscased_path")),
        Found::Nothing => return Err(Refusal::new("unknown_path")),
    };
    check_version(service, operation, incoming.headers)?;
    if !state.counters.try_count(caller, now) {
        return Err(Refusal::new("rate_limited"));
    }
    let content_type =
        incoming.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
    let raw = Raw { query: incoming.query, content_type, body: incoming.body };
    let mut inputs = inputs::read(service, operation, path, raw)?;
    // All versions share the same records.
    let change = service.change(operation);
    if let Some(change) = change {
        inputs.rewrite(|part| change.inputs_to_base(part));
    }
    let described = service.script.operations.get(&operation.id);
    let damages = described.map(|behaviour| &behaviour.damage);
    let made_to = match fault.map(|fault| &fault.what) {
        Some(FaultKind::Damage(damages)) => Some(damages),
        _ => None,
    };
    damages.into_iter().chain(made_to).for_each(|damages| damage(&mut inputs.body, damages));
    scope.set("path", &Value::Object(inputs.path.clone()));
    scope.set("query", &Value::Object(inputs.query.clone()));
    scope.set("body", &inputs.body);
    let list = ListFault::from_fault(fault);
    let mut reply = match described {
        None => undescribed(operation, &inputs, scope),
        Some(behaviour) => {
            let tables = &mut state.tables;
            let mut execution =
                Execution { operation, inputs: &inputs, tables, now, list, changes: Vec::new() };
            let outcome = execution.run(behaviour, scope);
            changes.append(&mut execution.changes);
            reply(operation, behaviour, outcome?, scope)
        }
    };
    if let (Some(change), Content::Json(body)) = (change, &mut reply.body) {
        change.answer_from_base(body);
    }
    Ok(reply)
}

/// The answer of a token endpoint or a login; `None` if the request is for neither.
fn issue_token(
    service: &Service,
    state: &mut State,
    seed: u64,
    incoming: Incoming<'_>,
) -> Option<Result<Value, Refusal>> {
    if incoming.method != "POST" {
        return None;
    }
    if service.is_token_path(incoming.path) {
        return Some(state.tokens.grant(service, seed, incoming.body));
    }
    let login = service.login_at(incoming.path)?;
    Some(state.tokens.log_in(service, login, seed, incoming.body))
}

/// The sample answer of an operation without a script.
fn undescribed(operation: &Operation, inputs: &Inputs, scope: &Scope) -> Reply {
    let mut body = operation.response.as_ref().map_or_else(|| json!({}), sample);
    if operation.list.is_some() {
        page::truncate_to_first_page(operation, inputs, scope, &mut body);
    }
    let whole = super::execute::Outcome::Whole(body);
    reply(operation, &Behaviour::default(), whole, scope)
}

/// The counter of a request's caller; `None` if its credential is rejected.
fn caller(service: &Service, state: &State, headers: &HeaderMap) -> Option<String> {
    if service.connector.auth.is_empty() && service.script.tokens.is_empty() {
        return Some(String::new());
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let key = service.script.key_header.as_deref().and_then(header).map(str::to_owned);
    let token = header("authorization").and_then(|value| match value.split_once(' ')? {
        (scheme, token) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim().to_owned()),
        (scheme, token) if scheme.eq_ignore_ascii_case("basic") => {
            STANDARD.decode(token.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok())
        }
        _ => None,
    });
    let fetched = service.logins().filter_map(|login| {
        let rest = header(&login.header)?.strip_prefix(&login.scheme)?;
        Some(rest.trim_start().to_owned())
    });
    let accepted = |token: &String| {
        let known = &service.script.tokens;
        !token.is_empty() && (known.is_empty() || known.contains(token) || state.tokens.knows(token))
    };
    let token = key.into_iter().chain(token).chain(fetched).find(accepted)?;
    // Issued tokens belong to one app or user.
    let has_its_own = !state.tokens.knows(&token) && service.counts_by_credential();
    Some(if has_its_own { token } else { String::new() })
}

fn check_version(service: &Service, operation: &Operation, headers: &HeaderMap) -> Result<(), Refusal> {
    let (Some(name), Some(wanted)) = (&service.connector.version_header, &operation.version) else {
        return Ok(());
    };
    let given = headers.get(name.as_str()).and_then(|value| value.to_str().ok());
    match given {
        Some(given) if given == wanted => Ok(()),
        Some(given) => {
            Err(Refusal::new("wrong_version").fact("version", given).fact("wanted", wanted.as_str()))
        }
        None => Err(Refusal::new("no_version").fact("wanted", wanted.as_str())),
    }
}
