//! The path of a request: each `{name}` is replaced by a percent-encoded value.

use serde_json::Value;

use super::InputProblem;
use crate::catalog::PathTemplate;
use crate::value::address;

/// `template` with each `{name}` replaced by what `value` returns for the wire name.
pub(super) fn fill(
    template: &PathTemplate,
    value: impl Fn(&str) -> Option<(String, Value)>,
) -> Result<String, InputProblem> {
    template.fill(|name| match value(name) {
        Some((input, value)) => segment(&input, &value),
        None => Err(InputProblem::missing(&[], name, None)),
    })
}

fn segment(input: &str, value: &Value) -> Result<String, InputProblem> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => {
            let message = format!("`{input}` is part of the path and must be text or a number");
            return Err(InputProblem::new(input, message));
        }
    };
    address::segment(&text).map_err(|reason| InputProblem::new(input, format!("`{input}` {reason}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled(value: Value) -> Result<String, InputProblem> {
        fill(&"/contacts/{id}/tasks/".to_owned().try_into().unwrap(), |name| {
            Some((name.to_owned(), value.clone()))
        })
    }

    #[test]
    fn encodes_what_would_change_the_path() {
        assert_eq!(filled(json!("a/b?c #%é+")).unwrap(), "/contacts/a%2Fb%3Fc%20%23%25%C3%A9%2B/tasks/");
        assert_eq!(filled(json!(7)).unwrap(), "/contacts/7/tasks/");
        for wrong in [json!(""), json!(" "), json!("%20"), json!(".."), json!("."), json!(null), json!([1])] {
            assert!(filled(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
