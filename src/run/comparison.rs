//! `event.changed` and `event.before`.

use std::sync::Arc;

use crate::value::Value;

/// Name below `event` of the list of fields that changed.
pub const CHANGED: &str = "changed";
/// Name below `event` of the record as it was seen before.
pub const BEFORE: &str = "before";

/// How a record differs from what was seen of it before.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Names of the fields that differ, with dots below mappings. All of them where it was never seen before.
    pub changed: Vec<String>,
    /// The record as it was seen before; null where it never was.
    pub before: Arc<Value>,
}

impl Comparison {
    /// Puts it below `event`, unless the event has such fields of its own.
    pub fn add_to(&self, event: &mut Value) {
        let Value::Object(event) = event else { return };
        event.entry(CHANGED).or_insert_with(|| self.changed.clone().into());
        event.entry(BEFORE).or_insert_with(|| Value::clone(&self.before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_of_the_event_itself_stay() {
        let comparison = Comparison { changed: vec!["a".into()], before: Arc::new(json!({ "a": 1 })) };
        let mut event = json!({ "a": 2, "changed": "yesterday" });
        comparison.add_to(&mut event);
        assert_eq!(event, json!({ "a": 2, "changed": "yesterday", "before": { "a": 1 } }));
    }
}
