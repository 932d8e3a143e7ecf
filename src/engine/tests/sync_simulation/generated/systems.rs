//! The two systems with their records.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use super::super::engine::at;
use super::super::random::Random;
use crate::run::{RunId, StepError, StepResult};

pub(super) const FIELDS: usize = 5;
/// Place of the address by which records are matched, of the field that the first system owns, and of one that is a
/// list, and of the telephone number.
pub(super) const EMAIL: usize = 0;
pub(super) const OWNED: usize = 3;
pub(super) const TAGS: usize = 4;
pub(super) const PHONE: usize = 2;
/// Each system takes so many requests in a window of so many milliseconds.
const WINDOW: i64 = 10_000;
const REQUESTS_IN_WINDOW: usize = 8;

/// Values of the fields; empty where there is none. Those of a list are separated by spaces.
pub(super) type Values = [String; FIELDS];

/// What is known of a system.
pub(super) struct Kind {
    pub(super) connector: &'static str,
    pub(super) prefix: &'static str,
    fields: [&'static str; FIELDS],
    pub(super) updated: &'static str,
    pub(super) id_input: &'static str,
    /// By how many milliseconds its list lags, at most.
    pub(super) list_lag: i64,
    events: [&'static str; 2],
    webhook_record: Option<&'static str>,
}

pub(super) const KINDS: [Kind; 2] = [
    Kind {
        connector: "fitr",
        prefix: "cl",
        fields: ["email", "full_name", "phone", "program", "tags"],
        updated: "updated_at",
        id_input: "id",
        list_lag: 0,
        events: ["client.created", "client.updated"],
        webhook_record: Some("data"),
    },
    Kind {
        connector: "highlevel",
        prefix: "ct",
        fields: ["email", "firstName", "phone", "city", "tags"],
        updated: "dateUpdated",
        id_input: "contactId",
        list_lag: 30_000,
        events: ["ContactCreate", "ContactUpdate"],
        webhook_record: None,
    },
];

impl Kind {
    /// The name and the body of the webhook of a record as `record`.
    pub(super) fn webhook(&self, is_new: bool, record: Value) -> (&'static str, Value) {
        let event = self.events[usize::from(!is_new)];
        let body = match (self.webhook_record, record) {
            (Some(field), record) => json!({ "id": "e", "event": event, field: record }),
            (None, Value::Object(mut body)) => {
                body.insert("type".into(), event.into());
                body.insert("locationId".into(), "L".into());
                Value::Object(body)
            }
            (None, other) => panic!("{other}"),
        };
        (event, body)
    }

    /// The record that an event of this payload shows.
    pub(super) fn shown(&self, payload: &Value) -> Value {
        self.webhook_record.and_then(|field| payload.get(field)).unwrap_or(payload).clone()
    }

    /// Whether the API takes the value of a field and silently drops it.
    pub(super) fn drops(&self, field: usize, value: &str) -> bool {
        self.connector == "highlevel" && field == PHONE && value.ends_with('3')
    }

    /// How the system keeps the value of a field.
    pub(super) fn kept(&self, field: usize, value: &str) -> String {
        match (self.connector, field) {
            // Names with a capital, phone numbers without spaces, tags by name.
            ("highlevel", 1) => {
                let mut letters = value.chars();
                letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
            }
            ("highlevel", PHONE) => value.replace(' ', ""),
            ("highlevel", TAGS) => {
                let mut tags: Vec<&str> = value.split(' ').collect();
                tags.sort_unstable();
                tags.join(" ")
            }
            _ => value.to_owned(),
        }
    }
}

/// What a record holds since a time.
struct Version {
    since: i64,
    listed: i64,
    values: Values,
    by_hob: bool,
}

/// A record with its past.
pub(super) struct Record {
    pub(super) pair: usize,
    pub(super) is_deleted: bool,
    versions: Vec<Version>,
    last_listed: Option<usize>,
    /// The newest version that a webhook told.
    told: i64,
    /// Runs that read it, with the version that they read.
    reads: Vec<(RunId, usize)>,
}

/// What a list shows for the first time.
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) record: Value,
    pub(super) is_new: bool,
    pub(super) by_hob: bool,
    /// A webhook told as much.
    pub(super) is_told: bool,
}

/// A system.
pub(super) struct System {
    pub(super) kind: &'static Kind,
    pub(super) records: BTreeMap<String, Record>,
    /// The window of the last request, and how many came in it.
    window: (i64, usize),
}

impl System {
    pub(super) fn new(kind: &'static Kind) -> Self {
        Self { kind, records: BTreeMap::new(), window: (0, 0) }
    }

    /// The record that somebody made, or hob for it, of a pair.
    pub(super) fn of_pair(&self, pair: usize) -> Option<&str> {
        let mut live = self.records.iter().filter(|(_, record)| record.pair == pair && !record.is_deleted);
        live.next().map(|(id, _)| id.as_str())
    }

    pub(super) fn values(&self, id: &str) -> &Values {
        &self.records[id].versions.last().unwrap().values
    }

    pub(super) fn is_there(&self, id: &str) -> bool {
        self.records.get(id).is_some_and(|record| !record.is_deleted)
    }

    pub(super) fn record(&self, id: &str) -> Value {
        self.shown(id, self.records[id].versions.last().unwrap())
    }

