//! Cron schedules in a time zone.
//!
//! Uses the crate `cron`, which requires seconds, counts weekdays from 1, combines day and weekday by "and", and does
//! not handle clock changes. Here: five fields, 0 and 7 are Sunday, and a restricted day of the month and weekday are
//! combined by "or".
//!
//! Clock changes, for expressions with fixed hours: a skipped time fires once, right after the change; a repeated
//! time fires the first time only. Expressions whose hour begins with `*` follow elapsed time instead: they fire in
//! both passes, and not for skipped times.
//!
//! The crate `croner` 3.0 was tried as a replacement, with the tables below. It differs in the lines marked `croner`:
//! `*/2` counts as a restricted day, which crontab combines by "and"; `*/20 2 * * *` is skipped on the day without
//! 02:00; `0,50 * * * *` skips an hour when the clock is set back; a day that a zone skipped ends the search. The
//! fields would still be parsed here, for the carets.

mod error;
mod field;

use std::fmt::Write;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};

pub use self::error::{Error, Part};
use self::field::{DAY, Field, HOUR, MINUTE, MONTH, WEEKDAY};
use crate::template::zone_advice;
use crate::value::Zone;

/// Clock changes are smaller, except when a zone changes its date.
const MAX_CHANGE: TimeDelta = TimeDelta::hours(3);
/// Minutes of the largest change ever (a zone that skipped a day), with a margin.
const MAX_GAP_MINUTES: i64 = 1500;

/// A schedule in a time zone. Created only by `parse`.
#[derive(Debug, Clone)]
pub struct Cron {
    /// One, or two combined by "or".
    schedules: Vec<cron::Schedule>,
    timezone: Zone,
    /// The hour begins with `*`.
    every_hour: bool,
}

impl Cron {
    /// Parses an expression of five fields or a nickname such as `@daily`, and an IANA time zone; default UTC.
    pub fn parse(expression: &str, timezone: Option<&str>) -> Result<Self, Error> {
        let timezone = timezone.map_or_else(|| Ok(Zone::utc()), parse_timezone)?;
        let name = expression.trim();
        let line = if name.starts_with('@') { nickname(expression, name)? } else { expression };
        Self::from_fields(line, timezone)
    }

