//! Ids of records, bounded so that every store can index them.

use sha2::{Digest, Sha256};

use super::Value;

/// The longest id that is stored unchanged, in bytes.
const MAX_LENGTH: usize = 512;
/// Bytes kept of a longer id, before its hash.
const BEGINNING: usize = 400;

/// The id in `value`: a non-empty text or a number.
pub fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(short_id(text.clone())),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `id`, or its abbreviation with a hash if very long.
pub fn short_id(id: String) -> String {
    if id.len() <= MAX_LENGTH {
        return id;
    }
    let hash = hex::encode(Sha256::digest(&id));
    format!("{}…{hash}", &id[..id.floor_char_boundary(BEGINNING)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_texts_and_numbers() {
        assert_eq!(id(&json!("a")).as_deref(), Some("a"));
        assert_eq!(id(&json!(7)).as_deref(), Some("7"));
        for none in [json!(""), json!(null), json!({}), json!(true)] {
            assert_eq!(id(&none), None);
        }
    }

    #[test]
    fn long_ones_are_shortened_and_still_differ() {
        let (one, other) = ("ü".repeat(5_000), format!("{}x", "ü".repeat(5_000)));
        let (short, shorter) = (short_id(one.clone()), short_id(other));
        assert!(short.len() <= MAX_LENGTH && short != shorter);
        assert_eq!(short, short_id(one));
        assert_eq!(short_id(short.clone()), short, "once is enough");
    }
}
