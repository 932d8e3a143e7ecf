//! Missing OAuth scopes: which ones the operation needs, and which ones the API asks for.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use serde_json::Value;

use super::error_message::advice;
use super::{Outcome, Received, Refusal};
use crate::catalog::{Connector, ErrorAnswers};
use crate::printable;

/// Maximum length, in characters, of the scopes that an API asks for in a message.
const MAX_LENGTH: usize = 200;

/// An answer's statement about scopes according to RFC 6750, in a header or in fields of the body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ScopeChallenge {
    is_insufficient: bool,
    asked_for: Option<String>,
}

impl ScopeChallenge {
    /// Reads the statement from `received`.
    pub(super) fn from_received(received: &Received) -> Self {
        match received {
            Received::Answer { status: 401 | 403, headers, body, .. } => {
                Self::in_headers(headers).or_else(|| Self::in_body(body)).unwrap_or_default()
            }
            _ => Self::default(),
        }
    }

    fn in_headers(headers: &HeaderMap) -> Option<Self> {
        let challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        challenges
            .into_iter()
            .find(|text| text.contains("insufficient_scope"))
            .map(|challenge| Self { is_insufficient: true, asked_for: parameter(challenge, "scope") })
    }

    fn in_body(body: &Value) -> Option<Self> {
        let error = body.get("error").or_else(|| body.get("code"))?;
        (error == "insufficient_scope").then(|| Self {
            is_insufficient: true,
            asked_for: body.get("scope").and_then(Value::as_str).map(str::to_owned),
        })
    }
}

/// A parameter of a challenge: `scope="a b"` or `scope=a`.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let at = challenge.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = challenge[..*at].chars().next_back();
        before.is_none_or(|before| matches!(before, ' ' | ','))
            && challenge[at + name.len()..].starts_with('=')
    })?;
    let value = &challenge[at + name.len() + 1..];
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split([',', ' ']).next(),
    };
    value.map(str::to_owned).filter(|value| !value.is_empty())
}

/// `outcome` with the known scopes added where a missing scope may be the reason; the operation needs the scopes
/// `needed`. A missing scope is no reason to put the whole connection on hold.
pub(super) fn name_scopes(
    outcome: Outcome,
    needed: &[String],
    demand: &ScopeChallenge,
    connector: Option<&Connector>,
) -> Outcome {
    let none = ErrorAnswers::default();
    let errors = connector.map_or(&none, |connector| &connector.errors);
    match outcome {
        Outcome::Refused(refusal) if is_about_scopes(&refusal, demand, errors) => {
            Outcome::Refused(with_scopes(refusal, needed, demand))
        }
        Outcome::Unauthorized { refusal, .. } if demand.is_insufficient => {
            Outcome::Refused(with_scopes(refusal, needed, demand))
        }
        Outcome::Unauthorized { refusal, wait, reason } if is_about_scopes(&refusal, demand, errors) => {
            let reason = format!("{reason}{}", scope_message(&reason, needed, demand));
            Outcome::Unauthorized { refusal: with_scopes(refusal, needed, demand), wait, reason }
        }
        other => other,
    }
}

/// Whether a missing scope may be the reason: the answer says so, or it is a 403 without more specific advice in the
/// catalog.
fn is_about_scopes(refusal: &Refusal, demand: &ScopeChallenge, errors: &ErrorAnswers) -> bool {
    let says_so = demand.is_insufficient || refusal.message.to_lowercase().contains("scope");
    match refusal.status {
        Some(401) => says_so,
        Some(403) => {
            says_so || advice(errors, 403, &refusal.message).is_none_or(|advice| advice.contains.is_none())
        }
        _ => false,
    }
}

fn with_scopes(mut refusal: Refusal, needed: &[String], demand: &ScopeChallenge) -> Refusal {
    let words = scope_message(&refusal.message, needed, demand);
    refusal.message.push_str(&words);
    refusal
}

