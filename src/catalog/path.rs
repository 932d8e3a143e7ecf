//! JSONPath in the catalog: reading a place in an answer, and the corresponding shape.

use jsonpath_rust::JsonPath;
use serde_json::Value;

use crate::value::{Shape, Step, unparsed_json_path};

/// The value at `path` in `answer`: a list for a path with a wildcard such as `[*]`, otherwise a single value. `None`
/// if there is nothing or the path is invalid.
pub fn read(answer: &Value, path: &str) -> Option<Value> {
    if path == "$" {
        return Some(answer.clone());
    }
    if unparsed_json_path(path).is_some() {
        return None;
    }
    let found = answer.query(path).ok()?;
    if is_list(path) {
        // The query finds nothing in an empty list: check that its parent exists.
        if found.is_empty() {
            return list_parent(path)
                .and_then(|parent| read(answer, parent))
                .filter(Value::is_array)
                .map(|_| Value::Array(vec![]));
        }
        return Some(Value::Array(found.into_iter().cloned().collect()));
    }
    found.into_iter().next().cloned()
}

/// The first value other than null at one of `paths`; the whole answer if `paths` is empty.
pub fn read_first(answer: &Value, paths: &[String]) -> Option<Value> {
    if paths.is_empty() {
        return Some(answer.clone());
    }
    paths.iter().filter_map(|path| read(answer, path)).find(|value| !value.is_null())
}

/// The items at the first of `paths` that has some. If a path requires a list, as with `[*]`, an object there does
/// not count: JSONPath would take its fields for items.
pub fn read_items(answer: &Value, paths: &[String]) -> Option<Value> {
    let fits = |path: &String| match list_parent(path) {
        Some(parent) => read(answer, parent).filter(Value::is_array),
        None => read(answer, path),
    };
    if paths.is_empty() {
        return Some(answer.clone());
    }
    paths.iter().filter_map(fits).find(|value| !value.is_null())
}

/// Moves the value at `path` out of `answer`; returns `answer` itself if the path does not consist of plain names, or
/// leads to nothing or null.
pub fn take(mut answer: Value, path: &str) -> Result<Value, Value> {
    let place = list_parent(path).unwrap_or(path);
    let found = pointer(place).and_then(|pointer| answer.pointer_mut(&pointer));
    match found.filter(|found| !found.is_null() && (found.is_array() || place == path)) {
        Some(found) => Ok(found.take()),
        None => Err(answer),
    }
}

/// The JSON pointer (RFC 6901) for a path of plain names.
pub fn pointer(path: &str) -> Option<String> {
    let rest = path.strip_prefix('$')?;
    let mut pointer = String::new();
    for name in rest.split('.').skip(1) {
        let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if !plain {
            return None;
        }
        pointer.push('/');
        pointer.push_str(name);
    }
    (rest.is_empty() || rest.starts_with('.')).then_some(pointer)
}

/// Whether the path yields a list of matches.
pub fn is_list(path: &str) -> bool {
    path.contains('*') || path.contains("..") || path.contains('?')
}

/// Checks that `path` is a well-formed JSONPath; the error is the parser's.
pub fn check(path: &str) -> Result<(), String> {
    if let Some(reason) = unparsed_json_path(path) {
        return Err(reason);
    }
    jsonpath_rust::parser::parse_json_path(path).map(|_| ()).map_err(|e| e.to_string())
}

/// Whether `path` leads through every field of a mapping (`$.*.slots[*]`) that has none to lead through: single values
/// aside, it is empty.
pub fn has_no_entries(answer: &Value, path: &str) -> bool {
    let fields = answer.as_object().filter(|_| path.starts_with("$.*."));
    fields.is_some_and(|fields| fields.values().all(|value| !value.is_object() && !value.is_array()))
}

fn list_parent(path: &str) -> Option<&str> {
    path.strip_suffix("[*]").filter(|parent| !is_list(parent))
}

/// The shape at `path`, for paths with names, `.*` and `[*]`.
pub fn walk<'a>(shape: &'a Shape, path: &str) -> Option<&'a Shape> {
    let mut at = shape;
    for part in path.strip_prefix('$')?.replace("[*]", ".[").split('.').filter(|p| !p.is_empty()) {
        at = match part {
            "[" => at.step(&Step::Item).ok()??,
            "*" => at.entries.as_deref()?,
            name => at.step(&Step::Field(name.to_owned())).ok()??,
        };
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_lists_objects_and_nothing() {
        let answer = json!({ "contacts": [{ "id": "a" }, { "id": "b" }], "none": [], "contact": null });
        assert_eq!(read(&answer, "$.contacts[*]"), Some(json!([{ "id": "a" }, { "id": "b" }])));
        assert_eq!(read(&answer, "$.none[*]"), Some(json!([])));
        assert_eq!(read(&answer, "$.absent[*]"), None);
        assert_eq!(read_first(&answer, &["$.contact".into(), "$.contacts[0].id".into()]), Some(json!("a")));
    }

    #[test]
    fn accepted_files_are_the_opened_files() {
        let answer = json!({ "a": { "list": [1, 2] }, "map": { "x": 1 }, "null": null });
        for path in ["$", "$.a.list", "$.a.list[*]", "$.map", "$.map.x"] {
            assert_eq!(take(answer.clone(), path).ok(), read(&answer, path), "{path}");
        }
        for path in ["$.map[*]", "$.null", "$.none", "$.a.list[0]", "$..x"] {
            assert_eq!(take(answer.clone(), path), Err(answer.clone()), "{path}");
        }
    }

    #[test]
    fn items_stand_in_a_list() {
        let answer = json!({ "a": [1], "b": { "c": [2] }, "d": [], "m": { "x": 1 } });
        let items = |path: &str| read_items(&answer, &[path.to_owned()]);
        assert_eq!(items("$.a[*]"), Some(json!([1])));
        assert_eq!(items("$.b.c[*]"), Some(json!([2])));
        assert_eq!(items("$.d[*]"), Some(json!([])));
        assert_eq!(items("$.m"), Some(json!({ "x": 1 })));
        for none in ["$[*]", "$.m[*]", "$.b[*]", "$.none[*]"] {
            assert_eq!(items(none), None, "{none}");
        }
    }

    #[test]
    fn a_mapping_without_entries_is_told_from_one_of_others() {
        let path = "$.*.slots[*]";
        assert!(has_no_entries(&json!({}), path));
        assert!(has_no_entries(&json!({ "traceId": "x" }), path));
        assert!(!has_no_entries(&json!({ "2026-05-04": { "slots": [] } }), path));
        assert!(!has_no_entries(&json!({}), "$.slots[*]"));
    }

    #[test]
    fn plain_paths_have_pointers() {
        let pointers = ["$", "$.a", "$.a.b_c", "$.a[0]", "$..a", "a.b"].map(pointer);
        let expected = [Some(""), Some("/a"), Some("/a/b_c"), None, None, None];
        assert_eq!(pointers.each_ref().map(Option::as_deref), expected);
    }

    #[test]
    fn says_when_a_path_is_none() {
        assert!(check("$.a[*].b").is_ok());
        assert!(check("$.a[").is_err());
    }

    #[test]
    fn walks_a_shape_like_an_answer() {
        let shape: Shape = serde_yaml::from_str(
            "type: object\nfields: { list: { type: array, items: { type: object, fields: { id: { type: string } } } } }",
        )
        .unwrap();
        assert_eq!(walk(&shape, "$.list[*].id").unwrap().describe(), "text");
        assert!(walk(&shape, "$.other").is_none());
    }
}
