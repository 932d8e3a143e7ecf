//! A key of a path: a name or an index.

use crate::value::Value;

/// A key of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// `.name` or `["name"]`
    Name(String),
    /// `[0]`; negative from the end.
    Index(i64),
}

impl Key {
    pub(super) fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match (self, value) {
            (Key::Name(name), Value::Object(fields)) => fields.get(name),
            (Key::Index(index), Value::Array(items)) => {
                let from_end = index.checked_neg().and_then(|back| usize::try_from(back).ok());
                let at = match usize::try_from(*index) {
                    Ok(at) => at,
                    Err(_) => items.len().checked_sub(from_end?)?,
                };
                items.get(at)
            }
            _ => None,
        }
    }
}