/// The text to append to `message`.
fn scope_message(message: &str, needed: &[String], demand: &ScopeChallenge) -> String {
    let mut words = String::new();
    if !needed.is_empty() {
        words = format!("; the operation needs {}", list(needed.iter().map(String::as_str)));
    }
    if let Some(asked_for) = &demand.asked_for {
        let asked_for = printable::line(asked_for, MAX_LENGTH);
        let is_new = |scope: &&str| !needed.iter().any(|known| known == scope) && !message.contains(*scope);
        if asked_for.split(' ').any(|scope| is_new(&scope)) {
            words = format!("{words}; the API asks for {}", list(asked_for.split(' ')));
        }
    }
    words
}

fn list<'a>(scopes: impl Iterator<Item = &'a str>) -> String {
    let scopes: Vec<String> = scopes.map(|scope| format!("`{scope}`")).collect();
    let word = if scopes.len() == 1 { "the scope" } else { "the scopes" };
    format!("{word} {}", scopes.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Effect};
    use crate::request::{Expected, Form, classify};
    use chrono::DateTime;
    use serde_json::json;

    /// The final message, and whether the connection is on hold.
    fn said(connector: Option<&str>, status: u16, challenge: &str, body: Value) -> (String, bool) {
        let catalog = Catalog::built_in();
        let connector = connector.map(|name| catalog.connector(name).unwrap());
        let mut headers = HeaderMap::new();
        if !challenge.is_empty() {
            headers.insert(WWW_AUTHENTICATE, challenge.parse().unwrap());
        }
        let received = Received::Answer { status, headers, form: Form::Json, body, at: DateTime::UNIX_EPOCH };
        let demand = ScopeChallenge::from_received(&received);
        let connector = connector.map(AsRef::as_ref);
        let outcome = classify(Effect::Read, &Expected::default(), connector, received);
        match name_scopes(outcome, &["contacts.write".into()], &demand, connector) {
            Outcome::Refused(refusal) => (refusal.message, false),
            Outcome::Unauthorized { reason, .. } => (reason, true),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_missing_scope_is_named_by_operation_and_api() {
        let needs = "; the operation needs the scope `contacts.write`";
        let message = |text: &str| json!({ "message": text });
        for (connector, status, challenge, body, wanted) in [
            (
                Some("highlevel"),
                401,
                "",
                message("The token is not authorized for this scope."),
                format!("401 Unauthorized: The token is not authorized for this scope.{needs}"),
            ),
            (
                Some("highlevel"),
                403,
                "",
                message("Forbidden resource"),
                format!("403 Forbidden: Forbidden resource{needs}"),
            ),
            (
                None,
                403,
                "",
                message("Missing scope: crm.read"),
                format!("403 Forbidden: Missing scope: crm.read{needs}"),
            ),
            (
                None,
                403,
                "Bearer realm=\"x\", error=\"insufficient_scope\", scope=\"crm.read crm.write\"",
                json!(null),
                format!(
                    "403 Forbidden: no reason given{needs}; the API asks for the scopes `crm.read`, `crm.write`"
                ),
            ),
            (
                Some("fitr"),
                401,
                "Bearer error=\"insufficient_scope\", scope=contacts.write",
                message("no"),
                format!("401 Unauthorized: no{needs}"),
            ),
            (
                None,
                403,
                "",
                json!({ "error": "insufficient_scope", "scope": "crm\u{1b}[31m" }),
                format!(
                    "403 Forbidden: insufficient_scope{needs}; the API asks for the scope `crm\\u{{1b}}[31m`"
                ),
            ),
        ] {
            assert_eq!(said(connector, status, challenge, body), (wanted, false), "{status} {challenge}");
        }
    }

    #[test]
    fn another_reason_is_left_alone() {
        for (status, text) in [(403, "The token does not have access to this location"), (404, "no scope")] {
            let (message, _) = said(Some("highlevel"), status, "", json!({ "message": text }));
            assert!(!message.contains("needs"), "{message}");
        }
        let (reason, held) = said(Some("highlevel"), 401, "", json!({ "message": "Invalid JWT" }));
        assert!(held && !reason.contains("needs"), "{reason}");
    }
}
