//! Turns an API's error answer into a message for people.

use serde_json::Value;

use super::Refusal;
use crate::catalog::{Advice, ErrorAnswers, ErrorMeaning, path};
use crate::value::id;

/// Maximum length of an API's message, in characters.
const MAX_MESSAGE: usize = 1000;
/// Maximum number of texts in a list that are joined into one message.
const MAX_TEXTS: usize = 20;
/// Maximum length, in characters, of text from an answer without the expected error format.
const MAX_LENGTH: usize = 300;

/// The refusal that an error answer describes, with the catalog's advice, and the meaning that the catalog assigns.
/// Both come from one entry, so that the advice agrees with what hob does.
pub(super) fn error_message(
    errors: &ErrorAnswers,
    status: u16,
    body: &Value,
) -> (Refusal, Option<ErrorMeaning>) {
    let said =
        errors.message.iter().filter_map(|at| path::read(body, at)).find_map(|value| message_text(&value));
    let message = said.or_else(|| text_anywhere(body)).unwrap_or_else(|| "no reason given".into());
    let trace = errors.trace.as_ref().and_then(|at| path::read(body, at)).and_then(|id| message_text(&id));
    let trace = trace.map(|id| format!(" (trace {id})")).unwrap_or_default();
    let advice = advice(errors, status, &message);
    let name = reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let name = name.map(|name| format!(" {name}")).unwrap_or_default();
    let refusal = Refusal {
        status: Some(status),
        message: format!("{status}{name}: {message}{trace}"),
        help: advice.map(|advice| advice.help.clone()),
        gone: false,
        existing: errors.existing.iter().find_map(|at| id(&path::read(body, at)?)),
    };
    (refusal, advice.and_then(|advice| advice.means))
}

/// The catalog's advice for an answer with this status and message.
pub(super) fn advice<'a>(errors: &'a ErrorAnswers, status: u16, message: &str) -> Option<&'a Advice> {
    let message = message.to_lowercase();
    let fits = |advice: &&Advice| {
        advice.status.is_none_or(|wanted| wanted == status)
            && advice.contains.as_ref().is_none_or(|words| message.contains(&words.to_lowercase()))
            && (advice.status.is_some() || advice.contains.is_some())
    };
    // Advice that matches the text is more specific than advice that matches only the status.
    let closer = |advice: &&Advice| (advice.contains.is_some(), advice.status.is_some());
    // Among equals, the first wins.
    errors.advice.iter().rev().filter(fits).max_by_key(closer)
}

/// The message in a value that is text, a list of texts or a nested value.
fn message_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(short(text.trim(), MAX_MESSAGE)).filter(|text| !text.is_empty()),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().filter_map(message_text).take(MAX_TEXTS).collect();
            (!texts.is_empty()).then(|| short(&texts.join("; "), MAX_MESSAGE))
        }
        other => Some(short(&other.to_string(), MAX_LENGTH)),
    }
}

fn text_anywhere(body: &Value) -> Option<String> {
    match body {
        Value::Null => None,
        Value::String(text) => message_text(body).map(|_| short(text.trim(), MAX_LENGTH)),
        Value::Object(map) => ["message", "error_description", "error", "detail", "title"]
            .into_iter()
            .find_map(|name| map.get(name).and_then(message_text))
            .or_else(|| Some(short(&body.to_string(), MAX_LENGTH))),
        other => Some(short(&other.to_string(), MAX_LENGTH)),
    }
}

fn short(text: &str, longest: usize) -> String {
    let mut short: String = text.chars().take(longest).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn explained(status: u16, body: Value) -> Refusal {
        let errors: ErrorAnswers = serde_yaml::from_str(
            "message: [$.message]\ntrace: $.traceId\nadvice:\n- { status: 403, help: wrong account }\n\
             - { contains: should not exist, help: remove it }\n- { status: 422, help: look again }",
        )
        .unwrap();
        error_message(&errors, status, &body).0
    }

    #[test]
    fn messages_of_every_form() {
        let cases = [
            (
                422,
                json!({ "message": ["property x should not exist", "y must be text"], "traceId": "t-1" }),
                "422 Unprocessable Entity: property x should not exist; y must be text (trace t-1)",
            ),
            (400, json!({ "message": "no duplicates" }), "400 Bad Request: no duplicates"),
            (404, json!({ "error": { "code": 7 } }), "404 Not Found: {\"code\":7}"),
            (404, json!(null), "404 Not Found: no reason given"),
            (418, json!("short and stout"), "418 I'm a teapot: short and stout"),
        ];
        for (status, body, expected) in cases {
            assert_eq!(explained(status, body).message, expected);
        }
    }

    #[test]
    fn the_closest_advice_wins() {
        assert_eq!(explained(403, json!({ "message": "x" })).help.as_deref(), Some("wrong account"));
        let specific = explained(422, json!({ "message": ["property x Should not exist"] }));
        assert_eq!(specific.help.as_deref(), Some("remove it"));
        assert_eq!(explained(400, json!({ "message": "x" })).help, None);
    }
}
