//! The JSON Schema of `*.test.yaml` files, generated from their syntax types.

use std::sync::LazyLock;

use serde_json::Value;

use super::syntax::File;
use crate::value::schema_of;

static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<File>);

/// The structure of a test file as JSON Schema, draft 7.
pub fn schema() -> &'static Value {
    &SCHEMA
}
