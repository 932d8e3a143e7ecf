//! Reinterprets the answer to a repeated request: it describes the second attempt, while an earlier one with a lost
//! answer may have done the work. Pure.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use crate::catalog::{FirstOnly, Operation, path};
use crate::value::{Value, timestamp};

/// Remaining difference of clocks that were compared.
const CLOCKS: TimeDelta = TimeDelta::seconds(2);
/// Assumed largest difference of clocks that were not compared.
const UNKNOWN_CLOCKS: TimeDelta = TimeDelta::minutes(15);

/// Key of the marker for an unknown value in an answer, until the result is picked from it.
const UNKNOWN: &str = "$hob-unknown";

/// The attempts that may have been carried out, and the clocks involved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attempts {
    /// When the first attempt with a lost answer was about to be sent, by our clock.
    pub since: DateTime<Utc>,
    /// When the answer arrived, by our clock.
    pub answered: DateTime<Utc>,
    /// How far the server's clock is ahead, if the answer shows it.
    pub ahead: Option<TimeDelta>,
}

/// Whether one of the attempts created the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Creation {
    /// Created during the attempts.
    During,
    /// Existed before them.
    Before,
    Unclear(&'static str),
}

/// Restores in `body`, the answer of `operation`, what the first attempt must have answered. Unknown values are
/// replaced by markers; the reason is returned. `others` is the reason why somebody else may have created the record.
pub fn restore_first_answer(
    operation: &Operation,
    body: &mut Value,
    attempts: Attempts,
    others: Option<&str>,
) -> Option<String> {
    let mut unknown = None;
    for first in &operation.first_only {
        let Some(new) = path::read(body, &first.field).filter(|new| !new.is_null()) else { continue };
        // A record created by this request was not created by an earlier one.
        let created = match (&first.created, new) {
            (Some(_), Value::Bool(true)) => continue,
            (Some(created), _) => creation(path::read(body, created), attempts),
            (None, _) => Creation::Unclear("the answer tells what was done when it was sent again"),
        };
        let (value, reason) = match created {
            Creation::Before => continue,
            Creation::During if others.is_none() => (Value::Bool(true), None),
            Creation::During => (mark(), others),
            Creation::Unclear(reason) => (mark(), Some(reason)),
        };
        put(body, &first.field, &value);
        unknown = unknown.or(reason.map(str::to_owned));
    }
    unknown
}

/// Whether the result depends on who else may have created the record, because the answer says that it existed and
/// `operation` reports on its first attempt.
pub fn depends_on_other_writers(operation: &Operation, body: &Value, attempts: Attempts) -> bool {
    operation.first_only.iter().any(|FirstOnly { field, created }| {
        let new = path::read(body, field).is_some_and(|new| new != Value::Bool(true));
        let at = created.as_ref().and_then(|created| path::read(body, created));
        new && creation(at, attempts) == Creation::During
    })
}

fn creation(at: Option<Value>, attempts: Attempts) -> Creation {
    // Zero and the year 1 are placeholders.
    let at = at.as_ref().and_then(timestamp).filter(|at| at.timestamp() > 1_000_000_000);
    let Some(at) = at else { return Creation::Unclear("the record does not tell when it was created") };
    let whole_seconds = at.timestamp_subsec_millis() == 0;
    let at = at - attempts.ahead.unwrap_or_default();
    let margin = if attempts.ahead.is_some() { CLOCKS } else { UNKNOWN_CLOCKS };
    // A time in whole seconds lies anywhere within that second.
    let since = if whole_seconds { attempts.since.trunc_subsecs(0) } else { attempts.since };
    if at >= since && at <= attempts.answered + CLOCKS {
        Creation::During
    } else if at < attempts.since - margin {
        Creation::Before
    } else {
        Creation::Unclear("the record was created about then, and the clocks may differ")
    }
}

fn mark() -> Value {
    Value::Object([(UNKNOWN.to_owned(), Value::Bool(true))].into_iter().collect())
}

fn is_mark(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.len() == 1 && fields.contains_key(UNKNOWN))
}

/// Writes `value` at each existing place of the JSONPath `place`, which has names and `[*]`.
fn put(body: &mut Value, place: &str, value: &Value) {
    let parts = place.trim_start_matches('$').replace("[*]", ".[*]");
    let parts: Vec<&str> = parts.split('.').filter(|part| !part.is_empty()).collect();
    put_at(body, &parts, value);
}

fn put_at(body: &mut Value, parts: &[&str], value: &Value) {
    match (parts.split_first(), body) {
        (None, body) => *body = value.clone(),
        (Some((&"[*]", rest)), Value::Array(items)) => {
            items.iter_mut().for_each(|item| put_at(item, rest, value));
        }
        (Some((name, rest)), Value::Object(fields)) => {
            if let Some(field) = fields.get_mut(*name) {
                put_at(field, rest, value);
            }
        }
        _ => {}
    }
}

/// Removes the markers from a result; returns their places, such as `new` and `[].tagsAdded`, with an empty one for
/// all of it.
pub fn take_marks(result: &mut Value) -> Vec<String> {
    let mut places = Vec::new();
    if is_mark(result) {
        *result = Value::Null;
        places.push(String::new());
    } else {
        marks_in(result, "", &mut places);
    }
    places
}

