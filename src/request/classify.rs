//! Classifies what was received as an outcome. Pure; no other module makes this decision.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use serde_json::Value;

use super::error_message::error_message;
use super::{Answer, Expected, Form, HeldBy, Outcome, Refusal, retry_after};
use crate::catalog::{Connector, Effect, ErrorAnswers, ErrorMeaning, LimitHeaders};
use crate::connection::Rate;
use crate::printable::line;

/// Wait after a 429 when neither the answer nor the connector states an interval.
const PAUSE: Duration = Duration::from_secs(10);

/// Maximum length, in characters, of a header value quoted in a message.
const QUOTED: usize = 200;

/// The result of sending a request.
#[derive(Debug, Clone)]
pub enum Received {
    /// The server answered.
    Answer {
        /// HTTP status.
        status: u16,
        /// Headers.
        headers: HeaderMap,
        /// Form of the body.
        form: Form,
        /// JSON, otherwise text, otherwise null.
        body: Value,
        /// Time at which the answer was complete.
        at: DateTime<Utc>,
    },
    /// No complete answer was received.
    Lost {
        /// Whether the server may have received the request.
        sent: bool,
        /// Reason, for people.
        reason: String,
    },
    /// The request was not sent because its guard had closed.
    Late,
    /// The answer cannot be kept: it is too large, or the file cannot be written.
    Unusable {
        /// Reason, for people.
        reason: String,
    },
    /// The request cannot be sent, for example because a file cannot be read.
    Unsendable {
        /// Reason, for people.
        reason: String,
    },
}

/// The outcome of a request with this effect; `expected` describes a successful answer.
pub fn classify(
    effect: Effect,
    expected: &Expected,
    connector: Option<&Connector>,
    received: Received,
) -> Outcome {
    let none = ErrorAnswers::default();
    let errors = connector.map_or(&none, |connector| &connector.errors);
    let (status, headers, form, body, at) = match received {
        Received::Answer { status, headers, form, body, at } => (status, headers, form, body, at),
        Received::Late => {
            let reason = "hob was suspended for longer than it may hold a run, and sent nothing".to_owned();
            return Outcome::Held { wait: Duration::ZERO, reason, by: HeldBy::Suspension };
        }
        Received::Lost { sent: true, reason } | Received::Unusable { reason } if effect == Effect::Create => {
            return Outcome::InDoubt { reason, status: None };
        }
        Received::Lost { reason, sent } => {
            return Outcome::TryAgain { reason, status: None, retry_after: None, lost: sent };
        }
        Received::Unsendable { reason } | Received::Unusable { reason } => {
            return Outcome::Refused(Refusal::unsent(reason));
        }
    };
    if (200..=299).contains(&status) {
        return match expected.mismatch(form, &body) {
            None => Outcome::Ok(Answer { status, headers: answer_headers(&headers), body, received: at }),
            Some(mismatch) => unexpected(effect, status, &mismatch),
        };
    }
    let (mut refusal, said) = error_message(errors, status, &body);
    if let Some(to) = redirect(status, &headers) {
        refusal.message =
            format!("{status}: the server redirects to {}, and redirects are not followed", line(to, QUOTED));
        refusal.help = Some("correct the address".into());
    }
    let asked = retry_after::read(&headers, at);
    let again = |reason, lost| Outcome::TryAgain { reason, status: Some(status), retry_after: asked, lost };
    match said.unwrap_or_else(|| meaning(errors, status)) {
        ErrorMeaning::RateLimited => {
            Outcome::RateLimited { retry_after: asked.unwrap_or_else(|| pause(connector, &headers)) }
        }
        // Without a connection there is nothing to put on hold.
        ErrorMeaning::Unauthorized if connector.is_some() => {
            Outcome::Unauthorized { reason: hold_reason(&refusal), refusal, wait: Duration::ZERO }
        }
        ErrorMeaning::Unavailable | ErrorMeaning::InDoubt if effect == Effect::Create => {
            Outcome::InDoubt { reason: refusal.message, status: Some(status) }
        }
        ErrorMeaning::NotDone => again(refusal.message, false),
        ErrorMeaning::Unavailable => again(refusal.message, true),
        ErrorMeaning::Gone => Outcome::Refused(Refusal { gone: true, ..refusal }),
        ErrorMeaning::Refused | ErrorMeaning::Unauthorized | ErrorMeaning::InDoubt => {
            Outcome::Refused(refusal)
        }
    }
}

/// The outcome of a successful status whose answer is not what was expected: the effect is unknown.
fn unexpected(effect: Effect, status: u16, mismatch: &str) -> Outcome {
    let reason = format!("the answer ({status}) is not what the catalog says: {mismatch}");
    match effect {
        Effect::Create => Outcome::InDoubt { reason, status: Some(status) },
        Effect::Read | Effect::Idempotent => {
            Outcome::TryAgain { reason, status: Some(status), retry_after: None, lost: true }
        }
    }
}

