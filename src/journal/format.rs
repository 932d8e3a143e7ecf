//! The stored form of entries: one JSON text each, tagged with its format number.

use serde::{Deserialize, Serialize};

use crate::run::StampedEntry;

/// The format written by this version.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    #[serde(flatten)]
    entry: &'a StampedEntry,
}

#[derive(Deserialize)]
struct Tag {
    v: u32,
}

/// Why an entry cannot be encoded or decoded.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// Its format is newer than this version knows.
    #[error("an entry has format {found}, but this hob knows formats up to {FORMAT}; use a newer hob")]
    Newer {
        /// Its format.
        found: u32,
    },
    /// It is not an entry.
    #[error("an entry is not understood: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// The text of an entry, in the current format.
pub fn write_entry(entry: &StampedEntry) -> Result<String, EntryError> {
    Ok(serde_json::to_string(&Written { v: FORMAT, entry })?)
}

/// Parses the text of an entry in any format up to the current one.
pub fn read_entry(text: &str) -> Result<StampedEntry, EntryError> {
    serde_json::from_str(text).map_err(|error| match serde_json::from_str::<Tag>(text) {
        Ok(Tag { v }) if v > FORMAT => EntryError::Newer { found: v },
        _ => EntryError::Unreadable(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_a_later_format_differs_from_an_invalid_one() {
        let later = read_entry(r#"{"v":2,"at":"2026-01-01T00:00:00Z","entry":"unheard_of"}"#);
        assert_eq!(
            later.unwrap_err().to_string(),
            "an entry has format 2, but this hob knows formats up to 1; use a newer hob"
        );
        assert!(matches!(read_entry(r#"{"v":1}"#), Err(EntryError::Unreadable(_))));
        assert!(matches!(read_entry("nonsense"), Err(EntryError::Unreadable(_))));
    }
}
