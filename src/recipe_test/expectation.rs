//! Compares what a run did with what its test expects.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::case::Case;
use super::outcome::{Failure, SentRequest};
use super::syntax::{Expected, Request};
use crate::catalog::{Catalog, Effect};
use crate::check::CheckedRecipe;
use crate::run::{Entry, RunState, StampedEntry};
use crate::source::{Data, Node, Span, Spanned};
use crate::value::{Difference, differences};

/// What a run did.
pub(super) struct Observed<'a> {
    pub(super) recipe: &'a CheckedRecipe,
    pub(super) state: RunState,
    pub(super) reason: Option<&'a str>,
    pub(super) entries: &'a [StampedEntry],
    pub(super) sent: &'a [SentRequest],
    /// The links that the test asks for, by name and one end.
    pub(super) links: &'a HashMap<(String, String), Option<Value>>,
    /// The values that the test asks for.
    pub(super) values: HashMap<String, Option<Value>>,
}

impl Observed<'_> {
    /// How it differs from what `case` expects.
    pub(super) fn failures(&self, case: &Case) -> Vec<Failure> {
        let expected = &case.expected;
        let mut failures = Vec::new();
        self.compare_end(case, &mut failures);
        self.compare_requests(expected, &mut failures);
        self.compare_steps(expected, &mut failures);
        for (name, links) in expected.links.iter().flatten() {
            for (from, to) in links {
                let found = self.links.get(&(name.value.clone(), from.value.clone())).cloned().flatten();
                let what = format!("link `{}` from `{}`", name.value, from.value);
                // Most tests ask for the other end alone.
                let found = match to.as_map() {
                    Some(_) => found,
                    None => found.map(|found| found["to"].clone()),
                };
                compare_value(&what, to, found, &mut failures);
            }
        }
        for (key, value) in expected.state.iter().flatten() {
            let found = self.values.get(&key.value).cloned().flatten();
            compare_value(&format!("the value of `{}`", key.value), value, found, &mut failures);
        }
        failures
    }

    fn compare_end(&self, case: &Case, failures: &mut Vec<Failure>) {
        let expected = &case.expected;
        let wanted = expected.run.as_ref().map_or(RunState::Succeeded, |run| run.value);
        let because = self.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        if wanted != self.state {
            let span = expected.run.as_ref().map_or(case.span, |run| run.span);
            let message = format!("the run ended as {}, not {}{because}", self.state.name(), wanted.name());
            failures.push(Failure { help: self.failed_step(), ..Failure::new(span, message) });
        }
        if let Some(reason) = &expected.reason
            && !self.reason.is_some_and(|found| found.contains(reason.value.as_str()))
        {
            let found = self.reason.map_or("there is none".to_owned(), |found| format!("it is: {found}"));
            let message = format!("the run's reason does not contain these words; {found}");
            failures.push(Failure::new(reason.span, message));
        }
    }

    /// The place in the recipe of the step that failed last.
    fn failed_step(&self) -> Option<String> {
        let failed = self.entries.iter().rev().find_map(|stamped| match &stamped.entry {
            Entry::StepFailed { step, .. } => Some(step),
            _ => None,
        })?;
        let action = self.recipe.all_actions().find(|action| action.id == failed.action)?;
        Some(format!("step `{failed}` is at {}", self.place(action.span)))
    }

    /// A place in the recipe, as `file:line:column`.
    fn place(&self, span: Span) -> String {
        let file = &self.recipe.recipe().file;
        let position = file.position(span.start);
        format!("{}:{}:{}", file.name(), position.line, position.column)
    }

    /// Where the recipe sends `operation`, if at one place.
    fn sender(&self, operation: &str) -> Option<String> {
        let mut senders = self.recipe.all_actions().filter(|action| action.operation.id == operation);
        let sender = senders.next()?;
        senders.next().is_none().then(|| format!("it is sent at {}", self.place(sender.span)))
    }

    fn compare_requests(&self, expected: &Expected, failures: &mut Vec<Failure>) {
        let Some(requests) = &expected.requests else { return };
        let is_listed = |sent: &SentRequest| {
            requests.value.iter().any(|request| request.operation.value == sent.operation)
        };
        let sent: Vec<&SentRequest> =
            self.sent.iter().filter(|sent| sent.effect != Effect::Read || is_listed(sent)).collect();
        let catalog = self.recipe.catalog();
        let pairs = match expected.any_order {
            true => any_order(&requests.value, &sent, catalog),
            false => in_order(&requests.value, &sent),
        };
        for (wanted, found) in pairs {
            match (wanted, found) {
                (Some(wanted), Some(found)) => {
                    let differences = differences_of(wanted, found, catalog);
                    if !differences.is_empty() {
                        let span = wanted.with.as_ref().map_or(wanted.operation.span, |with| with.span);
                        let message = format!("`{}` was sent with other inputs", found.operation);
                        let help = self.sender(&found.operation);
                        failures.push(Failure { span, message, differences, help });
                    }
                }
                (Some(wanted), None) => {
                    let instead = Self::instead(&sent);
                    let message = format!("`{}` was not sent; {instead}", wanted.operation.value);
                    failures.push(Failure::new(wanted.operation.span, message));
                }
                (None, Some(found)) => {
                    let inputs = Value::Object(found.inputs.clone());
                    let message = format!("`{}` was sent too, with {inputs}", found.operation);
                    let help = self.sender(&found.operation);
                    failures.push(Failure { help, ..Failure::new(requests.span, message) });
                }
                (None, None) => {}
            }
        }
    }

    /// What was sent, in words.
    fn instead(sent: &[&SentRequest]) -> String {
        let sent: Vec<String> = sent.iter().map(|sent| format!("`{}`", sent.operation)).collect();
        if sent.is_empty() { "nothing was".to_owned() } else { format!("sent were {}", sent.join(", ")) }
    }

    fn compare_steps(&self, expected: &Expected, failures: &mut Vec<Failure>) {
        for (id, wanted) in expected.steps.iter().flatten() {
            let result = step_result(self.entries, id);
            match (wanted.as_text(), &result) {
                (Some("skipped"), StepEnd::Skipped) => {}
                (Some("skipped"), _) => {
                    failures.push(Failure::new(wanted.span, format!("step `{}` was not skipped", id.value)));
                }
                (_, StepEnd::Done(result)) => {
                    compare_value(
                        &format!("the result of step `{}`", id.value),
                        wanted,
                        Some(result.as_ref().clone()),
                        failures,
                    );
                }
                (_, StepEnd::Skipped) => {
                    failures.push(Failure::new(id.span, format!("step `{}` was skipped", id.value)));
                }
                (_, StepEnd::None) => {
                    let known = self.recipe.all_actions().any(|action| action.id == id.value);
                    let message = match known {
                        true => format!("step `{}` did not succeed", id.value),
                        false => format!("the recipe has no step `{}`", id.value),
                    };
                    failures.push(Failure::new(id.span, message));
                }
            }
        }
    }
}

