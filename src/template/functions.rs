//! Functions of templates.

use chrono::{DateTime, SecondsFormat};
use minijinja::{Error, State};

use super::error::refusal;
use super::links;
use super::scope::NOW;
use super::spec::{Spec, own};

/// The engine's own functions that are not available: `debug` would reveal everything, including secrets; `namespace`
/// allows unbounded nesting.
pub(super) const WITHHELD: [&str; 2] = ["debug", "namespace"];

/// All functions of templates.
pub fn all() -> &'static [Spec] {
    &SPECS
}

const SPECS: [Spec; 4] = [
    own!(
        add_function(now),
        "now()",
        "The time of this attempt, as ISO 8601 in UTC.",
        ("{{ now() }}", r#""2026-11-23T17:30:00.000Z""#)
    ),
    links::FIND,
    Spec::builtin(
        "range(end) or range(start, end, step=1)",
        "Whole numbers from start (0) up to, not including, end; at most 100,000.",
        ("{{ range(2, 5) | list }}", "[2, 3, 4]"),
    ),
    Spec::builtin(
        "dict(name=value, …)",
        "A mapping with these fields.",
        ("{{ dict(a=1, b='x') }}", r#"{"a": 1, "b": "x"}"#),
    ),
];

fn now(state: &State<'_, '_>) -> Result<String, Error> {
    let millis = state.lookup(NOW).and_then(|now| now.as_i64());
    let now = millis.and_then(DateTime::from_timestamp_millis);
    let now = now.ok_or_else(|| refusal("there is no time here"))?;
    Ok(now.to_rfc3339_opts(SecondsFormat::Millis, true))
}
