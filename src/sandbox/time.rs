//! Times of the stand-in: milliseconds since 1970 internally.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

/// Any usual notation: ISO 8601 with or without zone, a date, a number of milliseconds as text.
pub(super) fn parse(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    if let Ok(number) = text.parse::<i64>() {
        return Some(number);
    }
    for format in ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%.f"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Some(time.and_utc().timestamp_millis());
        }
    }
    ["%Y-%m-%d", "%m-%d-%Y"].iter().find_map(|format| {
        let date = NaiveDate::parse_from_str(text, format).ok()?;
        Some(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
    })
}

/// `2026-11-02T09:00:00.000Z`
pub(super) fn iso(ms: i64) -> String {
    instant(ms).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// `2026-11-02 09:00:00`
pub(super) fn local(ms: i64) -> String {
    instant(ms).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// `Mon, 02 Nov 2026 09:00:00 GMT`
pub(super) fn rfc2822(ms: i64) -> String {
    instant(ms).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn instant(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or(DateTime::UNIX_EPOCH)
}

/// `90s`, `37m`, `2h`, `1d`, `250ms` in milliseconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let number: i64 = text[..digits].parse().ok()?;
    let unit = match &text[digits..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_usual_notations() {
        let nine = parse("2026-11-02T09:00:00Z");
        assert_eq!(nine, parse("2026-11-02 09:00:00"));
        assert_eq!(nine, parse("2026-11-02T10:00:00+01:00"));
        assert_eq!(parse("2026-11-02"), parse("11-02-2026"));
        assert_eq!(parse("later"), None);
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!((duration("37m"), duration("250ms"), duration("10")), (Some(2_220_000), Some(250), None));
    }
}