/// How a step ended.
enum StepEnd {
    Done(Arc<Value>),
    Skipped,
    None,
}

/// How the step `id` ended; in a `for_each`, the results of all items.
fn step_result(entries: &[StampedEntry], id: &str) -> StepEnd {
    let mut items = Vec::new();
    let mut end = StepEnd::None;
    for stamped in entries {
        match &stamped.entry {
            Entry::StepSucceeded { step, result, .. } | Entry::StepUnchanged { step, result, .. }
                if step.action == id =>
            {
                if step.item.is_some() {
                    items.push(result.as_ref().clone());
                }
                end = StepEnd::Done(Arc::clone(result));
            }
            Entry::StepSkipped { step, .. } if step.action == id && step.item.is_none() => {
                end = StepEnd::Skipped;
            }
            _ => {}
        }
    }
    if items.is_empty() { end } else { StepEnd::Done(Arc::new(Value::Array(items))) }
}

/// Compares a value with an expected one; null stands for nothing.
fn compare_value(what: &str, expected: &Node, found: Option<Value>, failures: &mut Vec<Failure>) {
    let wanted = expected.to_value();
    let found = found.unwrap_or(Value::Null);
    let differences = differences(&wanted, &found, false);
    if differences.is_empty() {
        return;
    }
    let message = match (&expected.value, &found) {
        (Data::Null, _) => format!("{what} is there, as {found}"),
        (_, Value::Null) => format!("{what} is not there"),
        _ => format!("{what} is another one"),
    };
    failures.push(Failure { differences, ..Failure::new(expected.span, message) });
}

