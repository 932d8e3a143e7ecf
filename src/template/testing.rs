//! Helpers for tests: evaluate a template on an event.

use chrono::DateTime;

use super::{Error, Scope, Template};
use crate::value::Value;

pub(super) fn evaluate(text: &str, event: Value) -> Result<Value, Error> {
    let now = DateTime::parse_from_rfc3339("2026-11-23T17:30:00Z").expect("a time").to_utc();
    let template = Template::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    template.evaluate(&Scope::new(now).with("event", event))
}

pub(super) fn value(text: &str, event: Value) -> Value {
    evaluate(text, event).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

pub(super) fn failure(text: &str, event: Value) -> Error {
    evaluate(text, event).err().unwrap_or_else(|| panic!("{text} has a value"))
}
