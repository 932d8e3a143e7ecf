//! What hob knows of a record from the events about it and from its own writes in the last minutes.

use chrono::{DateTime, TimeDelta, Utc};

use super::FRESH;
use super::equal::{Held, held};
use crate::catalog::{Operation, Place};
use crate::run::echo::{OwnWrite, WriteEffect};
use crate::value::{Map, Value};

/// By how much the clocks of processes may differ.
const CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(5);

/// What an event showed of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// Since when the record was so, at the earliest that is sure: when it was received, less what a list lags behind.
    pub at: DateTime<Utc>,
    /// When it was received.
    pub received: DateTime<Utc>,
    /// It was read from the API then. A webhook may be late, and only speaks against what is known.
    pub is_read: bool,
    /// The record; null where it is gone.
    pub record: Value,
    /// The event, for people.
    pub event: String,
}

/// What is known of a record from outside of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fresh {
    /// Events about it, oldest first.
    pub sights: Vec<Sight>,
    /// What hob wrote to it, oldest first.
    pub writes: Vec<OwnWrite>,
}

impl Fresh {
    /// Why the record is known to hold all that `operation` sends with `inputs`, and what is known of it; `None` if it
    /// is not. Of each field, all that was told since it was last written must agree.
    pub fn unchanged(
        &self,
        operation: &Operation,
        inputs: &Map<String, Value>,
        now: DateTime<Utc>,
    ) -> Option<(Map<String, Value>, String)> {
        let in_path =
            |name: &String| operation.parameters.get(name).is_some_and(|known| known.place == Place::Path);
        let id = inputs.get(operation.updates.as_deref()?)?;
        let (mut known, mut reasons) = (Map::new(), Vec::new());
        for name in inputs.keys().filter(|name| !in_path(name)) {
            let Evidence { values, reason } = self.evidence(name, now)?;
            // One field, and what says which record it is.
            let mut sent = inputs.clone();
            sent.retain(|other, _| other == name || in_path(other));
            let agrees = |value: &Value| {
                held(operation, &sent, &Map::from_iter([(name.clone(), value.clone())])) == Held::All
            };
            if !values.iter().all(|value| agrees(value)) {
                return None;
            }
            known.extend(values.last().map(|value| (name.clone(), Value::clone(value))));
            reasons.push(reason);
        }
        if held(operation, inputs, &known) != Held::All {
            return None;
        }
        known.insert("id".to_owned(), id.clone());
        reasons.into_iter().next().map(|reason| (known, reason))
    }

    /// What was told of the field `name` since it was last written; `None` where that says nothing for sure.
    fn evidence(&self, name: &str, now: DateTime<Utc>) -> Option<Evidence<'_>> {
        let is_recent = |at: DateTime<Utc>| now - at < FRESH;
        let write = self.writes.iter().rfind(|write| touches(&write.effect, name));
        let since = write.map_or(DateTime::<Utc>::MIN_UTC, |write| write.sent);
        let told = self.sights.iter();
        let told: Vec<&Sight> = told.filter(|sight| sight.received + CLOCK_DIFFERENCE >= since).collect();
        // One that does not show the field may tell of any change.
        let mut values: Vec<&Value> =
            told.iter().map(|sight| sight.record.get(name)).collect::<Option<_>>()?;
        let by_write = write.filter(|write| is_recent(write.done));
        if let Some(write) = by_write {
            values.push(shown(write, name)?);
            let at = write.done.format("%H:%M:%SZ");
            return Some(Evidence {
                values,
                reason: format!("run {} wrote it at {at}, step `{}`", write.run, write.step),
            });
        }
        let sight = told.iter().rfind(|sight| sight.is_read && sight.at >= since && is_recent(sight.at))?;
        let at = sight.received.format("%H:%M:%SZ");
        Some(Evidence { values, reason: format!("it was read at {at}, event {}", sight.event) })
    }
}

/// What was told of a field.
struct Evidence<'a> {
    values: Vec<&'a Value>,
    reason: String,
}

fn touches(effect: &WriteEffect, name: &str) -> bool {
    match effect {
        WriteEffect::Created(_) | WriteEffect::Deleted => true,
        WriteEffect::Fields(sent) => sent.contains_key(name),
        WriteEffect::Added(list, _) | WriteEffect::Removed(list, _) => list == name,
    }
}

/// The value that the answer to `write` showed; of what it did not show nothing is known.
fn shown<'a>(write: &'a OwnWrite, name: &str) -> Option<&'a Value> {
    match write.effect {
        WriteEffect::Deleted => None,
        _ => write.answer.get(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::run::RunId;
    use serde_json::json;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn write(second: i64, fields: Value, answer: Value) -> OwnWrite {
        let (run, step) = (RunId("run_1".into()), "s".into());
        let effect = WriteEffect::Fields(fields.as_object().unwrap().clone());
        OwnWrite {
            run,
            step,
            sent: at(second),
            done: at(second + 1),
            effect,
            answer,
            chain: Vec::new(),
            source: None,
        }
    }

    fn sight(second: i64, record: Value) -> Sight {
        Sight { at: at(second), received: at(second), is_read: true, record, event: "evt_1".into() }
    }

    fn is_unchanged(fresh: &Fresh, now: i64) -> bool {
        let catalog = Catalog::built_in();
        let inputs = json!({ "contactId": "c1", "firstName": "Ada" });
        let operation = catalog.operation("contacts.update").unwrap();
        fresh.unchanged(operation, inputs.as_object().unwrap(), at(now)).is_some()
    }

    #[test]
    fn what_was_written_or_told_of_late_is_known() {
        let ada = || json!({ "firstName": "Ada" });
        let written = Fresh { writes: vec![write(0, ada(), ada())], ..Fresh::default() };
        assert!(is_unchanged(&written, 60));
        assert!(!is_unchanged(&written, 400), "long ago");
        let told = Fresh { sights: vec![sight(0, ada())], ..Fresh::default() };
        assert!(is_unchanged(&told, 60) && !is_unchanged(&told, 400));
        assert!(!is_unchanged(&Fresh::default(), 60));
    }

    #[test]
    fn what_speaks_against_it_counts() {
        let (ada, bob) = (|| json!({ "firstName": "Ada" }), || json!({ "firstName": "Bob" }));
        let told = |sights: Vec<Sight>, writes: Vec<OwnWrite>| is_unchanged(&Fresh { sights, writes }, 60);
        assert!(!told(vec![sight(20, bob())], vec![write(0, ada(), ada())]), "changed since");
        assert!(!told(vec![], vec![write(0, ada(), json!({}))]), "the answer does not show it");
        assert!(!told(vec![], vec![write(0, ada(), bob())]), "not kept");
        assert!(!told(vec![sight(5, ada())], vec![write(20, bob(), bob())]), "written since");
        assert!(told(vec![sight(5, bob())], vec![write(20, ada(), ada())]), "told before it was written");
        let late = Sight { is_read: false, ..sight(30, ada()) };
        assert!(!told(vec![late], vec![]), "a webhook may be late");
        let gone = Sight { is_read: false, ..sight(30, json!(null)) };
        assert!(!told(vec![gone], vec![write(0, ada(), ada())]), "gone since");
        assert!(!told(vec![sight(30, json!({ "id": "c1" }))], vec![]), "an event that does not show it");
    }
}
