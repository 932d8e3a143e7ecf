//! `wait`: goes on after a time or at a time.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::json;

use crate::recipe::parse_duration;
use crate::run::patience::later;
use crate::run::{Entry, StepKey};
use crate::value::{Map, Value};

/// The beginning of the wait, from `now`.
pub(in crate::run) fn begin(
    step: &StepKey,
    inputs: &Map<String, Value>,
    now: DateTime<Utc>,
) -> Result<Vec<Entry>, String> {
    let given = |name: &str| inputs.get(name).filter(|value| !value.is_null());
    let until = match (given("for"), given("until")) {
        (Some(Value::String(text)), None) => {
            later(now, parse_duration(text).map_err(|error| format!("`for`: {error}"))?)
        }
        (None, Some(time)) => moment(time)?,
        (Some(other), None) => return Err(format!("`for` must be a duration such as 1h, not {other}")),
        _ => return Err("`wait` takes either `for` or `until`".into()),
    };
    Ok(vec![Entry::WaitStarted { step: step.clone(), until }])
}

/// What later steps see.
pub(in crate::run) fn result(until: DateTime<Utc>) -> Value {
    json!({ "until": until })
}

fn moment(time: &Value) -> Result<DateTime<Utc>, String> {
    let known = match time {
        Value::String(text) => read(text.trim()),
        // Times in milliseconds since 1970 are what many APIs send.
        Value::Number(number) => number.as_i64().and_then(DateTime::from_timestamp_millis),
        _ => None,
    };
    known.ok_or_else(|| format!("`until` must be a time such as 2027-01-31T09:00:00Z, not {time}"))
}

fn read(text: &str) -> Option<DateTime<Utc>> {
    let exact = DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).ok();
    let local = || text.parse::<NaiveDateTime>().map(|time| time.and_utc()).ok();
    let date = || text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0).map(|time| time.and_utc());
    exact.or_else(local).or_else(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(inputs: Value) -> Result<i64, String> {
        let now = DateTime::from_timestamp(1000, 0).unwrap();
        match begin(&StepKey::of("w"), inputs.as_object().unwrap(), now)?.as_slice() {
            [Entry::WaitStarted { until, .. }] => Ok(until.timestamp()),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn durations_and_times() {
        assert_eq!(until(json!({ "for": "1h" })), Ok(4600));
        assert_eq!(until(json!({ "until": "1970-01-02" })), Ok(86_400));
        assert_eq!(until(json!({ "until": "1970-01-01T02:00:00+01:00" })), Ok(3600));
        assert_eq!(until(json!({ "until": 5000 })), Ok(5));
        for wrong in [json!({}), json!({ "for": 5 }), json!({ "for": "x" }), json!({ "until": "soon" })] {
            assert!(until(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
