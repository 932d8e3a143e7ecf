//! Shortened values for display.

use super::Value;

/// `value` with each text cut to `most` characters and `…`.
pub fn shortened(value: Value, most: usize) -> Value {
    match value {
        Value::String(text) => Value::String(match text.char_indices().nth(most) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }),
        Value::Array(items) => items.into_iter().map(|item| shortened(item, most)).collect(),
        Value::Object(map) => map.into_iter().map(|(name, value)| (name, shortened(value, most))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_cut_wherever_they_stand() {
        let value = json!({ "a": ["äöüß", 1, null], "b": { "c": "äö" } });
        assert_eq!(shortened(value, 2), json!({ "a": ["äö…", 1, null], "b": { "c": "äö" } }));
    }
}