    fn from_fields(line: &str, timezone: Zone) -> Result<Self, Error> {
        let whole = 0..line.len();
        let fields = split(line);
        let [minute, hour, day, month, weekday] = fields[..] else {
            let help = match fields.len() {
                6 | 7 => "leave the seconds and the year out: minute hour day month weekday",
                _ => "write five fields: minute hour day month weekday, such as `0 9 * * MON-FRI`",
            };
            return Err(Error::at(whole, format!("`{line}` has {} fields instead of 5", fields.len()), help));
        };
        let minute = Field::parse(&MINUTE, minute.1, minute.0)?;
        let hour = Field::parse(&HOUR, hour.1, hour.0)?;
        let day = Field::parse(&DAY, day.1, day.0)?;
        let month = Field::parse(&MONTH, month.1, month.0)?;
        let weekday = Field::parse(&WEEKDAY, weekday.1, weekday.0)?;
        let lines = if day.star || weekday.star {
            vec![write_line(minute, hour, Some(day), month, Some(weekday))]
        } else {
            vec![
                write_line(minute, hour, Some(day), month, None),
                write_line(minute, hour, None, month, Some(weekday)),
            ]
        };
        let schedules = lines
            .iter()
            .map(|line| cron::Schedule::from_str(line))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Error::at(whole.clone(), error.to_string(), "write five fields"))?;
        let cron = Self { schedules, timezone, every_hour: hour.star };
        if cron.next_wall_clock(DateTime::UNIX_EPOCH.naive_utc()).is_none() {
            return Err(Error::at(
                whole,
                format!("`{line}` never happens"),
                "no month it names has such a day; change the day or the month",
            ));
        }
        Ok(cron)
    }

    /// The time zone.
    pub fn timezone(&self) -> &Zone {
        &self.timezone
    }

    /// The first time after `after`. `None` when there is none before the year 2100.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = after.with_timezone(&self.timezone).naive_local();
        if let Some(next) = self.next_wall_clock(local)
            && let chrono::LocalResult::Single(time) = self.timezone.from_local_datetime(&next)
            && !self.is_changed_around(after)
            && !self.is_changed_around(time.to_utc())
        {
            return Some(time.to_utc());
        }
        // Local times are not ordered where the clock is set back, so the search starts earlier and continues a
        // little after a match.
        let mut at = local - MAX_CHANGE;
        let mut found: Option<(NaiveDateTime, DateTime<Utc>)> = None;
        while let Some(next) = self.next_wall_clock(at) {
            if found.is_some_and(|(first, _)| next > first + MAX_CHANGE) {
                break;
            }
            let earliest = self.instants(next).into_iter().flatten().filter(|time| *time > after).min();
            if let Some(time) = earliest
                && found.is_none_or(|(_, best)| time < best)
            {
                found = Some((found.map_or(next, |(first, _)| first), time));
            }
            at = next;
        }
        found.map(|(_, time)| time)
    }

    /// Whether the clock changes shortly before or after `time`.
    fn is_changed_around(&self, time: DateTime<Utc>) -> bool {
        let offset = |time: DateTime<Utc>| self.timezone.offset_from_utc_datetime(&time.naive_utc()).fix();
        offset(time - MAX_CHANGE) != offset(time + MAX_CHANGE)
    }

    /// The next local time, whether it exists in the zone or not.
    fn next_wall_clock(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let after = after.and_utc();
        let next = |schedule: &cron::Schedule| schedule.after(&after).next();
        self.schedules.iter().filter_map(next).min().map(|time| time.naive_utc())
    }

    /// When a local time fires: never, once or twice.
    fn instants(&self, wall: NaiveDateTime) -> [Option<DateTime<Utc>>; 2] {
        let zone = &self.timezone;
        match zone.from_local_datetime(&wall) {
            chrono::LocalResult::Single(time) => [Some(time.to_utc()), None],
            chrono::LocalResult::Ambiguous(first, second) => {
                [Some(first.to_utc()), self.every_hour.then(|| second.to_utc())]
            }
            chrono::LocalResult::None if self.every_hour => [None, None],
            chrono::LocalResult::None => {
                let after_gap = (1..=MAX_GAP_MINUTES).find_map(|minutes| {
                    zone.from_local_datetime(&(wall + TimeDelta::minutes(minutes))).earliest()
                });
                [after_gap.map(|time| time.to_utc()), None]
            }
        }
    }
}

fn parse_timezone(name: &str) -> Result<Zone, Error> {
    Zone::named(name).ok_or_else(|| Error {
        message: format!("no time zone is called `{name}`"),
        help: zone_advice(name),
        range: 0..name.len(),
        part: Part::Timezone,
    })
}

/// The expression of a nickname.
fn nickname(expression: &str, name: &str) -> Result<&'static str, Error> {
    const NICKNAMES: [(&str, &str); 7] = [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ];
    let known = NICKNAMES.iter().find(|(nickname, _)| nickname.eq_ignore_ascii_case(name));
    known.map(|(_, line)| *line).ok_or_else(|| {
        let help = "there are @hourly, @daily, @weekly, @monthly and @yearly";
        Error::at(0..expression.len(), format!("`{name}` is not a schedule"), help)
    })
}

/// The fields of an expression with their offsets.
fn split(line: &str) -> Vec<(usize, &str)> {
    line.split_whitespace().map(|field| (field.as_ptr() as usize - line.as_ptr() as usize, field)).collect()
}

