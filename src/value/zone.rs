//! Time zones of the IANA database for chrono's times, from the copy that the crate `jiff` carries. (`chrono-tz` adds
//! 1.5 MB more to the program, in tables that are relocated at each start.)

use std::fmt;
use std::sync::LazyLock;

use chrono::{Datelike, Timelike};
use chrono::{FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZoneDatabase};

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// The zone of this IANA name, in the database's spelling.
    pub fn named(name: &str) -> Option<Self> {
        let zone = DATABASE.get(name).ok()?;
        (zone.iana_name() == Some(name)).then_some(Self(zone))
    }

    /// UTC.
    pub fn utc() -> Self {
        Self(jiff::tz::TimeZone::UTC)
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// All names.
    pub fn names() -> impl Iterator<Item = String> {
        DATABASE.available().map(|name| name.as_str().to_owned())
    }

    fn offset(&self, offset: jiff::tz::Offset, local: civil::DateTime) -> ZoneOffset {
        let fixed = FixedOffset::east_opt(offset.seconds()).unwrap_or_else(|| chrono::Utc.fix());
        let time = timestamp(offset, local);
        let abbreviation = self.0.to_offset_info(time).abbreviation().into();
        ZoneOffset { fixed, abbreviation, zone: self.clone() }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The offset of a zone at one time. Displayed as its abbreviation (`CET`).
#[derive(Debug, Clone)]
pub struct ZoneOffset {
    fixed: FixedOffset,
    abbreviation: Box<str>,
    zone: Zone,
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.abbreviation)
    }
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.fixed
    }
}

impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone.clone()
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> LocalResult<ZoneOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> LocalResult<ZoneOffset> {
        let local = civil(local);
        match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => LocalResult::Single(self.offset(offset, local)),
            AmbiguousOffset::Gap { .. } => LocalResult::None,
            AmbiguousOffset::Fold { before, after } => {
                LocalResult::Ambiguous(self.offset(before, local), self.offset(after, local))
            }
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        let time = timestamp(jiff::tz::Offset::UTC, civil(utc));
        let offset = self.0.to_offset(time);
        self.offset(offset, offset.to_datetime(time))
    }
}

/// The time of a clock with this offset; beyond those that `jiff` knows, the nearest one of these.
fn timestamp(offset: jiff::tz::Offset, local: civil::DateTime) -> Timestamp {
    let nearest = if local.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    offset.to_timestamp(local).unwrap_or(nearest)
}

/// The same date and time; beyond the years that `jiff` knows, the nearest one of these.
fn civil(time: &NaiveDateTime) -> civil::DateTime {
    let small = |number: u32| i8::try_from(number).unwrap_or(i8::MAX);
    let year = i16::try_from(time.year()).ok();
    let date = year.and_then(|year| civil::Date::new(year, small(time.month()), small(time.day())).ok());
    let Some(date) = date else {
        return if time.year() < 0 { civil::DateTime::MIN } else { civil::DateTime::MAX };
    };
    let nanosecond = i32::try_from(time.nanosecond()).unwrap_or(0).min(999_999_999);
    date.at(small(time.hour()), small(time.minute()), small(time.second()), nanosecond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};

    fn local(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn clocks_that_are_changed_have_none_or_two_times() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        assert_eq!(berlin.from_local_datetime(&local("2026-03-29T02:30:00")), LocalResult::None);
        let twice = berlin.from_local_datetime(&local("2026-10-25T02:30:00"));
        let times =
            [twice.clone().earliest(), twice.latest()].map(|time| time.unwrap().to_utc().to_rfc3339());
        assert_eq!(times, ["2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00"]);
        let shown = |text: &str| text.parse::<DateTime<Utc>>().unwrap().with_timezone(&berlin).to_string();
        assert_eq!(shown("2026-10-25T00:59:59Z"), "2026-10-25 02:59:59 CEST");
        assert_eq!(shown("2026-10-25T01:00:00Z"), "2026-10-25 02:00:00 CET");
        // Rules go on for ever; before the first one it is local mean time.
        assert_eq!(shown("2150-07-01T00:00:00Z"), "2150-07-01 02:00:00 CEST");
        assert_eq!(shown("1850-01-01T00:00:00Z"), "1850-01-01 00:53:28 LMT");
    }

    #[test]
    fn names_are_those_of_the_database() {
        for name in Zone::names() {
            assert_eq!(Zone::named(&name).unwrap().name(), name);
        }
        assert!(Zone::names().count() > 590);
        for name in ["europe/berlin", "Berlin", "", "CEST", "+02:00"] {
            assert_eq!(Zone::named(name), None, "{name}");
        }
        assert_eq!(Zone::named("UTC").unwrap().to_string(), "UTC");
    }

    #[test]
    fn times_beyond_the_calendar_have_an_offset() {
        let tokyo = Zone::named("Asia/Tokyo").unwrap();
        for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let of_utc = tokyo.offset_from_utc_datetime(&time.naive_utc());
            let of_local = tokyo.offset_from_local_datetime(&time.naive_utc()).earliest().unwrap();
            assert_eq!(of_utc.fix(), of_local.fix(), "{time}");
        }
    }
}
