//! The two systems, each with one record of the pair.

use serde_json::{Map, Value, json};

use super::super::engine::at;

pub(super) const FIELDS: usize = 3;

/// The fields' values, in the order of [`System::fields`].
pub(super) type Values = [String; FIELDS];

pub(super) const SYSTEMS: [System; 2] = [
    System {
        connector: "fitr",
        record: "cl_1",
        fields: ["full_name", "phone", "program"],
        updated: "updated_at",
        list_lag: 0,
        event: "client.updated",
        webhook_record: Some("data"),
        list: "fitr.clients.list",
        update: "fitr.clients.update",
        id_input: "id",
    },
    System {
        connector: "highlevel",
        record: "ct_1",
        fields: ["address1", "phone", "city"],
        updated: "dateUpdated",
        list_lag: 30_000,
        event: "ContactUpdate",
        webhook_record: None,
        list: "contacts.search",
        update: "contacts.update",
        id_input: "contactId",
    },
];

/// What the recipes and the simulation need to know of a system.
pub(super) struct System {
    /// Its connector, and the name of its account.
    pub(super) connector: &'static str,
    /// Id of its record.
    pub(super) record: &'static str,
    pub(super) fields: [&'static str; FIELDS],
    /// The field with the time of the last change.
    pub(super) updated: &'static str,
    /// By how many milliseconds its list lags, at most.
    pub(super) list_lag: i64,
    /// Its webhook.
    pub(super) event: &'static str,
    /// The field of the webhook's body that holds the record.
    pub(super) webhook_record: Option<&'static str>,
    pub(super) list: &'static str,
    pub(super) update: &'static str,
    /// The input that names the record to update.
    pub(super) id_input: &'static str,
}

impl System {
    /// The body of the webhook for the record as `record`.
    pub(super) fn webhook(&self, record: Value) -> Value {
        match (self.webhook_record, record) {
            (Some(field), record) => json!({ "id": "e", "event": self.event, field: record }),
            (None, Value::Object(mut body)) => {
                body.insert("type".into(), self.event.into());
                body.insert("locationId".into(), "L".into());
                Value::Object(body)
            }
            (None, other) => panic!("{other}"),
        }
    }

    /// The event that a sweep makes of the record as `record`.
    pub(super) fn reconciled(&self, record: Value) -> Value {
        match self.webhook_record {
            Some(field) => json!({ "event": self.event, field: record }),
            None => record,
        }
    }
}

/// What a system's record holds since a time.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) since: i64,
    /// The system's list shows it from then on.
    pub(super) listed: i64,
    pub(super) values: Values,
    pub(super) by_hob: bool,
}

/// All that a system's record has held.
pub(super) struct RecordVersions {
    system: &'static System,
    versions: Vec<Version>,
    /// The version that the list showed last.
    last_listed: usize,
}

/// What a list shows for the first time.
pub(super) struct Listed {
    pub(super) record: Value,
    pub(super) changed: i64,
    /// Whether hob wrote all that is new.
    pub(super) by_hob: bool,
}

impl RecordVersions {
    pub(super) fn new(system: &'static System, values: Values) -> Self {
        let first = Version { since: 0, listed: 0, values, by_hob: false };
        Self { system, versions: vec![first], last_listed: 0 }
    }

    pub(super) fn values(&self) -> &Values {
        &self.current().values
    }

    /// The record as the API shows it.
    pub(super) fn record(&self) -> Value {
        self.shown(self.current())
    }

    /// Who wrote these values last; `None` if the record never held them.
    pub(super) fn written_by_hob(&self, values: &Values) -> Option<bool> {
        self.versions.iter().rev().find(|version| version.values == *values).map(|version| version.by_hob)
    }

    pub(super) fn change(&mut self, now: i64, lag: i64, values: Values, by_hob: bool) {
        // An index lags, and does not go back.
        let listed = self.current().listed.max(now + lag);
        self.versions.push(Version { since: now, listed, values, by_hob });
    }

    /// What the list shows; `None` if that is what it showed the last time.
    pub(super) fn list(&mut self, now: i64) -> Option<Listed> {
        let shown = self.versions.iter().rposition(|version| version.listed <= now).unwrap_or_default();
        let last = std::mem::replace(&mut self.last_listed, shown);
        let version = &self.versions[shown];
        (shown != last).then(|| Listed {
            record: self.shown(version),
            changed: version.since,
            by_hob: self.versions[last + 1..=shown].iter().all(|version| version.by_hob),
        })
    }

    fn current(&self) -> &Version {
        self.versions.last().unwrap()
    }

    fn shown(&self, version: &Version) -> Value {
        let mut record = Map::from_iter([("id".to_owned(), json!(self.system.record))]);
        record.insert(self.system.updated.to_owned(), json!(at(version.since).to_rfc3339()));
        let fields = self.system.fields.iter().zip(&version.values);
        record.extend(fields.map(|(name, value)| ((*name).to_owned(), json!(value))));
        Value::Object(record)
    }
}