/// The expression in the syntax of the crate: with seconds, weekdays from 1.
fn write_line(
    minute: Field,
    hour: Field,
    day: Option<Field>,
    month: Field,
    weekday: Option<Field>,
) -> String {
    let mut line = String::from("0");
    for (field, offset) in [(Some(minute), 0), (Some(hour), 0), (day, 0), (Some(month), 0), (weekday, 1)] {
        let Some(field) = field else {
            line.push_str(" *");
            continue;
        };
        for (index, value) in field.values().enumerate() {
            let before = if index == 0 { ' ' } else { ',' };
            let _ = write!(line, "{before}{}", value + offset);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, Timelike};

    fn cron(line: &str, zone: &str) -> Cron {
        Cron::parse(line, Some(zone)).unwrap()
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The next `count` times after `from`, in UTC, to the minute.
    fn table(line: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let cron = cron(line, zone);
        let mut at = utc(from);
        (0..count)
            .map(|_| {
                at = cron.next_after(at).unwrap();
                at.format("%Y-%m-%dT%H:%M").to_string()
            })
            .collect()
    }

    /// Expression, zone, start, and the following times in UTC.
    type Case = (&'static str, &'static str, &'static str, &'static [&'static str]);

    const MONDAY: &str = "2026-11-23T17:41:00Z";

    #[rustfmt::skip]
    const CASES: &[Case] = &[
        ("*/15 * * * *", "UTC", MONDAY, &["2026-11-23T17:45", "2026-11-23T18:00", "2026-11-23T18:15"]),
        ("41 17 * * *", "UTC", MONDAY, &["2026-11-24T17:41"]),
        ("0 9 * * MON-FRI", "UTC", MONDAY, &["2026-11-24T09:00", "2026-11-25T09:00", "2026-11-26T09:00"]),
        ("0 0 * * 0", "UTC", MONDAY, &["2026-11-29T00:00", "2026-12-06T00:00", "2026-12-13T00:00"]),
        ("0 0 * * 7", "UTC", MONDAY, &["2026-11-29T00:00", "2026-12-06T00:00", "2026-12-13T00:00"]),
        ("@weekly", "UTC", MONDAY, &["2026-11-29T00:00", "2026-12-06T00:00", "2026-12-13T00:00"]),
        ("0 0 * * SAT-SUN", "UTC", MONDAY, &["2026-11-28T00:00", "2026-11-29T00:00", "2026-12-05T00:00"]),
        ("0 0 * * 5-7", "UTC", MONDAY, &["2026-11-27T00:00", "2026-11-28T00:00", "2026-11-29T00:00"]),
        ("@monthly", "UTC", MONDAY, &["2026-12-01T00:00", "2027-01-01T00:00", "2027-02-01T00:00"]),
        ("@yearly", "UTC", MONDAY, &["2027-01-01T00:00", "2028-01-01T00:00", "2029-01-01T00:00"]),
        // Day of the month and weekday: "or", and "and" if one of them begins with `*` (croner).
        ("0 0 13 * FRI", "UTC", MONDAY, &["2026-11-27T00:00", "2026-12-04T00:00", "2026-12-11T00:00"]),
        ("0 0 13 */1 *", "UTC", MONDAY, &["2026-12-13T00:00", "2027-01-13T00:00", "2027-02-13T00:00"]),
        ("0 0 */2 * MON", "UTC", MONDAY, &["2026-12-07T00:00", "2026-12-21T00:00", "2027-01-11T00:00"]),
        ("0 0 1 * */2", "UTC", MONDAY, &["2026-12-01T00:00", "2027-04-01T00:00", "2027-05-01T00:00"]),
        // Days that not every month has.
        ("0 12 29 2 *", "UTC", MONDAY, &["2028-02-29T12:00", "2032-02-29T12:00", "2036-02-29T12:00"]),
        ("0 0 31 * *", "UTC", MONDAY, &["2026-12-31T00:00", "2027-01-31T00:00", "2027-03-31T00:00"]),
        ("0 0 30 2 MON", "UTC", MONDAY, &["2027-02-01T00:00", "2027-02-08T00:00"]),
        // A skipped time fires once, right after the change. London goes from 01:00 to 02:00 on 29 March 2026, New
        // York from 02:00 to 03:00 on 8 March, Lord Howe from 02:00 to 02:30 on 4 October.
        ("30 1 * * *", "Europe/London", "2026-03-27T12:00:00Z", &["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]),
        ("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", &["2026-03-08T07:00", "2026-03-09T06:30"]),
        ("*/20 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", &["2026-03-08T07:00", "2026-03-09T06:00"]), // croner
        ("0,30 1-3 * * *", "America/New_York", "2026-03-08T06:10:00Z", &["2026-03-08T06:30", "2026-03-08T07:00", "2026-03-08T07:30", "2026-03-09T05:00"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", &["2026-10-03T15:30", "2026-10-04T15:15"]),
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T00:00:00Z", &["2018-11-03T03:00", "2018-11-04T03:00", "2018-11-05T02:00"]),
        // Samoa had no 30 December 2011 (croner).
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", &["2011-12-30T10:00", "2012-12-29T22:00"]),
        // A repeated time fires once. London goes back from 02:00 to 01:00 on 25 October 2026, New York on 1
        // November, Lord Howe from 02:00 to 01:30 on 5 April.
        ("30 1 * * *", "Europe/London", "2026-10-24T12:00:00Z", &["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", &["2026-11-01T05:30", "2026-11-02T06:30"]),
        ("*/30 1 * * *", "America/New_York", "2026-11-01T04:00:00Z", &["2026-11-01T05:00", "2026-11-01T05:30", "2026-11-02T06:00"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-03T16:00:00Z", &["2026-04-04T14:45", "2026-04-05T15:15"]),
        // Every hour means every elapsed hour.
        ("0,50 * * * *", "Europe/London", "2026-10-24T23:55:00Z", &["2026-10-25T00:00", "2026-10-25T00:50", "2026-10-25T01:00", "2026-10-25T01:50", "2026-10-25T02:00"]), // croner
        ("30 * * * *", "Europe/London", "2026-03-29T00:00:00Z", &["2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"]),
        ("0 */2 * * *", "America/New_York", "2026-11-01T04:30:00Z", &["2026-11-01T07:00", "2026-11-01T09:00", "2026-11-01T11:00"]),
        ("15 */2 * * *", "America/New_York", "2026-03-08T05:30:00Z", &["2026-03-08T08:15", "2026-03-08T10:15"]),
    ];

    #[test]
    fn known_times() {
        let mut wrong = Vec::new();
        for (line, zone, from, expected) in CASES {
            let found = table(line, zone, from, expected.len());
            if found != *expected {
                wrong.push(format!("{line} in {zone}: {found:?} instead of {expected:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(cron("0 12 29 2 *", "UTC").next_after(utc("2096-03-01T00:00:00Z")), None);
    }

    #[test]
    fn agrees_with_a_plain_reading_minute_by_minute() {
        type Reading = fn(DateTime<Zone>) -> bool;
        let lines: [(&str, Reading); 3] = [
            ("*/7 8-18/5 * * *", |t| t.minute() % 7 == 0 && [8, 13, 18].contains(&t.hour())),
            ("0 6 1,15 * MON", |t| {
                (t.hour(), t.minute()) == (6, 0)
                    && ([1, 15].contains(&t.day()) || t.weekday() == chrono::Weekday::Mon)
            }),
            ("5 0 * 8,MAR *", |t| (t.hour(), t.minute()) == (0, 5) && [3, 8].contains(&t.month())),
        ];
        for (line, matches) in lines {
            let cron = cron(line, "Asia/Kolkata");
            let start = utc("2026-02-20T00:00:00Z");
            let mut expected = (1..60 * 24 * 14)
                .map(|minutes| start + TimeDelta::minutes(minutes))
                .filter(|time| matches(time.with_timezone(cron.timezone())));
            let mut at = start;
            for time in expected.by_ref() {
                at = cron.next_after(at).unwrap();
                assert_eq!(at, time, "{line}");
            }
        }
    }

    #[test]
    fn says_what_cannot_be() {
        let wrong = |line| Cron::parse(line, None).unwrap_err();
        assert_eq!(wrong("0 0 30 2 *").message, "`0 0 30 2 *` never happens");
        assert_eq!(wrong("0 0 31 4,6 *").message, "`0 0 31 4,6 *` never happens");
        // Extensions of other programs, which differ between them.
        for line in
            ["0 0 L * *", "0 0 15W * *", "0 0 * * MON#2", "0 0 ? * MON", "5/15 * * * *", "0 22-2 * * *"]
        {
            assert!(!wrong(line).help.is_empty(), "{line}");
        }
        assert!(wrong("0 0 9 * * *").help.contains("seconds"));
        assert_eq!(wrong("").message, "`` has 0 fields instead of 5");
        assert_eq!(wrong("  0   25 * * *").range, 6..8);
        assert_eq!(wrong("@reboot").message, "`@reboot` is not a schedule");
        let error = Cron::parse("0 9 * * *", Some("Europe/Lodnon")).unwrap_err();
        assert_eq!((error.part, error.help.as_str()), (Part::Timezone, "did you mean `Europe/London`?"));
        let help = |zone| Cron::parse("0 9 * * *", Some(zone)).unwrap_err().help;
        assert_eq!(help("berlin"), "did you mean `Europe/Berlin`?");
        assert_eq!(help("us/eastern"), "did you mean `US/Eastern`?");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(line in "[-0-9*/,?@A-Za-z é]{0,24}", zone in proptest::option::of("\\PC{0,12}")) {
            if let Ok(cron) = Cron::parse(&line, zone.as_deref()) {
                let from = utc("2026-03-29T00:30:00Z");
                if let Some(next) = cron.next_after(from) {
                    proptest::prop_assert!(next > from);
                }
            }
        }
    }
}
