//! One test, with everything that applies to it.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::links::KnownLink;
use super::stubs::body_with_result;
use super::syntax::{Expected, File, Stub, Stubs, Test};
use crate::catalog::{Builtin, Catalog, Operation};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Node, Span, Spanned};

/// The time at which a test begins that names none: a Monday.
pub const DEFAULT_NOW: &str = "2026-01-05T09:00:00Z";

/// One test.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name; unique in its file.
    pub name: String,
    /// The place of its name.
    pub span: Span,
    /// The recipe that it is for, where the test states it.
    pub recipe: Option<Spanned<String>>,
    /// The event, if it is written in the test.
    pub event: Option<Value>,
    /// The file that contains the event.
    pub event_file: Option<Spanned<String>>,
    /// The event is a sample made from the catalog.
    pub event_sample: bool,
    /// The kind of the event.
    pub kind: Option<Spanned<String>>,
    /// The record as it was seen before.
    pub before: Option<Value>,
    /// The time at which it begins.
    pub now: DateTime<Utc>,
    /// Environment variables.
    pub env: Map<String, Value>,
    /// Links before the run.
    pub links: Vec<KnownLink>,
    /// Values before the run.
    pub state: Vec<(String, Value)>,
    /// The answers of operations.
    pub stubs: IndexMap<Spanned<String>, Stubs>,
    /// The operations among them whose answers are written in the test itself.
    pub own_stubs: Vec<String>,
    /// What is expected.
    pub expected: Expected,
}

impl Case {
    /// The case of `test`, whose mistakes are added to `found`; `None` if it cannot be run. `place` is the whole test.
    pub(super) fn new(
        test: Test,
        place: Span,
        file: &File,
        catalog: &Catalog,
        found: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let before = found.len();
        let name = test.name.unwrap_or_default();
        let now = test.now.as_ref().or(file.now.as_ref());
        let now = match now {
            None => time(DEFAULT_NOW),
            Some(text) => time(text).or_else(|| {
                let message = format!("`{}` is not a time", text.value);
                let help = format!("write it as `{DEFAULT_NOW}`");
                found.push(Diagnostic::new(Code::WrongType, text.span, message).help(help));
                None
            }),
        };
        let sample = test.event_sample.as_ref().is_some_and(|sample| sample.value);
        if let (Some(path), true) = (&test.event_file, test.event.is_some() || sample) {
            let message = "`event_file` is the whole event; it goes with neither `event` nor `event_sample`";
            found.push(Diagnostic::new(Code::FieldConflict, path.span, message));
        }
        if test.event.is_none() && test.event_file.is_none() && !sample {
            let message = "a test needs an `event`, an `event_file` or `event_sample: true`";
            let name_place = if name.span == Span::default() { place } else { name.span };
            found.push(Diagnostic::new(Code::MissingField, name_place, message));
        }
        let mut stubs = test.stubs.unwrap_or_default();
        let own_stubs = stubs.keys().map(|operation| operation.value.clone()).collect();
        for (operation, answers) in file.stubs.iter().flatten() {
            stubs.entry(operation.clone()).or_insert_with(|| answers.clone());
        }
        for (operation, answers) in &stubs {
            check_stubs(operation, answers, catalog, found);
        }
        let expected = test.expect.unwrap_or_default();
        for request in expected.requests.iter().flat_map(|requests| &requests.value) {
            if let Some(known) = operation(&request.operation, catalog, found)
                && let Some(with) = &request.with
            {
                check_inputs(known, with, found);
            }
        }
        let mut env: Map<String, Value> = Map::new();
        for (name, value) in file.env.iter().chain(&test.env).flatten() {
            env.insert(name.clone(), Value::from(value.as_str()));
        }
        let links =
            test.links.iter().flatten().flat_map(|(name, links)| {
                links.iter().map(|(from, entry)| KnownLink::new(name, from, entry))
            });
        let state = test.state.iter().flatten().map(|(key, value)| (key.clone(), value.to_value()));
        (found.len() == before).then_some(Self {
            span: name.span,
            name: name.value,
            recipe: test.recipe,
            event: test.event.map(|event| event.to_value()),
            event_file: test.event_file,
            event_sample: sample,
            kind: test.kind,
            before: test.before.map(|before| before.to_value()),
            now: now?,
            env,
            links: links.collect(),
            state: state.collect(),
            stubs,
            own_stubs,
            expected,
        })
    }
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::<Utc>::from_str(text).ok()
}

/// The operation of this name, which sends a request of its own.
fn operation<'a>(
    name: &Spanned<String>,
    catalog: &'a Catalog,
    found: &mut Vec<Diagnostic>,
) -> Option<&'a Operation> {
    let Some(operation) = catalog.operation(name) else {
        let message = format!("there is no operation `{}`", name.value);
        found.push(Diagnostic::new(Code::UnknownOperation, name.span, message).suggest(name, catalog.ids()));
        return None;
    };
    if operation.builtin.is_some_and(|builtin| builtin != Builtin::HttpRequest) {
        let message = format!("`{}` sends no request", name.value);
        let help = "it works on the test's own links and values: see `links` and `state`";
        found.push(Diagnostic::new(Code::WrongOperationKind, name.span, message).help(help));
        return None;
    }
    if !operation.composite.is_empty() {
        let parts: Vec<String> =
            operation.composite.iter().map(|part| format!("`{}`", part.operation)).collect();
        let message = format!("`{}` sends no request of its own", name.value);
        let help = format!("it is made of {}: name these instead", parts.join(" and "));
        found.push(Diagnostic::new(Code::WrongOperationKind, name.span, message).help(help));
        return None;
    }
    Some(operation)
}

fn check_stubs(name: &Spanned<String>, stubs: &Stubs, catalog: &Catalog, found: &mut Vec<Diagnostic>) {
    let Some(operation) = operation(name, catalog, found) else { return };
    if stubs.all().is_empty() {
        let message = format!("`{}` has no answers", name.value);
        found.push(Diagnostic::new(Code::MissingField, name.span, message));
    }
    for stub in stubs.all() {
        let Stub { with, result, body, lost, status, .. } = stub;
        if let Some(with) = with {
            check_inputs(operation, with, found);
        }
        if let (Some(_), Some(body)) = (result, body) {
            let message = "`result` and `body` are two answers";
            found.push(Diagnostic::new(Code::FieldConflict, body.span, message));
        }
        if let Some(lost) = lost.as_ref().filter(|lost| lost.value)
            && (result.is_some() || body.is_some() || status.is_some())
        {
            let message = "an answer that is lost has no content";
            found.push(Diagnostic::new(Code::FieldConflict, lost.span, message));
        }
        if let Some(result) = result
            && let Err(reason) = body_with_result(operation, result.to_value())
        {
            found.push(Diagnostic::new(Code::NotAllowed, result.span, reason));
        }
    }
}

/// Checks the names of inputs, of which an operation has all that it can send.
fn check_inputs(operation: &Operation, with: &Node, found: &mut Vec<Diagnostic>) {
    for (key, _) in with.as_map().into_iter().flatten() {
        if operation.input(key).is_none() && !operation.takes_any_input() {
            let known = operation.inputs();
            let message = format!("`{}` has no input `{}`", operation.id, key.value);
            found.push(
                Diagnostic::new(Code::UnknownParameter, key.span, message)
                    .suggest(key, known.iter().map(|input| input.name)),
            );
        }
    }
}
