//! Values of inputs that people type.

use serde_json::Value;

use crate::value::{Kind, Shape, read_json_text};

/// A typed text, converted to `shape`. Invalid values are left to the check of the inputs, which has better messages.
pub fn input_from_text(text: &str, shape: &Shape) -> Result<Value, String> {
    let text_fits = shape.any_of.iter().any(|shape| shape.kind == Kind::String);
    match shape.kind {
        Kind::String => Ok(Value::from(text)),
        Kind::Any if text_fits => Ok(Value::from(text)),
        Kind::Any => Ok(read_json_text(text).unwrap_or_else(|_| Value::from(text))),
        Kind::Integer | Kind::Number | Kind::Boolean => {
            Ok(read_json_text(text).unwrap_or_else(|_| Value::from(text)))
        }
        Kind::Object => read_json_text(text).map_err(|error| format!("takes a JSON object ({error})")),
        Kind::Array if text.trim_start().starts_with('[') => {
            read_json_text(text).map_err(|error| format!("takes a JSON list ({error})"))
        }
        Kind::Array => {
            let item = shape.items.as_deref().cloned().unwrap_or_default();
            text.split(',').map(|part| input_from_text(part.trim(), &item)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shape(yaml: &str) -> Shape {
        serde_yaml::from_str(yaml).expect("a shape")
    }

    #[test]
    fn values_are_read_as_they_are_wanted() {
        let text = shape("{ type: string }");
        assert_eq!(input_from_text("007", &text), Ok(json!("007")));
        assert_eq!(input_from_text("5", &shape("{ type: integer }")), Ok(json!(5)));
        assert_eq!(input_from_text("true", &shape("{ type: boolean }")), Ok(json!(true)));
        assert_eq!(input_from_text("many", &shape("{ type: integer }")), Ok(json!("many")));
        let list = shape("{ type: array, items: { type: string } }");
        assert_eq!(input_from_text("a, b", &list), Ok(json!(["a", "b"])));
        assert_eq!(input_from_text("[\"a,b\"]", &list), Ok(json!(["a,b"])));
        assert!(input_from_text("{", &shape("{ type: object }")).is_err());
        assert_eq!(input_from_text("[1]", &shape("{}")), Ok(json!([1])));
    }
}