    fn shown(&self, id: &str, version: &Version) -> Value {
        let mut record = Map::from_iter([("id".to_owned(), json!(id))]);
        let since = at(version.since).to_rfc3339_opts(SecondsFormat::Millis, true);
        record.insert(self.kind.updated.to_owned(), json!(since));
        for (field, (name, value)) in self.kind.fields.iter().zip(&version.values).enumerate() {
            let value = match (field, value.is_empty()) {
                (TAGS, _) => value.split(' ').filter(|tag| !tag.is_empty()).collect::<Value>(),
                (_, true) => Value::Null,
                (_, false) => json!(value),
            };
            record.insert((*name).to_owned(), value);
        }
        Value::Object(record)
    }

    /// Notes that a webhook tells the version of now.
    pub(super) fn tell(&mut self, id: &str, since: i64) {
        let record = self.records.get_mut(id).unwrap();
        record.told = record.told.max(since);
    }

    /// Notes that a run reads the version of now.
    pub(super) fn note_read(&mut self, id: &str, run: &RunId) {
        let record = self.records.get_mut(id).unwrap();
        record.reads.push((run.clone(), record.versions.len() - 1));
    }

    /// Whether the version that `shown` shows was made by hob alone since the newest one before that a run which
    /// `counts` accepts has read, or an event in `told` has told.
    pub(super) fn is_echo(
        &self,
        id: &str,
        shown: &Value,
        told: &[Value],
        counts: impl Fn(&RunId) -> bool,
    ) -> bool {
        let record = &self.records[id];
        let version = |shown: &Value| {
            let time = crate::value::timestamp(&shown[self.kind.updated]);
            record.versions.iter().rposition(|version| Some(at(version.since)) == time)
        };
        let Some(shown) = version(shown) else { return false };
        let read = record.reads.iter().filter(|(run, _)| counts(run)).map(|(_, version)| *version);
        let known = read.chain(told.iter().filter_map(version)).max();
        let first = known.map_or(0, |known| known + 1);
        record.versions[first.min(shown + 1)..=shown].iter().all(|version| version.by_hob)
    }

    pub(super) fn since(&self, id: &str) -> i64 {
        self.records[id].versions.last().unwrap().since
    }

    /// The record has these values from now on.
    pub(super) fn change(&mut self, id: &str, pair: usize, now: i64, lag: i64, values: Values, by_hob: bool) {
        let kept = std::array::from_fn(|field| self.kind.kept(field, &values[field]));
        let record = self.records.entry(id.to_owned()).or_insert_with(|| Record {
            pair,
            is_deleted: false,
            versions: Vec::new(),
            last_listed: None,
            told: -1,
            reads: Vec::new(),
        });
        // An index lags, and does not go back.
        let listed = record.versions.last().map_or(0, |last| last.listed).max(now + lag);
        record.versions.push(Version { since: now, listed, values: kept, by_hob });
    }

    /// For how many milliseconds a request has to wait; none if it is taken.
    pub(super) fn refuses_until(&mut self, now: i64) -> Option<i64> {
        let window = now / WINDOW;
        let count = if self.window.0 == window { self.window.1 + 1 } else { 1 };
        self.window = (window, count);
        (count > REQUESTS_IN_WINDOW).then(|| (window + 1) * WINDOW - now)
    }

    /// What the list shows that it did not show the last time. Some of it is on a page that is not read.
    pub(super) fn list(&mut self, now: i64, random: &mut Random) -> Vec<Listed> {
        let mut all = Vec::new();
        for (id, record) in &mut self.records {
            if random.percent(3) {
                continue;
            }
            let shown = record.versions.iter().rposition(|version| version.listed <= now);
            let Some(shown) = shown.filter(|_| !record.is_deleted) else { continue };
            let last = record.last_listed.replace(shown);
            if last == Some(shown) {
                continue;
            }
            let first = last.map_or(0, |last| last + 1);
            let by_hob = record.versions[first..=shown].iter().all(|version| version.by_hob);
            all.push((id.clone(), shown, last.is_none(), by_hob));
        }
        let listed = all.into_iter().map(|(id, shown, is_new, by_hob)| {
            let version = &self.records[&id].versions[shown];
            let is_told = self.records[&id].told >= version.since;
            Listed { record: self.shown(&id, version), is_new, by_hob, is_told, id }
        });
        listed.collect()
    }

    /// The answer to a read.
    pub(super) fn read(&self, operation: &str, inputs: &Map<String, Value>) -> StepResult {
        if let Some(id) = inputs.get(self.kind.id_input).and_then(Value::as_str) {
            return match self.is_there(id) {
                true => StepResult::Done(self.record(id)),
                false => StepResult::Gone(StepError { status: Some(404), ..StepError::new("404") }),
            };
        }
        let email = inputs["email"].as_str().unwrap();
        let found = self.records.keys().filter(|id| self.is_there(id) && self.values(id)[EMAIL] == email);
        let mut found = found.map(|id| self.record(id));
        StepResult::Done(match operation {
            "contacts.get_duplicate" => json!(found.next()),
            _ => found.collect(),
        })
    }

    /// What the record `id` has once `values` are written to it.
    pub(super) fn kept(&self, id: &str, values: Values) -> Values {
        let before = self.records.get(id).map(|_| self.values(id).clone()).unwrap_or_default();
        let mut kept = values;
        for (field, before) in before.into_iter().enumerate() {
            if self.kind.drops(field, &kept[field]) {
                kept[field] = before;
            }
        }
        kept
    }

    /// The values of a record after a write of `inputs`.
    pub(super) fn after(&self, id: Option<&str>, inputs: &Map<String, Value>) -> Values {
        let before = id.map(|id| self.values(id).clone()).unwrap_or_default();
        std::array::from_fn(|field| match inputs.get(self.kind.fields[field]) {
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(" ")
            }
            Some(value) => value.as_str().unwrap().to_owned(),
            None => before[field].clone(),
        })
    }
}
