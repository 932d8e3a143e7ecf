//! A header that proves who hob is.

use schemars::JsonSchema;
use serde::Deserialize;

/// A header with a secret value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "header")]
pub struct Header {
    /// The header's name.
    #[schemars(example = &"X-API-Key")]
    pub name: String,
    /// Its value.
    #[schemars(example = &"${FITR_KEY}")]
    pub value: String,
}
