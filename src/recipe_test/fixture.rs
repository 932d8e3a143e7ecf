//! Makes a test of a recorded run: its event, what was there before, the answers, and what it did.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::exchanges::{End, Exchange, Recorded, done};
use super::outcome::{CaseOutcome, SentRequest};
use super::recorded_links::{links_after, links_before};
use super::stubs::body_with_result;
use crate::catalog::{Builtin, Effect, Operation, path};
use crate::check::CheckedRecipe;
use crate::journal::RunDetail;
use crate::recipe::{Trigger, Webhook};
use crate::run::{Entry, RunContext, RunState};
use crate::value::timestamp;

/// A test made of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixture {
    /// The test, as it stands in a list of `tests`.
    pub test: Map<String, Value>,
    /// In what it differs from the run, because the history does not tell.
    pub unknown: Vec<String>,
    /// How long the run took.
    took: TimeDelta,
}

/// Why no test can be made of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoFixture {
    /// It has not ended, or its end depends on more than its event.
    #[error("the run {0}: a test can be made of one that succeeded, failed or was filtered")]
    State(String),
    /// Somebody decided about it.
    #[error("the run was retried or resolved by hand, which a test cannot be")]
    Intervened,
    /// Its event is no mapping.
    #[error("the event is no mapping, which the `event` of a test is")]
    Event,
}

impl Fixture {
    /// The test of the run of `detail`, which began with this version of `recipe`.
    pub fn new(recipe: &CheckedRecipe, detail: &RunDetail, context: &RunContext) -> Result<Self, NoFixture> {
        let state = detail.row.state;
        if !matches!(state, RunState::Succeeded | RunState::Failed | RunState::Filtered) {
            return Err(NoFixture::State(in_words(state)));
        }
        let by_hand = |entry: &Entry| {
            matches!(entry, Entry::Resumed { .. } | Entry::Restarted {} | Entry::Parked { .. })
        };
        if detail.entries.iter().any(|stamped| by_hand(&stamped.entry)) {
            return Err(NoFixture::Intervened);
        }
        if !detail.event.payload.is_object() {
            return Err(NoFixture::Event);
        }
        let Recorded { exchanges, mut unknown } = Recorded::new(recipe, detail, context);
        let mut test = Map::new();
        test.insert("name".into(), format!("run {}", detail.row.id).into());
        test.insert("event".into(), detail.event.payload.clone());
        if let Some(kind) = kind(recipe, detail) {
            test.insert("kind".into(), kind.into());
        }
        if let Some(before) = before(detail) {
            test.insert("before".into(), before);
        }
        let begun = detail.entries.first().map_or(detail.event.received, |first| first.at);
        test.insert("now".into(), time(begun).into());
        let links = links_before(detail, &exchanges, &mut unknown);
        let state_before = values(&exchanges);
        let stubs = stubs(&exchanges, &mut unknown);
        for (name, content) in [("links", links), ("state", state_before), ("stubs", stubs)] {
            if !content.is_empty() {
                test.insert(name.into(), content.into());
            }
        }
        test.insert("expect".into(), expected(state, &exchanges, &mut unknown).into());
        let ended = detail.entries.last().map_or(begun, |last| last.at);
        Ok(Self { test, unknown, took: ended - begun })
    }

    /// Expects what was sent of the inputs that the test lists, and of its links what is noted of them.
    pub fn expect_sent(&mut self, outcome: &CaseOutcome) {
        let expect = self.test.get_mut("expect").and_then(|expect| expect.get_mut("links"));
        for (name, links) in expect.and_then(Value::as_object_mut).into_iter().flatten() {
            for (from, expected) in links.as_object_mut().into_iter().flatten() {
                let found = outcome.links.get(&(name.clone(), from.clone())).and_then(Option::as_ref);
                if let (Some(base), Some(found)) = (expected.get_mut("base"), found) {
                    *base = found["base"].clone();
                }
            }
        }
        for (expected, sent) in self.writes(&outcome.sent) {
            for (name, value) in expected.iter_mut() {
                if let Some(sent) = sent.inputs.get(name) {
                    *value = sent.clone();
                }
            }
        }
    }

    /// Expects the times that were `sent` in place of those of the run, where both differ by no more than the run took:
    /// they are reckoned from the time of a step, and in a test all steps happen at the same time. Returns whether there
    /// are any.
    pub fn expect_times(&mut self, sent: &[SentRequest]) -> bool {
        let mut found = false;
        let tolerance = self.took + TimeDelta::seconds(1);
        for (expected, sent) in self.writes(sent) {
            for (name, value) in expected.iter_mut() {
                if let Some(sent) = sent.inputs.get(name) {
                    found |= adopt_times(value, sent, tolerance);
                }
            }
        }
        found
    }

