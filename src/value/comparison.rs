//! Compares values: with what is expected of them, or with what they were before.

use serde::Serialize;
use serde_json::Value;

/// A place where a value differs from what is expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The keys and indexes that lead there, such as `customFields[0].value`; empty for the whole value.
    pub path: String,
    /// The expected value; none if there must be nothing.
    pub expected: Option<Value>,
    /// The value; none if there is nothing.
    pub found: Option<Value>,
}

/// Where `found` differs from `expected`. Fields of mappings that `expected` does not list are not compared, unless
/// `exact`; lists must be equal in length and order.
pub fn differences(expected: &Value, found: &Value, exact: bool) -> Vec<Difference> {
    let mut all = Vec::new();
    compare("", Some(expected), Some(found), Style { exact, whole_lists: false }, &mut all);
    all
}

/// Where `after` differs from `before`. Of two lists of equally many mappings the members are compared; others are told
/// as a whole, because a member that is gone would shift the others.
pub fn changes(before: &Value, after: &Value) -> Vec<Difference> {
    let mut all = Vec::new();
    compare("", Some(before), Some(after), Style { exact: true, whole_lists: true }, &mut all);
    all
}

/// What counts as a difference, and how lists are told.
#[derive(Clone, Copy)]
struct Style {
    exact: bool,
    whole_lists: bool,
}

impl Style {
    fn goes_into(self, one: &[Value], other: &[Value]) -> bool {
        let are_mappings = || one.iter().chain(other).all(Value::is_object);
        !self.whole_lists || one.len() == other.len() && are_mappings()
    }
}

fn compare(
    path: &str,
    expected: Option<&Value>,
    found: Option<&Value>,
    style: Style,
    all: &mut Vec<Difference>,
) {
    match (expected, found) {
        (Some(Value::Object(wanted)), Some(Value::Object(given))) => {
            for (key, value) in wanted {
                compare(&inner(path, key), Some(value), given.get(key), style, all);
            }
            for (key, value) in given.iter().filter(|(key, _)| style.exact && !wanted.contains_key(*key)) {
                compare(&inner(path, key), None, Some(value), style, all);
            }
        }
        (Some(Value::Array(wanted)), Some(Value::Array(given))) if style.goes_into(wanted, given) => {
            for at in 0..wanted.len().max(given.len()) {
                compare(&format!("{path}[{at}]"), wanted.get(at), given.get(at), style, all);
            }
        }
        (Some(wanted), Some(given)) if is_same(wanted, given) => {}
        (expected, found) => {
            all.push(Difference { path: path.to_owned(), expected: expected.cloned(), found: found.cloned() })
        }
    }
}

fn inner(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Whether two values are equal; `1` and `1.0` are.
fn is_same(a: &Value, b: &Value) -> bool {
    a == b || matches!((a, b), (Value::Number(_), Value::Number(_)) if a.as_f64() == b.as_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_in_full_and_mappings_as_far_as_expected() {
        let paths = |expected: Value, found: Value, exact| -> Vec<String> {
            differences(&expected, &found, exact).into_iter().map(|difference| difference.path).collect()
        };
        let sent = json!({ "a": 1, "b": { "c": "x", "d": [1, { "e": 2, "f": 3 }] } });
        assert!(paths(json!({ "b": { "d": [1.0, { "e": 2 }] } }), sent.clone(), false).is_empty());
        assert_eq!(paths(json!({ "b": { "d": [1] }, "z": null }), sent.clone(), false), ["b.d[1]", "z"]);
        assert_eq!(paths(json!({ "a": 1, "b": { "c": "x" } }), sent.clone(), true), ["b.d"]);
        assert_eq!(paths(json!({ "a": "1" }), sent, false), ["a"], "a text is no number");
    }

    #[test]
    fn changes_tell_lists_as_a_whole() {
        let before = json!({ "tags": ["a", "b"], "fields": [{ "id": "x", "value": 1 }], "gone": 1 });
        let after = json!({ "tags": ["b"], "fields": [{ "id": "x", "value": 2 }], "new": null });
        let told = changes(&before, &after);
        let paths: Vec<&str> = told.iter().map(|difference| difference.path.as_str()).collect();
        assert_eq!(paths, ["tags", "fields[0].value", "gone", "new"]);
        assert_eq!(told[0].found, Some(json!(["b"])));
        assert!(changes(&before, &before).is_empty());
    }
}
