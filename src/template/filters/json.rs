//! JSON text and JSONPath.

use jsonpath_rust::parser::model::{JpQuery, Segment, Selector};
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use minijinja::value::{Value as Datum, ValueKind};
use minijinja::{Error, State};
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::PrettyFormatter;

use super::input;
use crate::template::convert::{from_json, to_json_charged};
use crate::template::error::refusal;
use crate::template::filter_type::{Gives, Takes};
use crate::template::spec::{Spec, own};
use crate::value::{Value, read_json_text, unparsed_json_path};

pub(super) const SPECS: [Spec; 3] = [
    own!(
        add_filter(tojson),
        "tojson(indent=none)",
        "The value as JSON text, on lines indented by so many spaces with `indent`.",
        ("{{ {'a': [1, none]} | tojson }}", r#""{\"a\":[1,null]}""#)
    ).typed(Takes::Anything, Gives::Text),
    own!(
        add_filter(fromjson),
        "fromjson",
        "The value that a JSON text stands for.",
        (r#"{{ ('{"a": [1, 2]}' | fromjson).a }}"#, "[1, 2]")
    ).typed(Takes::TextAlone, Gives::Anything),
    own!(
        add_filter(jsonpath),
        "jsonpath(path)",
        "What an RFC 9535 path finds: one value (or undefined) if the path can only lead to one, else a list.",
        (r#"{{ {'a': [{'b': 1}, {'b': 2}]} | jsonpath('$.a[*].b') }}"#, "[1, 2]")
    ).typed(Takes::Anything, Gives::Found),
];

/// Maximum indentation.
const MAX_WIDTH: usize = 16;

fn tojson(state: &State<'_, '_>, value: &Datum, indent: Option<Datum>) -> Result<String, Error> {
    let json = to_json_charged(state, value)?;
    let width = match indent {
        None => return Ok(json.to_string()),
        Some(flag) if flag.kind() == ValueKind::Bool => 2 * usize::from(flag.is_true()),
        Some(width) => width.as_usize().filter(|width| *width <= MAX_WIDTH).ok_or_else(|| {
            refusal(format!(
                "indents by a number of spaces from 0 to {MAX_WIDTH}, not by {}",
                input::describe(&width)
            ))
        })?,
    };
    if width == 0 {
        return Ok(json.to_string());
    }
    let mut text = Vec::new();
    let spaces = " ".repeat(width);
    let mut writer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(spaces.as_bytes()));
    json.serialize(&mut writer).map_err(|error| refusal(error.to_string()))?;
    state.consume_fuel((text.len() / 64) as u64)?;
    String::from_utf8(text).map_err(|error| refusal(error.to_string()))
}

/// Checks that `path` is a JSONPath.
pub(in crate::template) fn check_path(path: &str) -> Result<(), Error> {
    parsed(path).map(|_| ())
}

fn parsed(path: &str) -> Result<JpQuery, Error> {
    if let Some(reason) = unparsed_json_path(path) {
        return Err(refusal(format!("cannot read the path {:?}: {reason}", input::shortened(path))));
    }
    parse_json_path(path).map_err(|_| refusal(format!("cannot read the path {:?}", input::shortened(path))))
}

fn fromjson(state: &State<'_, '_>, value: &Datum) -> Result<Datum, Error> {
    let text = value.as_str().ok_or_else(|| input::unfit(value, "JSON text"))?;
    state.consume_fuel((text.len() / 8) as u64)?;
    let json = read_json_text(text)
        .map_err(|error| refusal(format!("cannot read {:?} as JSON: {error}", input::shortened(text))))?;
    Ok(from_json(&json))
}

fn jsonpath(state: &State<'_, '_>, value: &Datum, path: &str) -> Result<Datum, Error> {
    if value.is_undefined() {
        return Err(input::unfit(value, "a value"));
    }
    let json = to_json_charged(state, value)?;
    state.consume_fuel(path.len() as u64 * 20)?;
    let query = parsed(path)?;
    state.consume_fuel(work(&query.segments, parts(&json)))?;
    let found = js_path_process(&query, &json)
        .map_err(|error| refusal(format!("cannot follow the path {:?}: {error}", input::shortened(path))))?;
    state.consume_fuel(found.len() as u64)?;
    let mut found = found.into_iter().map(|found| from_json(found.val()));
    Ok(if leads_to_one(&query) { found.next().unwrap_or_default() } else { found.collect() })
}

/// The number of values in a value.
fn parts(json: &Value) -> u64 {
    1 + match json {
        Value::Array(items) => items.iter().map(parts).sum(),
        Value::Object(fields) => fields.values().map(parts).sum(),
        _ => 0,
    }
}

/// An upper bound of the values that a path visits: parallel selectors multiply, and a filter that visits many values
/// does so for every item.
fn work(segments: &[Segment], parts: u64) -> u64 {
    segments.iter().fold(parts, |work, segment| work.saturating_mul(branches(segment, parts)))
}

fn branches(segment: &Segment, parts: u64) -> u64 {
    match segment {
        Segment::Descendant(inner) => 4 * branches(inner, parts),
        Segment::Selector(selector) => looks(selector, parts),
        Segment::Selectors(selectors) => selectors.iter().map(|selector| looks(selector, parts)).sum(),
    }
}

fn looks(selector: &Selector, parts: u64) -> u64 {
    match selector {
        Selector::Filter(filter) => {
            let filter = filter.to_string();
            if ["*", "..", "$"].iter().any(|mark| filter.contains(mark)) { parts } else { 1 }
        }
        _ => 1,
    }
}

/// Whether the path consists of names and indexes only.
fn leads_to_one(query: &JpQuery) -> bool {
    query
        .segments
        .iter()
        .all(|segment| matches!(segment, Segment::Selector(Selector::Name(_) | Selector::Index(_))))
}

#[cfg(test)]
mod tests {
    use crate::template::testing::{failure, value};
    use serde_json::json;

    #[test]
    fn paths_to_one_and_to_many() {
        let event = json!({ "a": [{ "b": 1 }, { "b": 2, "c": 3 }], "x y": null });
        let find = |path: &str| {
            value(&format!("{{{{ event | jsonpath(\"{path}\") | default('nothing') }}}}"), event.clone())
        };
        assert_eq!(find("$.a[1].b"), json!(2));
        assert_eq!(find("$.a[?@.c].b"), json!([2]));
        assert_eq!(find("$..b"), json!([1, 2]));
        assert_eq!(find("$.nowhere"), json!("nothing"));
        assert_eq!(find("$.a[*].nowhere"), json!([]));
        assert_eq!(find("$['x y']"), json!("nothing"), "null counts as missing for default");
    }

    #[test]
    fn bad_paths_and_bad_json_are_refused() {
        assert!(failure("{{ event | jsonpath('$.[') }}", json!({})).message.contains("path \"$.[\""));
        assert!(failure("{{ '{' | fromjson }}", json!({})).message.contains("as JSON"));
        assert_eq!(
            failure("{{ event | jsonpath('$.x') }}", json!({})).kind,
            crate::template::ErrorKind::Undefined
        );
    }

    #[test]
    fn json_text_can_be_indented() {
        let shown = |indent: &str| value(&format!("{{{{ {{'a': [1]}} | tojson({indent}) }}}}"), json!({}));
        assert_eq!(shown("indent=1"), json!("{\n \"a\": [\n  1\n ]\n}"));
        assert_eq!(shown("true"), json!("{\n  \"a\": [\n    1\n  ]\n}"));
        assert_eq!(shown("0"), json!(r#"{"a":[1]}"#));
        failure("{{ 1 | tojson(100) }}", json!({}));
    }

    #[test]
    fn numbers_in_json_text_have_no_dust() {
        assert_eq!(value("{{ {'total': 19.9 * 100} | tojson }}", json!({})), json!(r#"{"total":1990}"#));
    }
}
