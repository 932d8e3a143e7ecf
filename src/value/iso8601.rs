//! ISO 8601 and common variants: `2026-11-28T10:00Z`, `20261128T100000,5+01`, `2026-W48-6`, `2026-332`, `2026/11/28
//! 10:00`. Nothing is ambiguous: national orders of day and month are not ISO 8601.

use std::sync::OnceLock;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc, Weekday};
use regex::{Captures, Regex};

/// A time in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Complete, with a zone.
    Exact(DateTime<Utc>),
    /// Without a zone.
    Local(NaiveDateTime),
    /// A date, without time and zone.
    Day(NaiveDate),
}

/// Smaller numbers are more likely counts or codes.
const FIRST_YEAR: i32 = 1000;
/// Nanoseconds of a second; chrono represents a leap second beyond them.
const SECOND: u32 = 1_000_000_000;

const PATTERN: &str = r"(?x)^
    (?<year>[0-9]{4})
    (?: -(?<month>[0-9]{1,2})-(?<day>[0-9]{1,2})
      | /(?<slash_month>[0-9]{1,2})/(?<slash_day>[0-9]{1,2})
      | (?<basic_month>[0-9]{2})(?<basic_day>[0-9]{2})
      | -?W(?<week>[0-9]{2})-?(?<weekday>[1-7])
      | -(?<ordinal>[0-9]{3})
    )
    (?: (?<separator>[Tt]|\ +)
        (?<hour>[0-9]{1,2})
        (?: (?<colon>:?)(?<minute>[0-9]{2}) (?: :?(?<second>[0-9]{2}) (?: [.,](?<fraction>[0-9]+) )? )? )?
        (?: \ ? (?: (?<utc>[Zz]|UTC|GMT) | (?<sign>[+\-−])(?<zone_hour>[0-9]{2})(?: :?(?<zone_minute>[0-9]{2}))? ) )?
    )?
    $";

/// Parses `text`, which has no surrounding white space.
pub(super) fn read(text: &str) -> Option<Written> {
    static FORM: OnceLock<Option<Regex>> = OnceLock::new();
    let form = FORM.get_or_init(|| Regex::new(PATTERN).ok()).as_ref()?;
    let found = form.captures(text)?;
    let day = day(&found)?;
    if found.name("separator").is_none() {
        return Some(Written::Day(day));
    }
    let local = at(day, &found)?;
    match offset(&found)? {
        Some(offset) => {
            let time: DateTime<FixedOffset> = local.and_local_timezone(offset).single()?;
            Some(Written::Exact(time.to_utc()))
        }
        None => Some(Written::Local(local)),
    }
}

fn day(found: &Captures<'_>) -> Option<NaiveDate> {
    let year = number(found, "year")?.try_into().ok().filter(|year| *year >= FIRST_YEAR)?;
    if let (Some(week), Some(weekday)) = (number(found, "week"), number(found, "weekday")) {
        let weekday = Weekday::try_from(u8::try_from(weekday - 1).ok()?).ok()?;
        return NaiveDate::from_isoywd_opt(year, week, weekday);
    }
    if let Some(ordinal) = number(found, "ordinal") {
        return NaiveDate::from_yo_opt(year, ordinal);
    }
    let of = |names: [&str; 3]| names.into_iter().find_map(|name| number(found, name));
    let month = of(["month", "slash_month", "basic_month"])?;
    NaiveDate::from_ymd_opt(year, month, of(["day", "slash_day", "basic_day"])?)
}

/// The time of day on `day`; 24:00 is the start of the next day.
fn at(day: NaiveDate, found: &Captures<'_>) -> Option<NaiveDateTime> {
    let (hour, minute) = (number(found, "hour")?, number(found, "minute"));
    let short = found.name("hour").is_some_and(|hour| hour.len() == 1);
    let colon = found.name("colon").is_some_and(|colon| !colon.is_empty());
    let spaced = found.name("separator").is_some_and(|separator| separator.as_str().starts_with(' '));
    if (short && !colon) || (spaced && minute.is_none()) {
        return None;
    }
    let (minute, second) = (minute.unwrap_or(0), number(found, "second").unwrap_or(0));
    let fraction = found.name("fraction").map_or("", |fraction| fraction.as_str());
    let nanoseconds: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    if hour == 24 {
        let exact = minute == 0 && second == 0 && nanoseconds == 0;
        return if exact { day.succ_opt()?.and_time(NaiveTime::MIN).into() } else { None };
    }
    let time = match second {
        60 => NaiveTime::from_hms_nano_opt(hour, minute, 59, SECOND + nanoseconds),
        _ => NaiveTime::from_hms_nano_opt(hour, minute, second, nanoseconds),
    };
    Some(day.and_time(time?))
}