    /// Puts the settings of the connections `there` in place of those of `here`, the account's of the run.
    pub fn move_to(&mut self, here: &RunContext, there: &RunContext) {
        let mut replaced = Vec::new();
        for (connector, settings) in &here.connections {
            for (name, old) in settings.as_object().into_iter().flatten() {
                let new = there.connections.get(connector).and_then(|settings| settings.get(name));
                if let (Some(old), Some(new)) = (old.as_str(), new.and_then(Value::as_str))
                    && !old.is_empty()
                    && old != new
                {
                    replaced.push((old, new));
                }
            }
        }
        self.test.values_mut().for_each(|value| replace(value, &replaced));
    }

    /// The inputs that the test lists, each with the request that was sent in its place.
    fn writes<'a>(
        &'a mut self,
        sent: &'a [SentRequest],
    ) -> impl Iterator<Item = (&'a mut Map<String, Value>, &'a SentRequest)> {
        let requests = self.test.get_mut("expect").and_then(|expect| expect.get_mut("requests"));
        let requests = requests.and_then(Value::as_array_mut).into_iter().flatten();
        let sent = sent.iter().filter(|sent| sent.effect != Effect::Read);
        requests
            .zip(sent)
            .filter(|(expected, sent)| expected["do"] == sent.operation)
            .filter_map(|(expected, sent)| Some((expected.get_mut("with")?.as_object_mut()?, sent)))
    }

    /// The text of a test file with this test. `recipe` is the name of its recipe.
    pub fn file(&self, recipe: &str) -> Result<String, serde_yaml::Error> {
        serde_yaml::to_string(&json!({ "recipe": recipe, "tests": [self.test] }))
    }
}

/// Replaces texts in `value`, also within others.
fn replace(value: &mut Value, texts: &[(&str, &str)]) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|value| replace(value, texts)),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, texts)),
        Value::String(text) => texts.iter().for_each(|(old, new)| *text = text.replace(old, new)),
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// Replaces times in `value` by those of `other` that are at most `tolerance` away; returns whether there were any.
fn adopt_times(value: &mut Value, other: &Value, tolerance: TimeDelta) -> bool {
    match (value, other) {
        (Value::Object(fields), Value::Object(others)) => {
            let pairs = fields.iter_mut().filter_map(|(name, value)| Some((value, others.get(name)?)));
            pairs.fold(false, |found, (value, other)| adopt_times(value, other, tolerance) || found)
        }
        (Value::Array(items), Value::Array(others)) => {
            let pairs = items.iter_mut().zip(others);
            pairs.fold(false, |found, (value, other)| adopt_times(value, other, tolerance) || found)
        }
        (value, other) => {
            let times = written_time(value).zip(written_time(other));
            let is_near = times.is_some_and(|(one, other)| one != other && (one - other).abs() <= tolerance);
            if is_near {
                *value = other.clone();
            }
            is_near
        }
    }
}

/// The time that a text is. A number may be anything.
fn written_time(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?;
    if text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { timestamp(value) }
}

