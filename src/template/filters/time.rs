//! Filters on times. Input and output are UTC unless a zone is named; a date without a time has no zone and is never
//! shifted.

use chrono::format::Item;
use chrono::{
    DateTime, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, SecondsFormat, TimeZone, Utc,
};
use minijinja::value::{Rest, Value as Datum, ValueKind};
use minijinja::{Error, State};

use super::input;
use super::strftime;
use crate::diagnostic::closest;
use crate::template::error::{advised, refusal};
use crate::template::filter_type::{Gives, Takes};
use crate::template::number;
use crate::template::spec::{Spec, own};
use crate::value::{Written, Zone, from_epoch, time_in};

pub(super) const SPECS: [Spec; 5] = [
    own!(
        add_filter(date),
        "date(format='%Y-%m-%d', timezone='UTC', from='UTC', input=none)",
        "A time written in a strftime format and time zone. Takes ISO 8601, dates, `YYYY-MM-DD HH:MM:SS`, an e-mail's date and epoch seconds or milliseconds (from 100,000,000,000 on); `from` is the zone of times that name none, `input` the format of times written otherwise. A date without a time stays that date in every zone.",
        ("{{ '2026-11-23T23:30:00Z' | date('%d.%m.%Y %H:%M', 'Europe/Berlin') }}", r#""24.11.2026 00:30""#)
    ).typed(Takes::Time, Gives::Day),
    own!(
        add_filter(iso8601),
        "iso8601(timezone='UTC', from='UTC', input=none)",
        "A time as ISO 8601. A date without a time becomes its beginning in the zone `from`, or else `timezone`.",
        ("{{ '2026-11-23 09:00:00' | iso8601(from='Europe/London') }}", r#""2026-11-23T09:00:00.000Z""#)
    ).typed(Takes::Time, Gives::Moment),
    own!(
        add_filter(epoch),
        "epoch(from='UTC', input=none)",
        "A time as seconds since 1970.",
        ("{{ '2026-11-23' | epoch }}", "1795392000")
    ).typed(Takes::Time, Gives::WholeNumber),
    own!(
        add_filter(epoch_ms),
        "epoch_ms(from='UTC', input=none)",
        "A time as milliseconds since 1970.",
        ("{{ '2026-11-23' | epoch_ms }}", "1795392000000")
    ).typed(Takes::Time, Gives::WholeNumber),
    own!(
        add_filter(add_time),
        "add_time(duration, timezone='UTC', from='UTC', input=none)",
        "A time moved by a duration such as `2d`, `-90m`, `1h30m`, `1mo` or `1y`, as ISO 8601; days and months keep the time of day in the zone. A date moved by days, weeks, months or years stays a date.",
        ("{{ '2026-01-31T10:00:00Z' | add_time('1mo') }}", r#""2026-02-28T10:00:00.000Z""#)
    ).typed(Takes::Time, Gives::Moved),
];

/// Fuel for parsing a time.
const READING: u64 = 50;

/// A time of the input.
#[derive(Debug, Clone, Copy)]
enum Time {
    Moment(DateTime<Utc>),
    /// A date without a time.
    Day(NaiveDate),
}

fn date(
    state: &State<'_, '_>,
    value: &Datum,
    format: Option<&str>,
    timezone: Option<&str>,
    reading: Rest<Option<String>>,
) -> Result<String, Error> {
    let (from, input) = input_options(&reading);
    let items = strftime::items(format.unwrap_or("%Y-%m-%d"))?;
    let zone = zone(timezone.unwrap_or("UTC"))?;
    match read(state, value, from, input)? {
        Time::Moment(time) => Ok(time.with_timezone(&zone).format_with_items(items.iter()).to_string()),
        Time::Day(day) => Ok(format_day(day, &zone, &items)),
    }
}

/// The arguments `from` and `input`, which come last: the engine supports at most five.
fn input_options(reading: &[Option<String>]) -> (Option<&str>, Option<&str>) {
    let text = |at: usize| reading.get(at).and_then(Option::as_deref);
    (text(0), text(1))
}

/// The day in `zone`, starting at its midnight; if that is skipped, with the previous offset.
fn format_day(day: NaiveDate, zone: &Zone, items: &[Item<'_>]) -> String {
    let midnight = day.and_time(NaiveTime::MIN);
    match zone.from_local_datetime(&midnight).earliest() {
        Some(time) => time.format_with_items(items.iter()).to_string(),
        None => {
            let offset = zone.offset_from_utc_datetime(&(midnight - Duration::days(1))).fix();
            let time = DateTime::<chrono::FixedOffset>::from_naive_utc_and_offset(midnight - offset, offset);
            time.format_with_items(items.iter()).to_string()
        }
    }
}

fn iso8601(
    state: &State<'_, '_>,
    value: &Datum,
    timezone: Option<&str>,
    from: Option<&str>,
    input: Option<&str>,
) -> Result<String, Error> {
    let shown = zone(timezone.unwrap_or("UTC"))?;
    let time = moment(read(state, value, from, input)?, from.or(timezone))?;
    Ok(written(time, &shown))
}

fn written(time: DateTime<Utc>, zone: &Zone) -> String {
    time.with_timezone(zone).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn epoch(
    state: &State<'_, '_>,
    value: &Datum,
    from: Option<&str>,
    input: Option<&str>,
) -> Result<i64, Error> {
    Ok(moment(read(state, value, from, input)?, from)?.timestamp())
}

fn epoch_ms(
    state: &State<'_, '_>,
    value: &Datum,
    from: Option<&str>,
    input: Option<&str>,
) -> Result<i64, Error> {
    Ok(moment(read(state, value, from, input)?, from)?.timestamp_millis())
}

/// The time, or the start of the day in the zone `name`.
fn moment(time: Time, name: Option<&str>) -> Result<DateTime<Utc>, Error> {
    match time {
        Time::Moment(time) => Ok(time),
        Time::Day(day) => {
            let zone = zone(name.unwrap_or("UTC"))?;
            in_zone(day.and_time(NaiveTime::MIN), &zone)
                .ok_or_else(|| refusal(format!("finds no {day} in {zone}, which skips that day")))
        }
    }
}

fn add_time(
    state: &State<'_, '_>,
    value: &Datum,
    by: &str,
    timezone: Option<&str>,
    reading: Rest<Option<String>>,
) -> Result<String, Error> {
    let (from, written_as) = input_options(&reading);
    let shown = zone(timezone.unwrap_or("UTC"))?;
    let shift = Shift::read(by)?;
    let beyond = || refusal(format!("leads out of the calendar when it adds {:?}", input::shortened(by)));
    let time = read(state, value, from, written_as)?;
    if let (Time::Day(day), true) = (time, shift.exact.is_zero()) {
        let moved = shift.local(day.and_time(NaiveTime::MIN)).ok_or_else(beyond)?;
        return Ok(moved.date().to_string());
    }
    let time = moment(time, from.or(timezone))?;
    Ok(written(shift.apply(time, &shown).ok_or_else(beyond)?, &shown))
}

/// A duration in its parts, because months have no fixed number of days, and days not always 24 hours.
struct Shift {
    back: bool,
    months: u32,
    days: i64,
    exact: Duration,
}

impl Shift {
    fn read(by: &str) -> Result<Self, Error> {
        let unreadable = || {
            let help = "durations are numbers with y, mo, w, d, h, m or s: `2d`, `-90m`, `1h30m`";
            advised(format!("cannot read the duration {:?}", input::shortened(by)), help)
        };
        let (back, mut rest) = match by.trim().strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, by.trim().trim_start_matches('+')),
        };
        if rest.is_empty() {
            return Err(unreadable());
        }
        let mut shift = Self { back, months: 0, days: 0, exact: Duration::zero() };
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(unreadable)?;
            let amount: u32 = rest[..digits].parse().map_err(|_| unreadable())?;
            let unit = &rest[digits..];
            let end = unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len());
            match &unit[..end] {
                "y" => shift.months = shift.months.saturating_add(amount.saturating_mul(12)),
                "mo" => shift.months = shift.months.saturating_add(amount),
                "w" => shift.days += i64::from(amount) * 7,
                "d" => shift.days += i64::from(amount),
                "h" => shift.exact += Duration::hours(amount.into()),
                "m" => shift.exact += Duration::minutes(amount.into()),
                "s" => shift.exact += Duration::seconds(amount.into()),
                _ => return Err(unreadable()),
            }
            rest = unit[end..].trim_start();
        }
        Ok(shift)
    }

    /// `local` plus months and days; `None` if out of range.
    fn local(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let months = Months::new(self.months);
        let moved =
            if self.back { local.checked_sub_months(months) } else { local.checked_add_months(months) }?;
        moved.checked_add_signed(Duration::try_days(if self.back { -self.days } else { self.days })?)
    }

    fn apply(&self, time: DateTime<Utc>, zone: &Zone) -> Option<DateTime<Utc>> {
        let mut moved = time;
        if self.months > 0 || self.days > 0 {
            moved = in_zone(self.local(time.with_timezone(zone).naive_local())?, zone)?;
        }
        if self.back { moved.checked_sub_signed(self.exact) } else { moved.checked_add_signed(self.exact) }
    }
}

/// Checks that `by` is a duration.
pub(in crate::template) fn check_duration(by: &str) -> Result<(), Error> {
    Shift::read(by).map(|_| ())
}

/// A local time as UTC: the first of two when clocks go back, an hour later when it is skipped.
fn in_zone(local: NaiveDateTime, zone: &Zone) -> Option<DateTime<Utc>> {
    let found = zone.from_local_datetime(&local).earliest();
    let found =
        found.or_else(|| zone.from_local_datetime(&local.checked_add_signed(Duration::hours(1))?).earliest());
    found.map(|time| time.to_utc())
}

/// The zone `name`.
pub(in crate::template) fn zone(name: &str) -> Result<Zone, Error> {
    Zone::named(name).ok_or_else(|| {
        let message = format!("knows no time zone {:?}", input::shortened(name));
        advised(message, zone_advice(name))
    })
}

/// What to do about an unknown time zone: `Europe/Berlin` is suggested for `Berlin`, `berlin` and `Europe/Brelin`.
pub fn zone_advice(name: &str) -> String {
    let names: Vec<String> = Zone::names().collect();
    let city = |zone: &&String| zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(name));
    let same = |zone: &&String| zone.eq_ignore_ascii_case(name);
    let known = names.iter().find(same).or_else(|| names.iter().find(city));
    match known {
        Some(zone) => format!("did you mean `{zone}`?"),
        None => match closest(name, names.iter().map(String::as_str)) {
            Some(suggestion) => suggestion.to_string(),
            None => "give a name of the IANA list, such as `Europe/London`".to_owned(),
        },
    }
}

