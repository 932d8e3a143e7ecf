//! What a write did to a field, and what hob had set the field to before.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::catalog::{Operation, WriteTarget};
use crate::run::Write;

/// A field of a write.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WrittenField {
    /// Its name.
    pub field: String,
    /// What was done to it.
    #[serde(skip_serializing_if = "FieldChange::is_set")]
    pub change: FieldChange,
    /// What hob had set it to before, if it had; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What was written.
    pub after: Value,
}

/// What a write does to a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldChange {
    /// It is set to the value.
    #[default]
    Set,
    /// The members of the value are added to its list.
    Added,
    /// They are removed from it.
    Removed,
}

impl FieldChange {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_set(&self) -> bool {
        *self == Self::Set
    }

    /// What `operation` does to its field `name`.
    fn of(operation: &Operation, name: &str) -> Self {
        match operation.write_target() {
            Some(WriteTarget::Added(list)) if list == name => Self::Added,
            Some(WriteTarget::Removed(list)) if list == name => Self::Removed,
            _ => Self::Set,
        }
    }
}

/// What hob has set fields to. A request may name other records beside the written one, such as the contact of a note:
/// fields of different notes of one contact are kept apart by all the ids that a request names.
#[derive(Default)]
pub(super) struct KnownFields(BTreeMap<(String, BTreeSet<String>, String, String), Value>);

impl KnownFields {
    /// The fields of the next write.
    pub(super) fn next(&mut self, write: &Write, operation: Option<&Operation>) -> Vec<WrittenField> {
        let fields = match &write.fields {
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
            }
            Value::Null => Vec::new(),
            other => vec![("value".to_owned(), other.clone())],
        };
        let field = |(field, after): (String, Value)| {
            let change = operation.map(|operation| FieldChange::of(operation, &field)).unwrap_or_default();
            let before =
                operation.and_then(|operation| self.replace(write, operation, change, &field, &after));
            WrittenField { before, change, field, after }
        };
        fields.into_iter().map(field).collect()
    }

    /// Notes that `write` has changed `field` by `after`; returns what it was set to before.
    fn replace(
        &mut self,
        write: &Write,
        operation: &Operation,
        change: FieldChange,
        field: &str,
        after: &Value,
    ) -> Option<Value> {
        // Writes of older versions do not say which other records they name.
        let origin = write.origin.as_ref()?;
        let others = origin.beside.iter().cloned().collect();
        let key = (write.connection.clone(), others, write.record.clone(), field.to_owned());
        let is_created = operation.write_target() == Some(WriteTarget::Created);
        // Without an id of its own, what was created is not the record, but belongs to it.
        let is_part = is_created && origin.beside.is_empty() && operation.path.contains('{');
        match change {
            FieldChange::Set if is_part => None,
            FieldChange::Set => self.0.insert(key, after.clone()).filter(|_| !is_created),
            // What the list has now is not known.
            FieldChange::Added | FieldChange::Removed => {
                self.0.remove(&key);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use serde_json::json;

    use super::*;
    use crate::catalog::Catalog;
    use crate::run::{Origin, RunId};

    fn write(operation: &str, record: &str, beside: &[&str], fields: Value) -> Write {
        let origin = Origin {
            run: RunId("run_1".to_owned()),
            recipe: "r".to_owned(),
            step: "s".to_owned(),
            sent: DateTime::UNIX_EPOCH,
            answer: Value::Null,
            beside: beside.iter().map(|id| (*id).to_owned()).collect(),
            chain: Vec::new(),
            source: None,
        };
        Write {
            connection: "studio".to_owned(),
            record: record.to_owned(),
            operation: operation.to_owned(),
            fields,
            origin: Some(origin),
        }
    }

    #[test]
    fn before_is_what_the_same_field_of_the_same_record_was_set_to() {
        let catalog = Catalog::built_in();
        let mut known = KnownFields::default();
        let mut next = |operation, record, beside: &[&str], fields| {
            let write = write(operation, record, beside, fields);
            let fields = known.next(&write, catalog.operation(operation).map(Arc::as_ref));
            fields.into_iter().map(|field| (field.change, field.before)).collect::<Vec<_>>()
        };
        let (set, unknown) = (FieldChange::Set, [(FieldChange::Set, None)]);
        let name = |name: &str| json!({ "firstName": name });
        assert_eq!(next("contacts.create", "c", &[], name("Ann")), unknown);
        assert_eq!(next("contacts.upsert", "c", &[], name("Anne")), [(set, Some(json!("Ann")))]);
        assert_eq!(next("contacts.update", "d", &[], name("Bob")), unknown);
        assert_eq!(next("contacts.update", "c", &[], name("Anna")), [(set, Some(json!("Anne")))]);
        // Each note is a record of its own, although the contact is named as well.
        let body = |text: &str| json!({ "body": text });
        for (record, beside) in [("n1", "c"), ("c", "n1"), ("n2", "c"), ("c", "n2")] {
            assert_eq!(next("contacts.notes.create", record, &[beside], body("one")), unknown);
        }
        assert_eq!(next("contacts.notes.update", "n1", &["c"], body("two")), [(set, Some(json!("one")))]);
        assert_eq!(next("contacts.notes.update", "c", &["n2"], body("new")), [(set, Some(json!("one")))]);
        // A list that is added to is not replaced, and what it has then is not known.
        let tags = || json!({ "tags": ["a"] });
        assert_eq!(next("contacts.update", "c", &[], tags()), unknown);
        assert_eq!(next("contacts.tags.add", "c", &[], tags()), [(FieldChange::Added, None)]);
        assert_eq!(next("contacts.tags.remove", "c", &[], tags()), [(FieldChange::Removed, None)]);
        assert_eq!(next("contacts.update", "c", &[], tags()), unknown);
    }
}