fn marks_in(value: &mut Value, at: &str, places: &mut Vec<String>) {
    let mut found = |place: String| {
        if !places.contains(&place) {
            places.push(place);
        }
    };
    match value {
        Value::Object(fields) => {
            let within = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
            // A list of markers only is unknown as well.
            let marked = |field: &Value| match field {
                Value::Array(items) => !items.is_empty() && items.iter().all(is_mark),
                field => is_mark(field),
            };
            let unknown: Vec<String> =
                fields.iter().filter(|(_, field)| marked(field)).map(|(name, _)| name.clone()).collect();
            for name in unknown {
                fields.remove(&name);
                found(within(&name));
            }
            for (name, field) in fields.iter_mut() {
                marks_in(field, &within(name), places);
            }
        }
        Value::Array(items) if at.is_empty() && !items.is_empty() && items.iter().all(is_mark) => {
            *value = Value::Null;
            found(String::new());
        }
        Value::Array(items) => items.iter_mut().for_each(|item| marks_in(item, &format!("{at}[]"), places)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn attempts(ahead: Option<i64>) -> Attempts {
        Attempts {
            since: at("2026-11-28T10:00:00.400Z"),
            answered: at("2026-11-28T10:00:07Z"),
            ahead: ahead.map(TimeDelta::seconds),
        }
    }

    fn upsert() -> Operation {
        serde_yaml::from_str(
            "{ title: t, summary: s, kinds: [action], first_only: [{ field: $.new, created: $.contact.dateAdded }] }",
        )
        .unwrap()
    }

    /// The restored `new` of a record created at `time`; `None` if unknown.
    fn restored_new(new: bool, time: &str, ahead: Option<i64>, others: Option<&str>) -> Option<bool> {
        let mut body = json!({ "new": new, "contact": { "id": "c", "dateAdded": time } });
        let reason = restore_first_answer(&upsert(), &mut body, attempts(ahead), others);
        let marks = take_marks(&mut body);
        assert_eq!(reason.is_some(), marks == ["new"], "{body}");
        body.get("new").and_then(Value::as_bool)
    }

    #[test]
    fn the_creation_time_shows_who_created_the_record() {
        for ahead in [None, Some(0)] {
            assert_eq!(restored_new(false, "2026-11-28T10:00:00.500Z", ahead, None), Some(true));
            assert_eq!(restored_new(false, "2026-11-28T10:00:00Z", ahead, None), Some(true), "whole seconds");
            assert_eq!(restored_new(false, "2026-11-28T10:00:00.100Z", ahead, None), None, "just before");
            assert_eq!(restored_new(false, "2026-11-28T09:59:59Z", ahead, None), None, "clocks may differ");
            assert_eq!(restored_new(false, "2026-11-20T10:00:00Z", ahead, None), Some(false));
            assert_eq!(restored_new(true, "2026-11-28T10:00:06Z", ahead, None), Some(true));
            assert_eq!(restored_new(false, "0001-01-01T00:00:00Z", ahead, None), None);
            assert_eq!(restored_new(false, "soon", ahead, None), None);
            assert_eq!(restored_new(false, "2026-11-28T10:05:00Z", ahead, None), None, "after all of it");
        }
        // Half a minute before: someone else's for certain if the server's clock is known, otherwise unclear.
        assert_eq!(restored_new(false, "2026-11-28T09:59:30Z", Some(0), None), Some(false));
        assert_eq!(restored_new(false, "2026-11-28T09:59:30Z", None, None), None);
        // A clock 40 s behind, and one 40 s ahead.
        assert_eq!(restored_new(false, "2026-11-28T09:59:22.900Z", Some(-40), None), Some(true));
        assert_eq!(restored_new(false, "2026-11-28T10:00:02Z", Some(40), None), Some(false));
        // Somebody else may have created it.
        assert_eq!(restored_new(false, "2026-11-28T10:00:01Z", Some(0), Some("another run wrote it")), None);
    }

    #[test]
    fn fields_of_the_first_answer_only_are_unknown() {
        let operation: Operation = serde_yaml::from_str(
            "{ title: t, summary: s, kinds: [action], first_only: [{ field: '$.all[*].added' }, { field: $.gone }] }",
        )
        .unwrap();
        let answer = json!({ "all": [{ "id": 1, "added": ["a"] }, { "id": 2, "added": [] }], "n": 2 });
        let mut body = answer.clone();
        assert!(restore_first_answer(&operation, &mut body, attempts(None), None).is_some());
        let mut whole = body.clone();
        assert_eq!(take_marks(&mut whole), ["all[].added"]);
        assert_eq!(whole, json!({ "all": [{ "id": 1 }, { "id": 2 }], "n": 2 }));
        let mut list = body["all"].clone();
        assert_eq!(take_marks(&mut list), ["[].added"]);
        let mut picked = path::read(&body, "$.all[*].added").unwrap();
        assert_eq!((take_marks(&mut picked), picked), (vec![String::new()], Value::Null));
        let mut picked = body["n"].clone();
        assert_eq!((take_marks(&mut picked), picked), (vec![], json!(2)));
        let mut nothing = json!({ "n": 1 });
        assert_eq!(restore_first_answer(&operation, &mut nothing, attempts(None), None), None);
    }

    #[test]
    fn others_are_asked_for_only_where_it_matters() {
        let asks = |new: bool, time: &str| {
            let body = json!({ "new": new, "contact": { "dateAdded": time } });
            depends_on_other_writers(&upsert(), &body, attempts(Some(0)))
        };
        assert!(asks(false, "2026-11-28T10:00:01Z"));
        assert!(!asks(true, "2026-11-28T10:00:01Z") && !asks(false, "2026-11-20T10:00:01Z"));
    }
}
