//! Times as written by APIs and people, and arithmetic with waits.

use std::time::Duration;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use super::Value;
use super::iso8601::{self, Written};

/// Epoch numbers from here on are milliseconds: as seconds they would be after the year 5138.
const MILLISECONDS: u64 = 100_000_000_000;
/// Epoch numbers from here on are not times: as milliseconds they would be after the year 33658.
const TOO_LARGE: u64 = 1_000_000_000_000_000;
/// Shorter numbers in text are more likely years, counts or codes than epoch seconds.
const LEAST_DIGITS: usize = 9;
/// How much later than its reading as UTC a local time can be: the offset of the westernmost zone.
const WESTERNMOST: TimeDelta = TimeDelta::hours(12);

/// The time in `value`: ISO 8601 with or without a zone (then UTC), a date (its start), an e-mail date, or epoch
/// seconds or milliseconds as number or text.
pub fn timestamp(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Number(number) => from_epoch(&number.to_string()),
        Value::String(text) => time_in(text).map(|written| match written {
            Written::Exact(time) => time,
            Written::Local(time) => time.and_utc(),
            Written::Day(day) => day.and_time(NaiveTime::MIN).and_utc(),
        }),
        _ => None,
    }
}

/// The time in `text`: ISO 8601, an e-mail date, or epoch seconds or milliseconds.
pub fn time_in(text: &str) -> Option<Written> {
    let text = text.trim();
    if let Some(written) = iso8601::read(text) {
        return Some(written);
    }
    if let Ok(time) = DateTime::parse_from_rfc2822(text) {
        return Some(Written::Exact(time.to_utc()));
    }
    if text.len() >= LEAST_DIGITS { from_epoch(text).map(Written::Exact) } else { None }
}

/// Parses epoch seconds or milliseconds, distinguished by size.
pub fn from_epoch(number: &str) -> Option<DateTime<Utc>> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) || seconds.unsigned_abs() >= TOO_LARGE {
        return None;
    }
    if seconds.unsigned_abs() >= MILLISECONDS {
        return DateTime::from_timestamp_millis(seconds);
    }
    let part: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let part = if whole.starts_with('-') { -part } else { part };
    DateTime::from_timestamp_millis(seconds * 1000 + part)
}

/// Whether the value is only a date, so that two changes may have the same one.
pub fn is_coarse(value: &Value) -> bool {
    matches!(value.as_str().and_then(time_in), Some(Written::Day(_)))
}

/// How much later than `timestamp` the time may be: a date leaves the time of day open, and a time without a zone the
/// offset.
pub fn leeway(value: &Value) -> TimeDelta {
    match value.as_str().and_then(time_in) {
        Some(Written::Day(_)) => WESTERNMOST + TimeDelta::days(1),
        Some(Written::Local(_)) => WESTERNMOST,
        _ => TimeDelta::zero(),
    }
}

/// `now` plus `wait`; the latest representable time if that overflows.
pub fn after(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    let end = TimeDelta::from_std(wait).ok().and_then(|wait| now.checked_add_signed(wait));
    end.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// `now` minus `wait`; the earliest representable time if that underflows.
pub fn before(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    let start = TimeDelta::from_std(wait).ok().and_then(|wait| now.checked_sub_signed(wait));
    start.unwrap_or(DateTime::<Utc>::MIN_UTC)
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
            json!("2024-01-12T12:59:04+0000"),
            json!("Fri, 12 Jan 2024 12:59:04 +0000"),
            json!("2024-01-12 12:59:04"),
            json!("2024-01-12T12:59:04"),
            json!(1_705_064_344),
            json!(1_705_064_344.0),
            json!(1_705_064_344_000_i64),
            json!("1705064344000"),
            json!("1705064344"),
        ] {
            assert_eq!(timestamp(&value), Some(expected), "{value}");
        }
        assert_eq!(timestamp(&json!("2024-01-12")), "2024-01-12T00:00:00Z".parse().ok());
        assert_eq!(timestamp(&json!(-1.25)), "1969-12-31T23:59:58.750Z".parse().ok());
        for value in ["soon", "2024", "12.5.+1", "1705064344000000"].map(Value::from) {
            assert_eq!(timestamp(&value), None, "{value}");
        }
        for value in [json!(null), json!(1e300), json!(["2024-01-12"])] {
            assert_eq!(timestamp(&value), None, "{value}");
        }
    }

    #[test]
    fn knows_what_a_time_leaves_open() {
        assert!(is_coarse(&json!("2024-01-12")) && !is_coarse(&json!("1705064344")));
        let hours = |text: &str| leeway(&json!(text)).num_hours();
        let texts = ["2024-01-12", "2024-01-12 12:59:04", "2024-01-12T12:59:04Z", "1705064344"];
        assert_eq!(texts.map(hours), [36, 12, 0, 0]);
    }

    #[test]
    fn unrepresentable_times_never_come() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(after(now, Duration::from_secs(5)), now + TimeDelta::seconds(5));
        for long in [Duration::MAX, Duration::from_secs(u64::MAX / 1000), Duration::from_secs(1 << 43)] {
            let never = after(now, long);
            assert_eq!(never, DateTime::<Utc>::MAX_UTC);
            let kept: DateTime<Utc> = serde_json::from_value(json!(never)).unwrap();
            assert_eq!(kept, never, "a journal keeps it");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,30}|[0-9TZ:. +/-]{0,30}", number: f64) {
            let _ = (timestamp(&json!(text)), leeway(&json!(text)), timestamp(&json!(number)));
        }
    }
}
