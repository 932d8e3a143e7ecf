//! The JSON Schema of a recipe, generated from its syntax types.

use std::sync::LazyLock;

use serde_json::Value;

use super::syntax;
use crate::value::schema_of;

static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<syntax::Recipe>);
static SYNC: LazyLock<Value> = LazyLock::new(schema_of::<syntax::SyncRecipe>);

/// The structure of recipes as JSON Schema, draft 7, without operations.
pub fn schema() -> &'static Value {
    &SCHEMA
}

/// The structure of syncs.
pub fn sync_schema() -> &'static Value {
    &SYNC
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_no_null_anywhere() {
        for schema in [schema(), sync_schema()] {
            let text = serde_json::to_string_pretty(schema).unwrap();
            assert!(!text.contains("null\""), "{text}");
        }
    }
}
