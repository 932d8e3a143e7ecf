//! A time in the past, as people write it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};

use crate::recipe::parse_duration;

/// A time or an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Since {
    /// This long ago.
    Ago(TimeDelta),
    /// At this time.
    At(DateTime<Utc>),
    /// At the beginning of the day that is this many days before today, in UTC.
    DaysBefore(u16),
}

/// Days by their names, and how long ago they were.
const DAYS: [(&str, u16); 2] = [("today", 0), ("yesterday", 1)];
/// Units that are too long for a pause, and their days.
const LONG_UNITS: [(char, u32); 2] = [('w', 7), ('y', 365)];

impl Since {
    /// The time, relative to `now`.
    pub(in crate::cli) fn before(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Since::Ago(ago) => now.checked_sub_signed(*ago).unwrap_or(DateTime::<Utc>::MIN_UTC),
            Since::At(time) => *time,
            Since::DaysBefore(days) => {
                (now - TimeDelta::days((*days).into())).with_time(NaiveTime::MIN).single().unwrap_or(now)
            }
        }
    }
}

impl fmt::Display for Since {
    /// As it can be read again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = match self {
            Since::At(time) => return f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Since::DaysBefore(days) => {
                let name = DAYS.iter().find(|(_, ago)| ago == days).map_or("today", |(name, _)| name);
                return f.write_str(name);
            }
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
        if let Some((_, days)) = DAYS.iter().find(|(name, _)| *name == text) {
            return Ok(Since::DaysBefore(*days));
        }
        let long = LONG_UNITS.iter().find_map(|(unit, days)| {
            let count: u32 = text.strip_suffix(*unit)?.trim_end().parse().ok()?;
            Some(Duration::from_secs(86_400) * days.checked_mul(count)?)
        });
        if let Some(ago) = long.or_else(|| parse_duration(text).ok()) {
            return TimeDelta::from_std(ago).map(Since::Ago).map_err(|_| format!("`{text}` is too long ago"));
        }
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Since::At(time.to_utc()));
        }
        if let Ok(date) = text.parse::<NaiveDate>() {
            return Ok(Since::At(date.and_time(NaiveTime::MIN).and_utc()));
        }
        Err(format!(
            "`{text}` is not a time; write 2h, 30d, 1y, yesterday, 2026-11-23 or 2026-11-23T09:00:00Z"
        ))
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
        assert_eq!(shown("yesterday").unwrap(), "2026-11-22T00:00:00+00:00");
        assert_eq!(shown("1y").unwrap(), shown("365d").unwrap());
        assert_eq!(shown("2w").unwrap(), shown("14d").unwrap());
        for text in ["today", "yesterday", "30d", "36h", "90m", "15s", "1500ms", "2026-11-01T00:00:00Z"] {
            assert_eq!(text.parse::<Since>().unwrap().to_string(), text);
        }
        for text in ["soon", "99999999999y", "-1d", "1"] {
            assert!(shown(text).unwrap_err().contains("2h"), "{text}");
        }
    }
}
