//! A field of a write that the API did not keep.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::value::{Value, shortened};

/// Longest value in a message.
const QUOTED: usize = 60;

/// A field that the API did not keep as it was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Names that lead to it: `email`, `address.city`, `customFields[goal]`.
    pub field: String,
    /// The value that was sent.
    pub sent: Value,
    /// The value that the answer shows; null where it shows none.
    pub got: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Value| shortened(value.clone(), QUOTED).to_string();
        match &self.got {
            Value::Null => write!(f, "`{}` was sent as {} and is not there", self.field, text(&self.sent)),
            got => write!(f, "`{}` was sent as {} and is {}", self.field, text(&self.sent), text(got)),
        }
    }
}