fn read(
    state: &State<'_, '_>,
    value: &Datum,
    from: Option<&str>,
    format: Option<&str>,
) -> Result<Time, Error> {
    state.consume_fuel(READING)?;
    let from = zone(from.unwrap_or("UTC"))?;
    let text = match (value.kind(), value.as_str()) {
        (_, Some(text)) => text.trim().to_owned(),
        (ValueKind::Number, _) => number::text(value),
        _ => return Err(input::unfit(value, "a time")),
    };
    let found = match format {
        Some(format) => by_format(&text, format),
        None if value.kind() == ValueKind::Number => {
            if is_like_a_day(&text) {
                let message = format!("cannot tell whether {text} is a day or seconds since 1970");
                return Err(advised(message, "say so: `input='%Y%m%d'` or `input='%s'`"));
            }
            from_epoch(&text).map(Written::Exact)
        }
        None => time_in(&text),
    };
    let time = found.and_then(|found| match found {
        Written::Exact(time) => Some(Time::Moment(time)),
        Written::Local(local) => in_zone(local, &from).map(Time::Moment),
        Written::Day(day) => Some(Time::Day(day)),
    });
    time.ok_or_else(|| unreadable(&text, format))
}

/// Whether a number is a recent date written without separators. As epoch seconds it would be a day in 1970, which is
/// unlikely in data.
fn is_like_a_day(number: &str) -> bool {
    let first = |century: &str| number.starts_with(century);
    number.len() == 8 && (first("19") || first("20")) && matches!(time_in(number), Some(Written::Day(_)))
}

