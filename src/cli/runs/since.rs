//! A time in the past, as people write it.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};

use crate::recipe::parse_duration;

/// A time or an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Since {
    /// This long ago.
    Ago(TimeDelta),
    /// At this time.
    At(DateTime<Utc>),
}

impl Since {
    /// The time, relative to `now`.
    pub(in crate::cli) fn before(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Since::Ago(ago) => now.checked_sub_signed(*ago).unwrap_or(DateTime::<Utc>::MIN_UTC),
            Since::At(time) => *time,
        }
    }
}

impl fmt::Display for Since {
    /// As it can be read again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = match self {
            Since::At(time) => return f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Since::Ago(ago) => ago.num_milliseconds(),
        };
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")];
        match units.into_iter().find(|(unit, _)| milliseconds % unit == 0) {
            Some((unit, name)) => write!(f, "{}{name}", milliseconds / unit),
            None => write!(f, "{milliseconds}ms"),
        }
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(ago) = parse_duration(text) {
            return TimeDelta::from_std(ago).map(Since::Ago).map_err(|_| format!("`{text}` is too long ago"));
        }
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Since::At(time.to_utc()));
        }
        if let Ok(date) = text.parse::<NaiveDate>() {
            return Ok(Since::At(date.and_time(NaiveTime::MIN).and_utc()));
        }
        Err(format!("`{text}` is not a time; write 2h, 2026-11-23 or 2026-11-23T09:00:00Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations_dates_and_times() {
        let now: DateTime<Utc> = "2026-11-23T12:00:00Z".parse().unwrap();
        let shown = |text: &str| text.parse::<Since>().map(|since| since.before(now).to_rfc3339());
        assert_eq!(shown("2h").unwrap(), "2026-11-23T10:00:00+00:00");
        assert_eq!(shown("2026-11-01").unwrap(), "2026-11-01T00:00:00+00:00");
        assert_eq!(shown("2026-11-01T01:00:00+01:00").unwrap(), "2026-11-01T00:00:00+00:00");
        for text in ["30d", "36h", "90m", "15s", "1500ms", "2026-11-01T00:00:00Z"] {
            assert_eq!(text.parse::<Since>().unwrap().to_string(), text);
        }
        assert!(shown("yesterday").unwrap_err().contains("2h"));
    }
}