/// The meaning of a status for which the catalog has no advice.
fn meaning(errors: &ErrorAnswers, status: u16) -> ErrorMeaning {
    match status {
        _ if errors.in_doubt.contains(&status) => ErrorMeaning::InDoubt,
        401 => ErrorMeaning::Unauthorized,
        429 => ErrorMeaning::RateLimited,
        // With these statuses the server did nothing: 425 refuses the request, 307 leaves it to another address.
        307 | 425 => ErrorMeaning::NotDone,
        // A redirect to another page: a login, a notice, or the page shown after a form was accepted.
        302 | 303 => ErrorMeaning::Unavailable,
        300 | 301 | 304 => ErrorMeaning::InDoubt,
        404 | 410 => ErrorMeaning::Gone,
        408 | 500..=599 => ErrorMeaning::Unavailable,
        _ => ErrorMeaning::Refused,
    }
}

/// The reason for putting a connection on hold, with the advice.
fn hold_reason(refusal: &Refusal) -> String {
    let help = refusal.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{}{help}", refusal.message)
}

fn redirect(status: u16, headers: &HeaderMap) -> Option<&str> {
    (300..=399).contains(&status).then(|| headers.get(LOCATION)?.to_str().ok())?
}

/// Pause when the server states none: until the daily budget is renewed, or one interval of the rate limit.
fn pause(connector: Option<&Connector>, headers: &HeaderMap) -> Duration {
    let none = LimitHeaders::default();
    let names = connector.map_or(&none, |connector| &connector.limits.headers);
    let number = |name: &Option<String>| -> Option<u64> {
        headers.get(name.as_deref()?)?.to_str().ok()?.trim().parse().ok()
    };
    if number(&names.daily_remaining) == Some(0)
        && let Some(reset) = number(&names.daily_reset_ms)
    {
        return Duration::from_millis(reset.min(86_400_000));
    }
    let known = || connector?.limits.burst.as_deref()?.parse::<Rate>().ok().map(|rate| rate.per);
    number(&names.interval_ms)
        .map(|ms| Duration::from_millis(ms.min(86_400_000)))
        .or_else(known)
        .unwrap_or(PAUSE)
}