fn unreadable(text: &str, format: Option<&str>) -> Error {
    let message = format!("cannot read {:?} as a time", input::shortened(text));
    match format {
        Some(format) => advised(message, format!("`input` says that it is written as {format:?}")),
        None => advised(message, "say how it is written: `date(…, input='%d/%m/%Y')`"),
    }
}

fn by_format(text: &str, format: &str) -> Option<Written> {
    if let Ok(time) = DateTime::parse_from_str(text, format) {
        return Some(Written::Exact(time.to_utc()));
    }
    if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
        return Some(Written::Local(local));
    }
    NaiveDate::parse_from_str(text, format).ok().map(Written::Day)
}

#[cfg(test)]
mod tests {
    use crate::template::testing::{failure, value};
    use proptest::prelude::*;
    use serde_json::json;

    fn iso(text: serde_json::Value) -> serde_json::Value {
        value("{{ event.t | iso8601 }}", json!({ "t": text }))
    }

    #[test]
    fn common_ways_of_writing_a_time_are_read() {
        for text in [
            json!("2026-11-23T17:30:00Z"),
            json!("2026-11-23T17:30:00.000Z"),
            json!("2026-11-23T18:30:00+01:00"),
            json!("2026-11-23T18:30:00+0100"),
            json!("2026-11-23 17:30:00"),
            json!("2026-11-23T17:30"),
            json!("Mon, 23 Nov 2026 17:30:00 +0000"),
            json!(1_795_455_000),
            json!(1_795_455_000_000_i64),
            json!("1795455000000"),
        ] {
            assert_eq!(iso(text.clone()), json!("2026-11-23T17:30:00.000Z"), "{text}");
        }
        assert_eq!(iso(json!("2026-11-23")), json!("2026-11-23T00:00:00.000Z"));
        assert_eq!(iso(json!(1795455000.25)), json!("2026-11-23T17:30:00.250Z"));
    }

