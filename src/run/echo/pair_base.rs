//! What a sync knows of a record that belongs to a pair.

use super::state::{FieldPath, at};
use super::verdict::Report;
use crate::run::RunId;
use crate::value::{Map, Value, is_coarse, is_nothing, is_same, is_same_in_any_case, timestamp};

/// What a record had when the sync last made its pair equal, what was to be written to it since, and what runs have read
/// of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PairBase {
    /// The fields that the sync compares, as the record had them.
    pub had: Map<String, Value>,
    /// Lists of what runs were about to write since, by field, as it is sent.
    pub sent: Map<String, Value>,
    /// The record as runs have read it that have dealt with it since.
    pub read: Vec<Reading>,
    /// A run about the other record that is under way: it may have read what this record had before, and may write it
    /// to the other one.
    pub under_way: Option<RunId>,
}

/// A record at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The record.
    pub record: Value,
    /// Its own time of its last change; null if it tells none.
    pub changed: Value,
}

impl PairBase {
    /// Whether the event shows nothing that the sync has not dealt with. `is_echo`: it shows what hob wrote, as far as
    /// the writes tell.
    pub(super) fn has_dealt_with(&self, watched: &[FieldPath], report: &Report, is_echo: bool) -> bool {
        let is_known = |path| self.is_known(path, &at(&report.record, path), is_echo);
        !watched.is_empty() && watched.iter().all(is_known)
            || self.read.iter().any(|reading| reading.covers(watched, report))
    }

    fn is_known(&self, path: &FieldPath, value: &Value, is_echo: bool) -> bool {
        let Some((name, rest)) = path.split_first() else { return false };
        let of = |field: &Value| at(field, &rest.to_vec());
        let sent = self.sent.get(name).and_then(Value::as_array).into_iter().flatten();
        // A person may have changed no more than the notation.
        let is_as_it_was = |had: Value| match is_echo {
            true => is_same(&had, value),
            false => had == *value || is_nothing(&had) && is_nothing(value),
        };
        self.had.get(name).is_some_and(|had| is_as_it_was(of(had)))
            // As the generated recipes tell their own writes, whose answers may never have come: an API may keep a name
            // in another case.
            || sent.into_iter().any(|sent| is_same_in_any_case(&of(sent), value))
    }
}

impl Reading {
    /// Whether the event shows the record as it was then, or before.
    fn covers(&self, watched: &[FieldPath], report: &Report) -> bool {
        let (Some(read), Some(shown)) = (timestamp(&self.changed), timestamp(&report.changed)) else {
            return false;
        };
        // In another notation one of them may be rounded.
        let length = |time: &Value| time.to_string().len();
        if length(&self.changed) != length(&report.changed) || is_coarse(&self.changed) {
            return false;
        }
        // Several changes may have one time.
        let is_equal = || watched.iter().all(|path| at(&self.record, path) == at(&report.record, path));
        shown < read || shown == read && is_equal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::time;
    use serde_json::json;

    fn fields(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    fn paths(watched: &[&str]) -> Vec<FieldPath> {
        watched.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect()
    }

    fn shown(record: Value) -> Report {
        Report {
            received: time(0),
            lag: None,
            hydrated: false,
            kind: "updated".into(),
            removed: false,
            changed: record["changed"].clone(),
            record,
        }
    }

    #[test]
    fn what_both_had_and_what_was_sent_since_is_known_field_by_field() {
        let base = PairBase {
            had: fields(json!({ "name": "Ada", "phone": null, "address": { "city": "Rome" } })),
            sent: fields(json!({ "name": ["bob"], "phone": ["+44 7700 900001", "+44 7700 900002"] })),
            ..PairBase::default()
        };
        let knows = |watched: &[&str], record: Value, is_echo: bool| {
            base.has_dealt_with(&paths(watched), &shown(record), is_echo)
        };
        let both: &[&str] = &["name", "phone"];
        assert!(knows(both, json!({ "name": "Ada" }), false));
        assert!(
            knows(both, json!({ "name": "Ada", "phone": "+447700900002" }), false),
            "in another notation"
        );
        assert!(knows(both, json!({ "name": "Bob" }), false), "the API keeps what was sent in another case");
        assert!(
            !knows(both, json!({ "name": "Ada ", "phone": "" }), false),
            "somebody wrote it in another way"
        );
        assert!(
            knows(both, json!({ "name": "Ada ", "phone": "" }), true),
            "the webhook has a notation of its own"
        );
        assert!(!knows(both, json!({ "name": "Ada", "phone": "+447700900003" }), true));
        assert!(knows(&["address.city"], json!({ "address": { "city": "Rome", "zip": 1 } }), false));
        assert!(!knows(&["name", "other"], json!({ "name": "Ada" }), false), "nobody knows what it had");
        assert!(!knows(&[], json!({ "name": "Ada" }), false));
    }

    #[test]
    fn what_is_older_than_what_was_read_is_known() {
        let record = json!({ "name": "Bob", "changed": "2026-01-01T10:00:05Z" });
        let read = vec![Reading { changed: record["changed"].clone(), record }];
        let base = PairBase { read, ..PairBase::default() };
        let knows = |name: &str, changed: Value| {
            base.has_dealt_with(&paths(&["name"]), &shown(json!({ "name": name, "changed": changed })), false)
        };
        assert!(knows("Ada", json!("2026-01-01T10:00:04Z")));
        assert!(knows("Bob", json!("2026-01-01T10:00:05Z")));
        assert!(!knows("Ada", json!("2026-01-01T10:00:05Z")), "both changes came within a second");
        assert!(!knows("Bob", json!("2026-01-01T10:00:06Z")));
        assert!(!knows("Ada", json!("2026-01-01T10:00:04.123Z")), "the one that was read may be rounded");
        assert!(!knows("Ada", Value::Null));
    }
}