fn answer_headers(headers: &HeaderMap) -> indexmap::IndexMap<String, String> {
    let mut shown = indexmap::IndexMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != SET_COOKIE) {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        shown
            .entry(name.as_str().to_owned())
            .and_modify(|known: &mut String| {
                known.push_str(", ");
                known.push_str(&value);
            })
            .or_insert(value);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderName;
    use serde_json::json;

    fn connector() -> Connector {
        serde_yaml::from_str(
            "connector: x\ntitle: X\nabout: X\nerrors: { message: [$.message], in_doubt: [422] }\n\
             limits: { burst: 100/7s, headers: { interval_ms: x-int, daily_remaining: x-left, daily_reset_ms: x-reset } }",
        )
        .unwrap()
    }

    fn kind(effect: Effect, status: u16) -> &'static str {
        let received = Received::Answer {
            status,
            headers: HeaderMap::new(),
            form: Form::Json,
            body: json!({ "message": "words" }),
            at: DateTime::UNIX_EPOCH,
        };
        name(&classify(effect, &Expected::default(), Some(&connector()), received))
    }

    fn name(outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Ok(_) => "ok",
            Outcome::RateLimited { .. } => "limited",
            Outcome::Held { .. } => "held",
            Outcome::TryAgain { .. } => "again",
            Outcome::Refused(_) => "refused",
            Outcome::InDoubt { .. } => "doubt",
            Outcome::Unauthorized { .. } => "unauthorized",
        }
    }

    const EFFECTS: [Effect; 3] = [Effect::Read, Effect::Idempotent, Effect::Create];

    #[test]
    fn by_status_and_effect() {
        let refused = [
            305, 308, 400, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418,
            421, 423, 424, 426, 428, 431, 451, 499,
        ];
        let unavailable = [
            302, 303, 408, 500, 501, 502, 503, 504, 505, 506, 507, 508, 509, 510, 511, 520, 521, 522, 523,
            524, 525, 526, 527, 530, 599,
        ];
        let others = [
            (200, ["ok", "ok", "ok"]),
            (204, ["ok", "ok", "ok"]),
            (301, ["refused", "refused", "doubt"]),
            (307, ["again", "again", "again"]),
            (401, ["unauthorized", "unauthorized", "unauthorized"]),
            // The connector says that a create may have happened.
            (422, ["refused", "refused", "doubt"]),
            (425, ["again", "again", "again"]),
            (429, ["limited", "limited", "limited"]),
        ];
        let all = refused.map(|status| (status, ["refused"; 3])).into_iter();
        let all = all.chain(unavailable.map(|status| (status, ["again", "again", "doubt"]))).chain(others);
        for (status, expected) in all {
            assert_eq!(EFFECTS.map(|effect| kind(effect, status)), expected, "{status}");
        }
    }

    #[test]
    fn a_request_to_any_address_has_no_connection_to_hold() {
        let received = Received::Answer {
            status: 401,
            headers: HeaderMap::new(),
            form: Form::Nothing,
            body: Value::Null,
            at: DateTime::UNIX_EPOCH,
        };
        assert_eq!(name(&classify(Effect::Create, &Expected::default(), None, received)), "refused");
    }

    #[test]
    fn hob_does_what_its_advice_says() {
        use crate::catalog::Catalog;
        // What advice says of itself, in the words of all the built-in connectors.
        let later = ["try again later", "hob waits and goes on", "hob goes on after"];
        for connector in Catalog::built_in().connectors() {
            for advice in &connector.errors.advice {
                let status = advice.status.unwrap_or(400);
                let words = advice.contains.clone().unwrap_or_else(|| "some words".into());
                let outcomes = EFFECTS.map(|effect| {
                    let body = json!({ "message": words.to_uppercase(), "error": { "message": words } });
                    let headers = HeaderMap::new();
                    let received = Received::Answer {
                        status,
                        headers,
                        form: Form::Json,
                        body,
                        at: DateTime::UNIX_EPOCH,
                    };
                    name(&classify(effect, &Expected::default(), Some(connector), received))
                });
                let passes = later.iter().any(|words| advice.help.contains(words));
                let expected: &[[&str; 3]] = match passes {
                    true => &[["again", "again", "doubt"], ["limited"; 3]],
                    false => &[["refused"; 3], ["unauthorized"; 3], ["refused", "refused", "doubt"]],
                };
                assert!(expected.contains(&outcomes), "{}: {advice:?}: {outcomes:?}", connector.connector);
            }
        }
    }

    #[test]
    fn the_catalog_knows_what_a_status_hides() {
        let catalog = crate::catalog::Catalog::built_in();
        let highlevel = catalog.connector("highlevel").unwrap();
        let kinds = |status, message: &str| {
            EFFECTS.map(|effect| {
                let received = Received::Answer {
                    status,
                    headers: HeaderMap::new(),
                    form: Form::Json,
                    body: json!({ "message": message }),
                    at: DateTime::UNIX_EPOCH,
                };
                name(&classify(effect, &Expected::default(), Some(highlevel), received))
            })
        };
        for (status, message, expected) in [
            (401, "Command timed out", ["again", "again", "doubt"]),
            (401, "Invalid JWT", ["unauthorized"; 3]),
            (401, "", ["unauthorized"; 3]),
            (401, "The token is not authorized for this scope.", ["refused"; 3]),
            (401, "This authClass type is not allowed to access this scope.", ["refused"; 3]),
            (401, "version header was not found.", ["refused"; 3]),
            (403, "The token does not have access to this location.", ["refused"; 3]),
            (422, "dueDate must be a valid ISO 8601 date string", ["refused"; 3]),
            (422, "property firstname should not exist", ["refused"; 3]),
            (422, "customFields.0.property foo should not exist", ["refused"; 3]),
            (422, "The custom field value is not allowed", ["refused", "refused", "doubt"]),
        ] {
            assert_eq!(kinds(status, message), expected, "{status} {message}");
        }
    }

    #[test]
    fn by_what_was_lost() {
        let lost = |effect, sent| {
            name(&classify(
                effect,
                &Expected::default(),
                None,
                Received::Lost { sent, reason: "connection reset".into() },
            ))
        };
        assert_eq!(lost(Effect::Create, false), "again");
        assert_eq!(lost(Effect::Create, true), "doubt");
        assert_eq!(lost(Effect::Idempotent, true), "again");
        assert_eq!(lost(Effect::Read, true), "again");
    }

    #[test]
    fn a_rate_limited_request_waits_as_stated_or_for_an_interval() {
        let wait = |headers: &[(&str, &str)]| {
            let named =
                |(name, value): &(&str, &str)| (HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
            let received = Received::Answer {
                status: 429,
                headers: headers.iter().map(named).collect(),
                form: Form::Nothing,
                body: Value::Null,
                at: DateTime::UNIX_EPOCH,
            };
            match classify(Effect::Create, &Expected::default(), Some(&connector()), received) {
                Outcome::RateLimited { retry_after } => retry_after.as_secs(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(wait(&[]), 7);
        assert_eq!(wait(&[("x-int", "3000")]), 3);
        assert_eq!(wait(&[("x-int", "3000"), ("retry-after", "20")]), 20);
        assert_eq!(wait(&[("x-left", "0"), ("x-reset", "600000")]), 600);
    }
}