    #[test]
    fn zones_and_formats() {
        let shown = value(
            "{{ '2026-07-01 09:00:00' | date('%H:%M %Z', 'America/New_York', from='Europe/London') }}",
            json!({}),
        );
        assert_eq!(shown, json!("04:00 EDT"));
        assert_eq!(value("{{ '23/11/2026' | date(input='%d/%m/%Y') }}", json!({})), json!("2026-11-23"));
        assert_eq!(value("{{ now() | date('%A', timezone='Asia/Tokyo') }}", json!({})), json!("Tuesday"));
    }

    #[test]
    fn durations_keep_the_time_of_day() {
        let moved = |by: &str| {
            value(
                &format!("{{{{ '2026-03-28T12:00:00Z' | add_time('{by}', timezone='Europe/Berlin') }}}}"),
                json!({}),
            )
        };
        assert_eq!(moved("1d"), json!("2026-03-29T13:00:00.000+02:00"));
        assert_eq!(moved("24h"), json!("2026-03-29T14:00:00.000+02:00"));
        assert_eq!(moved("-1h30m"), json!("2026-03-28T11:30:00.000+01:00"));
        assert_eq!(moved("-1mo"), json!("2026-02-28T13:00:00.000+01:00"));
    }

    #[test]
    fn non_times_are_rejected() {
        for text in ["", "soon", "12/11/2026", "2026-13-01", "26-11-23", "12345"] {
            let error = failure("{{ event.t | date }}", json!({ "t": text }));
            assert!(error.message.contains("cannot read"), "{text}: {error}");
            assert!(error.help.unwrap().contains("input="));
        }
        assert_eq!(
            failure("{{ event.t | date }}", json!({ "t": null })).message,
            "`date` needs a time, but `event.t` is null"
        );
        assert!(failure("{{ now() | date('%Q') }}", json!({})).message.contains("format"));
        assert!(failure("{{ now() | date('%Y', 'Berlin') }}", json!({})).message.contains("Berlin"));
        assert!(failure("{{ now() | add_time('2 fortnights') }}", json!({})).message.contains("duration"));
        assert!(failure("{{ now() | add_time('4000000000y') }}", json!({})).message.contains("calendar"));
        assert!(failure("{{ now() | date('%Y', zone='UTC') }}", json!({})).message.contains("zone"));
    }

