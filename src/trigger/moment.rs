//! Times as APIs write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::Value;

/// Numbers from here on count milliseconds since 1970, smaller ones seconds (1973 and 5138 as the
/// other reading).
const LEAST_MILLISECONDS: f64 = 1e11;

/// The time that `value` stands for: ISO 8601 with or without a zone (then UTC), a date, or seconds or
/// milliseconds since 1970 as number or text.
pub(super) fn moment(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Number(number) => epoch(number.as_f64()?),
        Value::String(text) => {
            let text = text.trim();
            DateTime::parse_from_rfc3339(text)
                .map(|time| time.to_utc())
                .ok()
                .or_else(|| without_zone(text))
                .or_else(|| text.parse::<f64>().ok().and_then(epoch))
        }
        _ => None,
    }
}

/// The value tells the day only, so two changes can have the same.
pub(super) fn is_coarse(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() <= "2026-11-23".len() && text.parse::<f64>().is_err())
}

fn epoch(number: f64) -> Option<DateTime<Utc>> {
    if !number.is_finite() || number.abs() > 1e15 {
        return None;
    }
    let milliseconds = if number.abs() >= LEAST_MILLISECONDS { number } else { number * 1000.0 };
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    DateTime::from_timestamp_millis(milliseconds as i64)
}

fn without_zone(text: &str) -> Option<DateTime<Utc>> {
    let time = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0));
    time.map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_apis_write() {
        let expected: DateTime<Utc> = "2024-01-12T12:59:04Z".parse().unwrap();
        for value in [
            json!("2024-01-12T12:59:04.000Z"),
            json!("2024-01-12T18:29:04+05:30"),
            json!("2024-01-12 12:59:04"),
            json!("2024-01-12T12:59:04"),
            json!(1_705_064_344),
            json!(1_705_064_344_000_i64),
            json!("1705064344000"),
        ] {
            assert_eq!(moment(&value), Some(expected), "{value}");
        }
        assert_eq!(moment(&json!("2024-01-12")), "2024-01-12T00:00:00Z".parse().ok());
        for value in [json!("soon"), json!(null), json!(1e300), json!(["2024-01-12"])] {
            assert_eq!(moment(&value), None, "{value}");
        }
        assert!(is_coarse(&json!("2024-01-12")) && !is_coarse(&json!("1705064344")));
    }
}