/// The offset, if there is one; `None` if it is invalid.
fn offset(found: &Captures<'_>) -> Option<Option<FixedOffset>> {
    if found.name("utc").is_some() {
        return FixedOffset::east_opt(0).map(Some);
    }
    let Some(hours) = number(found, "zone_hour") else { return Some(None) };
    let minutes = number(found, "zone_minute").unwrap_or(0);
    if minutes > 59 {
        return None;
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    let east = found.name("sign").is_some_and(|sign| sign.as_str() == "+");
    FixedOffset::east_opt(if east { seconds } else { -seconds }).map(Some)
}

fn number(found: &Captures<'_>, name: &str) -> Option<u32> {
    found.name(name)?.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_ways_of_writing_one_time() {
        let ten = Written::Exact("2026-11-28T10:00:00Z".parse().unwrap());
        for text in [
            "2026-11-28T10:00:00Z",
            "2026-11-28T10:00Z",
            "2026-11-28T10Z",
            "2026-11-28t10:00:00z",
            "2026-11-28 10:00:00Z",
            "2026-11-28 10:00:00 UTC",
            "2026-11-28T10:00:00 GMT",
            "2026-11-28T10:00:00.000Z",
            "2026-11-28T10:00:00,000Z",
            "20261128T100000Z",
            "20261128T1000Z",
            "20261128T110000+0100",
            "2026-11-28T11:00:00+01",
            "2026-11-28T11:00:00+0100",
            "2026-11-28T11:00+01:00",
            "2026-11-28T05:00:00−05:00",
            "2026-11-28T15:30:00+05:30",
            "2026-11-27T24:00:00-10:00",
            "2026-W48-6T10:00:00Z",
            "2026W486T100000Z",
            "2026-332T10:00:00Z",
            "2026/11/28 10:00 +00:00",
        ] {
            assert_eq!(read(text), Some(ten), "{text}");
        }
        let local = Written::Local("2026-11-28T09:05:00".parse().unwrap());
        for text in ["2026-11-28T09:05", "2026-11-28 9:05", "20261128T090500", "2026-11-28  09:05:00"] {
            assert_eq!(read(text), Some(local), "{text}");
        }
        let day = Written::Day("2026-11-28".parse().unwrap());
        for text in ["2026-11-28", "2026/11/28", "20261128", "2026-W48-6", "2026W486", "2026-332"] {
            assert_eq!(read(text), Some(day), "{text}");
        }
        let fraction = Written::Exact("2026-11-28T10:00:00.123456789Z".parse().unwrap());
        assert_eq!(read("2026-11-28T10:00:00,1234567891Z"), Some(fraction));
        let midnight = Written::Local("2026-11-29T00:00:00".parse().unwrap());
        assert_eq!(read("2026-11-28T24:00"), Some(midnight));
    }

    #[test]
    fn unknown_shapes_are_not_guessed() {
        for text in [
            "",
            "2026",
            "2026-11",
            "2026-13-01",
            "2026-02-30",
            "2026-00-10",
            "28/11/2026",
            "11-28-2026",
            "26-11-28",
            "0026-11-28",
            "2026-11-28T",
            "2026-11-28Z",
            "2026-11-28T25:00Z",
            "2026-11-28T24:01Z",
            "2026-11-28T10:60Z",
            "2026-11-28T10:00:61Z",
            "2026-11-28 10",
            "2026-11-28T930Z",
            "2026-11-28T10:00:00+1",
            "2026-11-28T10:00+25:00",
            "2026-11-28T10:00+01:60",
            "2026-11-28T10:00:00 CET",
            "2026-W54-1",
            "2026-W48",
            "2026-W48-8",
            "2026-366",
            "2026-11-28T10:00:00Z Z",
            "٢٠٢٦-١١-٢٨",
            "2026-11-28T10:00:00.Z",
            "20261128100000",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
