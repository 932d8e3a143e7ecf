//! What changed of an event's record since hob last saw it: `event.changed` and `event.before`.

use std::sync::Arc;

use super::comparison::Comparison;
use super::echo::{Report, Subject};
use crate::event::Event;
use crate::value::{Map, Value};

/// What hob has seen of the record of an event before.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenBefore {
    /// The event.
    pub event: Event,
    /// Its subject; `None` if it concerns no known record.
    pub subject: Option<Subject>,
    /// The states of the record in earlier events, oldest first.
    pub earlier: Vec<Report>,
}

impl SeenBefore {
    /// How the record in `payload` differs from the last known state.
    pub fn compare(&self, payload: &Value) -> Comparison {
        let Some(subject) = &self.subject else {
            return Comparison { changed: names(payload), before: Arc::default() };
        };
        let now = subject.report(&self.event, payload, None);
        let before = self.earlier.iter().fold(Value::Null, |before, report| match (before, &report.record) {
            // A webhook may show only a part.
            (Value::Object(mut before), Value::Object(part)) if report.lag.is_none() || report.hydrated => {
                before.extend(part.clone());
                Value::Object(before)
            }
            (_, record) => record.clone(),
        });
        let mut changed = Vec::new();
        match (&before, &now.record) {
            (Value::Object(before), Value::Object(now_record)) => {
                let whole = now.lag.is_some();
                differing(before, now_record, whole, "", &mut changed);
            }
            (_, record) => changed = names(record),
        }
        changed.retain(|path| path.split('.').next().is_some_and(|name| subject.is_field(name)));
        Comparison { changed, before: Arc::new(before) }
    }
}

fn names(record: &Value) -> Vec<String> {
    record.as_object().map(|record| record.keys().cloned().collect()).unwrap_or_default()
}

/// With `whole`, a missing field counts as empty.
fn differing(
    before: &Map<String, Value>,
    now: &Map<String, Value>,
    whole: bool,
    at: &str,
    changed: &mut Vec<String>,
) {
    let gone = before.keys().filter(|name| whole && !now.contains_key(*name));
    for name in now.keys().chain(gone) {
        let of = |fields: &Map<String, Value>| fields.get(name).cloned().unwrap_or_default();
        match (of(before), of(now)) {
            (Value::Object(before), Value::Object(now)) => {
                differing(&before, &now, true, &format!("{at}{name}."), changed);
            }
            (before, now) if before != now => changed.push(format!("{at}{name}")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn changed(before: Value, now: Value, whole: bool) -> Vec<String> {
        let mut changed = Vec::new();
        differing(before.as_object().unwrap(), now.as_object().unwrap(), whole, "", &mut changed);
        changed
    }

    #[test]
    fn fields_that_differ_are_named_with_dots() {
        let before = json!({ "a": 1, "b": { "c": 1, "d": { "e": [1] } }, "gone": "x", "none": null });
        let now = json!({ "a": 1, "b": { "c": 2, "d": { "e": [1, 2] } }, "new": true });
        assert_eq!(changed(before.clone(), now.clone(), true), ["b.c", "b.d.e", "new", "gone"]);
        assert_eq!(changed(before.clone(), now, false), ["b.c", "b.d.e", "new"], "a part shows no absence");
        assert!(changed(before.clone(), before, true).is_empty());
    }
}
