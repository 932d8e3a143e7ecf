//! The query string: lists in the parameter's style, everything else as text.

use serde_json::Value;

use crate::catalog::ArrayStyle;
use crate::value::address::encoded as encode;

/// Appends `name` with `value` to the query's pairs.
pub(super) fn push(pairs: &mut Vec<String>, name: &str, value: &Value, style: ArrayStyle) {
    let mut pair = |name: &str, value: &str| pairs.push(format!("{}={value}", encode(name)));
    match value {
        Value::Null => {}
        Value::Array(items) => match style {
            ArrayStyle::Comma => {
                let items: Vec<String> = items.iter().map(|item| encode(&text(item))).collect();
                pair(name, &items.join(","));
            }
            ArrayStyle::Repeat => items.iter().for_each(|item| pair(name, &encode(&text(item)))),
            ArrayStyle::Brackets => {
                let name = format!("{name}[]");
                items.iter().for_each(|item| pair(&name, &encode(&text(item))));
            }
        },
        other => pair(name, &encode(&text(other))),
    }
}

/// A value as text: a string as it is, anything else as JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn writes_every_kind_of_value() {
        let cases = [
            (json!("+44 7"), ArrayStyle::Repeat, "q=%2B44%207"),
            (json!(true), ArrayStyle::Repeat, "q=true"),
            (json!(1.5), ArrayStyle::Repeat, "q=1.5"),
            (json!(null), ArrayStyle::Repeat, ""),
            (json!(["a,b", 2]), ArrayStyle::Repeat, "q=a%2Cb&q=2"),
            (json!(["a,b", 2]), ArrayStyle::Comma, "q=a%2Cb,2"),
            (json!(["a"]), ArrayStyle::Brackets, "q%5B%5D=a"),
            (json!({ "a": 1 }), ArrayStyle::Repeat, "q=%7B%22a%22%3A1%7D"),
        ];
        for (value, style, expected) in cases {
            let mut pairs = Vec::new();
            push(&mut pairs, "q", &value, style);
            assert_eq!(pairs.join("&"), expected, "{value}");
        }
    }
}
