//! Hours of a day in which nothing is sent.

use chrono::{DateTime, Days, LocalResult, NaiveTime, TimeDelta, TimeZone, Utc};

use super::alert_syntax::AlertKind;
use crate::value::Zone;

/// The longest gap that a zone's clocks leave out.
const GAP: TimeDelta = TimeDelta::hours(2);

/// Quiet hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietHours {
    /// When they begin, each day.
    pub from: NaiveTime,
    /// When they end; on the next day, if that is earlier.
    pub to: NaiveTime,
    /// The zone of both.
    pub zone: Zone,
    /// What is sent all the same.
    pub except: Vec<AlertKind>,
}

impl QuietHours {
    /// When they end, if `now` is within them.
    pub fn end(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = now.with_timezone(&self.zone).naive_local();
        let (date, time) = (local.date(), local.time());
        let overnight = self.to <= self.from;
        let (is_quiet, ends_next_day) = match overnight {
            false => (self.from <= time && time < self.to, false),
            true => (self.from <= time || time < self.to, self.from <= time),
        };
        if !is_quiet {
            return None;
        }
        let day = if ends_next_day { date.checked_add_days(Days::new(1))? } else { date };
        let end = day.and_time(self.to);
        let end = match self.zone.from_local_datetime(&end) {
            LocalResult::Single(end) | LocalResult::Ambiguous(_, end) => end,
            // The clocks leave this time out.
            LocalResult::None => self.zone.from_local_datetime(&(end + GAP)).latest()?,
        };
        Some(end.with_timezone(&Utc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(from: &str, to: &str) -> QuietHours {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
        let zone = Zone::named("Europe/London").unwrap();
        QuietHours { from: time(from), to: time(to), zone, except: Vec::new() }
    }

    fn end(hours: &QuietHours, now: &str) -> Option<String> {
        let end = hours.end(now.parse().unwrap())?;
        Some(end.format("%m-%dT%H:%M").to_string())
    }

    #[test]
    fn they_end_on_the_same_day_or_the_next() {
        let night = quiet("22:00", "07:00");
        assert_eq!(end(&night, "2026-01-10T21:59:59Z"), None);
        assert_eq!(end(&night, "2026-01-10T22:00:00Z").as_deref(), Some("01-11T07:00"));
        assert_eq!(end(&night, "2026-01-11T06:59:59Z").as_deref(), Some("01-11T07:00"));
        assert_eq!(end(&night, "2026-01-11T07:00:00Z"), None);
        let noon = quiet("12:00", "13:00");
        assert_eq!(end(&noon, "2026-01-10T12:30:00Z").as_deref(), Some("01-10T13:00"));
        assert_eq!(end(&noon, "2026-01-10T13:00:00Z"), None);
    }

    #[test]
    fn they_are_those_of_the_zone() {
        let night = quiet("22:00", "07:00");
        assert_eq!(end(&night, "2026-07-10T21:00:00Z").as_deref(), Some("07-11T06:00"), "summer time");
        // At 01:00 the clocks go forward to 02:00.
        let gap = quiet("00:00", "01:30");
        assert_eq!(end(&gap, "2026-03-29T00:30:00Z").as_deref(), Some("03-29T02:30"));
    }
}