    #[test]
    fn a_date_without_a_time_has_no_zone() {
        for (text, wanted) in [
            ("{{ '1980-06-02' | date('%d.%m.%Y', 'America/New_York') }}", "02.06.1980"),
            ("{{ '1980-06-02' | date('%d.%m.%Y', timezone='Pacific/Kiritimati') }}", "02.06.1980"),
            ("{{ '1980-06-02' | date('%d.%m.%Y', 'America/New_York', from='Asia/Tokyo') }}", "02.06.1980"),
            ("{{ '1980/06/02' | date('%d.%m.%Y', 'America/New_York') }}", "02.06.1980"),
            ("{{ '19800602' | date('%d.%m.%Y', 'America/New_York') }}", "02.06.1980"),
            ("{{ '02/06/1980' | date('%Y-%m-%d', 'America/New_York', input='%d/%m/%Y') }}", "1980-06-02"),
            ("{{ 19800602 | date('%Y-%m-%d', 'America/New_York', input='%Y%m%d') }}", "1980-06-02"),
            ("{{ '2018-11-04' | date('%d.%m.%Y %H:%M', 'America/Sao_Paulo') }}", "04.11.2018 00:00"),
            ("{{ '2011-12-30' | date('%d.%m.%Y', 'Pacific/Apia') }}", "30.12.2011"),
            ("{{ '1980-06-02T00:00:00Z' | date('%d.%m.%Y', 'America/New_York') }}", "01.06.1980"),
            ("{{ '1980-06-02 00:00' | date('%d.%m.%Y', 'Europe/Berlin') }}", "02.06.1980"),
            ("{{ '1980-06-02' | iso8601 }}", "1980-06-02T00:00:00.000Z"),
            ("{{ '1980-06-02' | iso8601('America/New_York') }}", "1980-06-02T00:00:00.000-04:00"),
            ("{{ '1980-06-02' | iso8601(from='America/New_York') }}", "1980-06-02T04:00:00.000Z"),
            ("{{ '1980-06-02' | epoch(from='America/New_York') }}", "328766400"),
            ("{{ '2026-01-31' | add_time('1mo') }}", "2026-02-28"),
            ("{{ '2026-03-28' | add_time('1d', 'America/New_York') }}", "2026-03-29"),
            ("{{ '2026-03-28' | add_time('-2w', timezone='Europe/Berlin') }}", "2026-03-14"),
            (
                "{{ '2026-03-29' | add_time('12h', timezone='Europe/Berlin') }}",
                "2026-03-29T13:00:00.000+02:00",
            ),
            ("{{ '2026-03-29' | add_time('12h') }}", "2026-03-29T12:00:00.000Z"),
        ] {
            let got = value(text, json!({}));
            assert_eq!(got.as_str().map_or_else(|| got.to_string(), str::to_owned), wanted, "{text}");
        }
        let skipped = failure("{{ '2011-12-30' | iso8601('Pacific/Apia') }}", json!({}));
        assert!(skipped.message.contains("skips that day"), "{skipped}");
    }

    #[test]
    fn zones_in_the_input_format_count() {
        let shown = value(
            "{{ '28.11.2026 10:00 +0500' | iso8601(input='%d.%m.%Y %H:%M %z', from='America/New_York') }}",
            json!({}),
        );
        assert_eq!(shown, json!("2026-11-28T05:00:00.000Z"));
        assert_eq!(value("{{ 20261128 | date(input='%s') }}", json!({})), json!("1970-08-23"));
        let error = failure("{{ 20261128 | date }}", json!({}));
        assert!(error.message.contains("a day or seconds"), "{error}");
        let error = failure("{{ '28.11.26' | date(input='%d/%m/%Y') }}", json!({}));
        assert!(error.help.unwrap().contains("%d/%m/%Y"));
    }

    #[test]
    fn unknown_zones_and_formats_of_other_tools_get_a_suggestion() {
        for (zone, meant) in [
            ("Berlin", "Europe/Berlin"),
            ("europe/london", "Europe/London"),
            ("Europe/Brelin", "Europe/Berlin"),
        ] {
            let error = failure(&format!("{{{{ now() | date('%Y', '{zone}') }}}}"), json!({}));
            assert!(error.help.as_deref().is_some_and(|help| help.contains(meant)), "{error:?}");
        }
        let error = failure("{{ now() | date('YYYY-MM-DD') }}", json!({}));
        assert_eq!(error.help.as_deref(), Some("formats are strftime's: `%Y-%m-%d`"));
    }

    proptest! {
        #[test]
        fn no_text_or_number_panics(text in "\\PC{0,30}|[0-9TZ:. +/-]{0,30}", number in any::<f64>(), by in "-?([0-9]{1,12}(y|mo|w|d|h|m|s)){0,4}") {
            let template = crate::template::Template::parse("{{ event.t | date(event.t) }}{{ event.n | epoch_ms }}{{ now() | add_time(event.by, timezone='Europe/London') }}").unwrap();
            for event in [json!({ "t": text, "n": 0, "by": "1d" }), json!({ "t": "2026-01-01", "n": number, "by": "1d" }), json!({ "t": "2026-01-01", "n": 0, "by": by })] {
                let scope = crate::template::Scope::new(chrono::DateTime::UNIX_EPOCH).with("event", event);
                let _ = template.evaluate(&scope);
            }
        }
    }
}
