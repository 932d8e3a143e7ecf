//! What came back → what it means. Pure, and the one place that decides it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use serde_json::Value;

use super::explain::explain;
use super::{Answer, Outcome, Refusal, retry_after};
use crate::catalog::{Connector, Effect, ErrorAnswers, LimitHeaders};
use crate::connection::Rate;

/// Wait after a 429 where neither the answer nor the connector tells an interval.
const PAUSE: Duration = Duration::from_secs(10);

/// What came back.
#[derive(Debug, Clone)]
pub enum Received {
    /// An answer.
    Answer {
        /// HTTP status.
        status: u16,
        /// Headers.
        headers: HeaderMap,
        /// Body: JSON, else text, else null.
        body: Value,
        /// When it was complete.
        at: DateTime<Utc>,
    },
    /// None.
    Lost {
        /// The server may have got the request.
        sent: bool,
        /// What happened.
        reason: String,
    },
    /// It was too late to send it, and it was not sent.
    Late,
    /// An answer that hob cannot keep: too large, or no place for the file.
    Unusable {
        /// Why.
        reason: String,
    },
    /// hob cannot send it as it is: a file that cannot be read.
    Unsendable {
        /// Why.
        reason: String,
    },
}

/// What `received` means for a request with this effect.
pub fn classify(effect: Effect, connector: Option<&Connector>, received: Received) -> Outcome {
    let none = ErrorAnswers::default();
    let errors = connector.map_or(&none, |connector| &connector.errors);
    let (status, headers, body, at) = match received {
        Received::Answer { status, headers, body, at } => (status, headers, body, at),
        Received::Late => {
            let reason = "hob was suspended for longer than it may hold a run, and sent nothing".to_owned();
            return Outcome::Held { wait: Duration::ZERO, reason };
        }
        Received::Lost { sent: true, reason } | Received::Unusable { reason } if effect == Effect::Create => {
            return Outcome::InDoubt { reason, status: None };
        }
        Received::Lost { reason, .. } => {
            return Outcome::TryAgain { reason, status: None, retry_after: None };
        }
        Received::Unsendable { reason } | Received::Unusable { reason } => {
            return Outcome::Refused(Refusal::unsent(reason));
        }
    };
    let asked = retry_after::read(&headers, at);
    match status {
        200..=299 => Outcome::Ok(Answer { status, headers: shown(&headers), body, received: at }),
        429 => Outcome::RateLimited { retry_after: asked.unwrap_or_else(|| pause(connector, &headers)) },
        // 425: the server promises that it did nothing.
        425 => try_again(errors, status, &body, asked),
        408 | 500..=599 if effect == Effect::Create => in_doubt(errors, status, &body),
        408 | 500..=599 => try_again(errors, status, &body, asked),
        300..=399 => Outcome::Refused(redirect(errors, status, &headers, &body)),
        _ if effect == Effect::Create && errors.in_doubt.contains(&status) => in_doubt(errors, status, &body),
        _ => Outcome::Refused(explain(errors, status, &body)),
    }
}

fn try_again(errors: &ErrorAnswers, status: u16, body: &Value, retry_after: Option<Duration>) -> Outcome {
    Outcome::TryAgain { reason: explain(errors, status, body).message, status: Some(status), retry_after }
}

fn in_doubt(errors: &ErrorAnswers, status: u16, body: &Value) -> Outcome {
    Outcome::InDoubt { reason: explain(errors, status, body).message, status: Some(status) }
}

fn redirect(errors: &ErrorAnswers, status: u16, headers: &HeaderMap, body: &Value) -> Refusal {
    let mut refusal = explain(errors, status, body);
    if let Some(to) = headers.get(LOCATION).and_then(|value| value.to_str().ok()) {
        refusal.message = format!("{status}: the server redirects to {to}");
        refusal.help = Some("redirects are not followed; correct the address".into());
    }
    refusal
}

/// How long to pause when the server does not say: until the day's budget is new, or an interval.
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
    number(&names.interval_ms).map(Duration::from_millis).or_else(known).unwrap_or(PAUSE)
}

fn shown(headers: &HeaderMap) -> indexmap::IndexMap<String, String> {
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
            body: json!({ "message": "words" }),
            at: DateTime::UNIX_EPOCH,
        };
        name(&classify(effect, Some(&connector()), received))
    }

    fn name(outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Ok(_) => "ok",
            Outcome::RateLimited { .. } => "limited",
            Outcome::Held { .. } => "held",
            Outcome::TryAgain { .. } => "again",
            Outcome::Refused(_) => "refused",
            Outcome::InDoubt { .. } => "doubt",
        }
    }

    #[test]
    fn by_status_and_effect() {
        let (read, twice, create) = (Effect::Read, Effect::Idempotent, Effect::Create);
        let cases = [
            (200, ["ok", "ok", "ok"]),
            (204, ["ok", "ok", "ok"]),
            (301, ["refused", "refused", "refused"]),
            (400, ["refused", "refused", "refused"]),
            (401, ["refused", "refused", "refused"]),
            (404, ["refused", "refused", "refused"]),
            (408, ["again", "again", "doubt"]),
            (422, ["refused", "refused", "doubt"]),
            (425, ["again", "again", "again"]),
            (429, ["limited", "limited", "limited"]),
            (500, ["again", "again", "doubt"]),
            (503, ["again", "again", "doubt"]),
        ];
        for (status, expected) in cases {
            assert_eq!([read, twice, create].map(|effect| kind(effect, status)), expected, "{status}");
        }
    }

    #[test]
    fn by_what_was_lost() {
        let lost = |effect, sent| {
            name(&classify(effect, None, Received::Lost { sent, reason: "connection reset".into() }))
        };
        assert_eq!(lost(Effect::Create, false), "again");
        assert_eq!(lost(Effect::Create, true), "doubt");
        assert_eq!(lost(Effect::Idempotent, true), "again");
        assert_eq!(lost(Effect::Read, true), "again");
    }

    #[test]
    fn a_refused_rate_waits_as_told_or_an_interval() {
        let wait = |headers: &[(&str, &str)]| {
            let named =
                |(name, value): &(&str, &str)| (HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
            let received = Received::Answer {
                status: 429,
                headers: headers.iter().map(named).collect(),
                body: Value::Null,
                at: DateTime::UNIX_EPOCH,
            };
            match classify(Effect::Create, Some(&connector()), received) {
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
