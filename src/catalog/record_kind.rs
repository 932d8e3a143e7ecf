//! Kinds of records of an API, with the operations that list, read, find and write them.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Operation, path};
use crate::value::{Kind, Shape};

/// A kind of record, listed under `records` by its name in the singular (such as `contact`). Syncs and `hydrate` of
/// polls read this.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kind of record")]
pub struct RecordKind {
    /// The poller that lists them.
    pub list: String,
    /// The read of one of them by its id, which is the operation's only path parameter. Its answer shows all fields.
    pub read: String,
    /// Reads that find one by the value of a field: field → read.
    #[serde(default)]
    pub find: IndexMap<String, RecordFind>,
    /// The operation that creates one.
    pub create: Option<String>,
    /// The operation that sets fields of one by its id.
    pub update: Option<String>,
    /// The operation that deletes one by its id.
    pub delete: Option<String>,
}

/// A read that finds a record by the value of a field. Its result is the record or null, or a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordFind {
    /// The operation.
    pub operation: String,
    /// Its input for the value. Default: the field's name.
    pub input: Option<String>,
}

impl RecordKind {
    /// All operations that it names, with the field that names each.
    pub fn operations(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let named = [
            ("list", Some(&self.list)),
            ("read", Some(&self.read)),
            ("create", self.create.as_ref()),
            ("update", self.update.as_ref()),
            ("delete", self.delete.as_ref()),
        ];
        let named = named.into_iter().filter_map(|(field, id)| Some((field, id?.as_str())));
        named.chain(self.find.values().map(|find| ("find", find.operation.as_str())))
    }
}

impl Operation {
    /// The shape of an item of its list.
    pub fn item_shape(&self) -> Option<&Shape> {
        let items = self.list.as_ref()?.items.first()?;
        let shape = path::walk(self.response.as_ref()?, items)?;
        match (path::is_list(items), shape.kind) {
            (false, Kind::Array) => shape.items.as_deref(),
            _ => Some(shape),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;

    #[test]
    fn every_kind_names_operations_that_fit() {
        let catalog = Catalog::built_in();
        let mut kinds = 0;
        for connector in catalog.connectors() {
            for (name, kind) in &connector.records {
                kinds += 1;
                for (field, id) in kind.operations() {
                    let operation = catalog.operation(id).unwrap_or_else(|| panic!("{name}: {field}: {id}"));
                    assert_eq!(operation.connector, connector.connector, "{name}: {field}");
                    let by_id = ["read", "update", "delete"].contains(&field);
                    assert!(!by_id || connector.id_input(operation).is_some(), "{name}: {field}");
                }
                let list = catalog.operation(&kind.list).unwrap();
                assert!(list.is_poller() && catalog.record_read(list).is_some(), "{name}");
            }
        }
        assert!(kinds > 2);
    }
}