type Pair<'a> = (Option<&'a Request>, Option<&'a SentRequest>);

/// Expected and sent requests side by side: the longest common sequence of operations, and what is left over.
fn in_order<'a>(expected: &'a [Request], sent: &[&'a SentRequest]) -> Vec<Pair<'a>> {
    let is_same = |i: usize, j: usize| expected[i].operation.value == sent[j].operation;
    let mut common = vec![vec![0_usize; sent.len() + 1]; expected.len() + 1];
    for i in (0..expected.len()).rev() {
        for j in (0..sent.len()).rev() {
            common[i][j] = match is_same(i, j) {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < expected.len() || j < sent.len() {
        if i < expected.len() && j < sent.len() && is_same(i, j) {
            pairs.push((Some(&expected[i]), Some(sent[j])));
            (i, j) = (i + 1, j + 1);
        } else if j == sent.len() || (i < expected.len() && common[i + 1][j] >= common[i][j + 1]) {
            pairs.push((Some(&expected[i]), None));
            i += 1;
        } else {
            pairs.push((None, Some(sent[j])));
            j += 1;
        }
    }
    pairs
}

/// Expected and sent requests side by side, in any order: those without differences first.
fn any_order<'a>(expected: &'a [Request], sent: &[&'a SentRequest], catalog: &Catalog) -> Vec<Pair<'a>> {
    let mut left: Vec<&SentRequest> = sent.to_vec();
    let mut pairs = Vec::new();
    let mut open: Vec<&Request> = Vec::new();
    let is_same = |wanted: &Request, found: &SentRequest| wanted.operation.value == found.operation;
    for wanted in expected {
        let fits = |found: &&SentRequest| {
            is_same(wanted, found) && differences_of(wanted, found, catalog).is_empty()
        };
        match left.iter().position(fits) {
            Some(at) => pairs.push((Some(wanted), Some(left.remove(at)))),
            None => open.push(wanted),
        }
    }
    for wanted in open {
        let near = left.iter().position(|found| is_same(wanted, found));
        pairs.push((Some(wanted), near.map(|at| left.remove(at))));
    }
    pairs.extend(left.into_iter().map(|found| (None, Some(found))));
    pairs
}

/// How a request differs from the expected one of the same operation.
fn differences_of(wanted: &Request, found: &SentRequest, catalog: &Catalog) -> Vec<Difference> {
    let with = wanted.with.as_ref().map_or_else(|| json!({}), |with| with.to_value());
    let operation = catalog.operation(&found.operation);
    // What stands in an address is text.
    let as_sent = |name: &String, value: Value| match (&value, found.inputs.get(name)) {
        (Value::Number(_) | Value::Bool(_), Some(Value::String(_)))
            if operation.and_then(|operation| operation.input(name)).is_some_and(|i| i.place.is_some()) =>
        {
            Value::from(value.to_string())
        }
        _ => value,
    };
    let with: Map<String, Value> = match with {
        Value::Object(with) => with
            .into_iter()
            .map(|(name, value)| {
                let value = as_sent(&name, value);
                (name, value)
            })
            .collect(),
        _ => Map::new(),
    };
    let mut sent = found.inputs.clone();
    if let Some(operation) = operation.filter(|_| wanted.exact) {
        // What the connection fills in is not the recipe's.
        let connector = catalog.connector(&operation.connector);
        sent.retain(|name, _| with.contains_key(name) || !connector.is_some_and(|c| c.fills(name)));
    }
    differences(&with.into(), &sent.into(), wanted.exact)
}

/// The links that a test asks for.
pub(super) fn links(expected: &Expected) -> impl Iterator<Item = (&Spanned<String>, &Spanned<String>)> {
    expected.links.iter().flatten().flat_map(|(name, links)| links.keys().map(move |from| (name, from)))
}