fn in_words(state: RunState) -> String {
    match state {
        RunState::Waiting | RunState::Running => "has not ended".to_owned(),
        other => format!("is {}", other.name()),
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The kind of the event, where the test has to state it.
fn kind(recipe: &CheckedRecipe, detail: &RunDetail) -> Option<String> {
    let first = detail.event.kind.names().next()?;
    match recipe.trigger() {
        Trigger::Poll(_) => (first != "new").then(|| first.to_owned()),
        Trigger::Webhook(Webhook::Events { types, .. }) => {
            let mut listed = detail.event.kind.names().filter(|name| types.iter().any(|t| t.value == *name));
            Some(listed.next()?.to_owned())
        }
        Trigger::Webhook(Webhook::Path { .. }) | Trigger::Schedule(_) | Trigger::Manual(_) => None,
    }
}

/// The record as it was seen before.
fn before(detail: &RunDetail) -> Option<Value> {
    let seen = detail.entries.iter().find_map(|stamped| match &stamped.entry {
        Entry::Compared { before, .. } => Some(before.as_ref().clone()),
        _ => None,
    });
    seen.filter(Value::is_object)
}

/// The remembered values that the run read.
fn values(exchanges: &[Exchange]) -> Map<String, Value> {
    let mut values = Map::new();
    for exchange in exchanges.iter().filter(|known| known.operation.builtin == Some(Builtin::StateGet)) {
        let (End::Result(result), Some(key)) = (&exchange.end, exchange.text("key")) else { continue };
        let default = exchange.inputs.get("default").unwrap_or(&Value::Null);
        if **result != *default {
            values.entry(key).or_insert_with(|| result.as_ref().clone());
        }
    }
    values
}

/// Whether `operation` sends a request.
fn is_sent(operation: &Operation) -> bool {
    operation.builtin.is_none_or(|builtin| builtin == Builtin::HttpRequest)
}

/// The answers by operation: one, or a list in the order of the requests.
fn stubs(exchanges: &[Exchange], unknown: &mut Vec<String>) -> Map<String, Value> {
    let mut stubs: Map<String, Value> = Map::new();
    for exchange in exchanges.iter().filter(|exchange| is_sent(&exchange.operation)) {
        let Some((operation, answer)) = answer(exchange) else {
            let note = format!(
                "what `{}` answered to step `{}` cannot be told from its result",
                exchange.operation.id, exchange.step
            );
            if !unknown.contains(&note) {
                unknown.push(note);
            }
            continue;
        };
        match stubs.get_mut(&operation) {
            None => {
                stubs.insert(operation, answer);
            }
            Some(Value::Array(answers)) => answers.push(answer),
            Some(first) => *first = json!([first.take(), answer]),
        }
    }
    for answers in stubs.values_mut() {
        // The last one answers all further requests.
        if let Value::Array(all) = answers {
            all.dedup();
            if let [only] = all.as_mut_slice() {
                *answers = only.take();
            }
        }
    }
    stubs
}

/// The operation that answered, and its answer; `None` if it cannot be told from the result.
fn answer(exchange: &Exchange) -> Option<(String, Value)> {
    let operation = &exchange.operation;
    let result = match &exchange.end {
        End::Status(status) => {
            let of_itself = operation.composite.is_empty();
            return of_itself.then(|| (operation.id.clone(), json!({ "status": status })));
        }
        End::Result(result) => result.as_ref(),
    };
    if operation.builtin == Some(Builtin::HttpRequest) {
        let field = |name: &str| result.get(name).filter(|value| !value.is_null()).cloned();
        let parts = ["status", "headers", "body"].map(|name| (name.to_owned(), field(name)));
        let answer: Map<String, Value> =
            parts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        return Some((operation.id.clone(), answer.into()));
    }
    if !operation.composite.is_empty() {
        return None;
    }
    let body = body_with_result(operation, result.clone()).ok()?;
    let read = match operation.result.is_empty() {
        true => Some(body),
        false => path::read_first(&body, &operation.result),
    };
    // A read that finds nothing has null as its result.
    (read.unwrap_or_default() == *result).then(|| (operation.id.clone(), json!({ "result": result })))
}

fn expected(state: RunState, exchanges: &[Exchange], unknown: &mut Vec<String>) -> Map<String, Value> {
    let mut expected = Map::new();
    if state != RunState::Succeeded {
        expected.insert("run".into(), state.name().into());
    }
    let mut requests = Vec::new();
    for exchange in exchanges.iter().filter(|exchange| exchange.effect != Effect::Read) {
        let operation = &exchange.operation;
        if !is_sent(operation) {
            continue;
        }
        if !operation.composite.is_empty() {
            unknown.push(format!("`{}` is made of several requests, which are not recorded", operation.id));
            continue;
        }
        requests.push(json!({ "do": operation.id, "with": exchange.inputs }));
    }
    expected.insert("requests".into(), requests.into());
    let mut values: Map<String, Value> = Map::new();
    for (exchange, _) in done(exchanges, Builtin::StatePut) {
        let value = exchange.inputs.get("value").cloned().unwrap_or_default();
        values.insert(exchange.text("key").unwrap_or_default(), value);
    }
    for (name, content) in [("links", links_after(exchanges)), ("state", values)] {
        if !content.is_empty() {
            expected.insert(name.into(), content.into());
        }
    }
    expected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_times_are_adopted() {
        let mut value = json!({ "due": "2026-11-29T09:00:00.5Z", "far": "2026-11-20T09:00:00Z", "id": "1000000001", "n": [5] });
        let other = json!({ "due": "2026-11-29T09:00:00Z", "far": "2026-11-29T09:00:00Z", "id": "1000000002", "n": [6] });
        assert!(adopt_times(&mut value, &other, TimeDelta::seconds(1)));
        let expected = json!({ "due": "2026-11-29T09:00:00Z", "far": "2026-11-20T09:00:00Z", "id": "1000000001", "n": [5] });
        assert_eq!(value, expected);
        assert!(
            !adopt_times(&mut value, &other, TimeDelta::seconds(1)),
            "what is equal already does not count"
        );
    }
}
