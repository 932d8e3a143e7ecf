//! `wait`: continues after a duration or at a time.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::recipe::parse_duration;
use crate::run::{Entry, StepKey};
use crate::value::{Map, Value, after, timestamp};

/// The entry that starts the wait at `now`.
pub(in crate::run) fn begin(
    step: &StepKey,
    inputs: &Map<String, Value>,
    now: DateTime<Utc>,
) -> Result<Vec<Entry>, String> {
    let given = |name: &str| inputs.get(name).filter(|value| !value.is_null());
    let (until, by_wall) = match (given("for"), given("until")) {
        (Some(Value::String(text)), None) => {
            (after(now, parse_duration(text).map_err(|error| format!("`for`: {error}"))?), false)
        }
        (None, Some(time)) => {
            let until = timestamp(time);
            let unclear = || format!("`until` must be a time such as 2027-01-31T09:00:00Z, not {time}");
            (until.ok_or_else(unclear)?, true)
        }
        (Some(other), None) => return Err(format!("`for` must be a duration such as 1h, not {other}")),
        _ => return Err("`wait` takes either `for` or `until`".into()),
    };
    Ok(vec![Entry::WaitStarted { step: step.clone(), until, by_wall }])
}

/// The result for later steps.
pub(in crate::run) fn result(until: DateTime<Utc>) -> Value {
    json!({ "until": until })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(inputs: Value) -> Result<i64, String> {
        let now = DateTime::from_timestamp(1000, 0).unwrap();
        match begin(&StepKey::new("w"), inputs.as_object().unwrap(), now)?.as_slice() {
            [Entry::WaitStarted { until, .. }] => Ok(until.timestamp()),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn durations_and_times() {
        assert_eq!(until(json!({ "for": "1h" })), Ok(4600));
        assert_eq!(until(json!({ "until": "1970-01-02" })), Ok(86_400));
        assert_eq!(until(json!({ "until": "1970-01-01T02:00:00+01:00" })), Ok(3600));
        assert_eq!(until(json!({ "until": 1_800_000_000 })), Ok(1_800_000_000), "seconds");
        assert_eq!(until(json!({ "until": 1_800_000_000_000_i64 })), Ok(1_800_000_000), "milliseconds");
        assert_eq!(until(json!({ "until": "1800000000" })), Ok(1_800_000_000));
        for wrong in [json!({}), json!({ "for": 5 }), json!({ "for": "x" }), json!({ "until": "soon" })] {
            assert!(until(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
