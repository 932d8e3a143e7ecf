//! Filters on times. What is read and written is UTC unless a zone is named.

use chrono::{DateTime, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;
use minijinja::value::{Kwargs, Value as Datum, ValueKind};
use minijinja::{Error, State};

use super::input;
use crate::template::error::{advised, refusal};
use crate::template::number;
use crate::template::spec::Spec;
use crate::value::{Written, from_epoch, time_in};

pub(super) const SPECS: [Spec; 5] = [
    Spec::own(
        "date",
        "date(format='%Y-%m-%d', timezone='UTC', from='UTC', input=none)",
        "A time written in a strftime format and time zone. Takes ISO 8601, dates, `YYYY-MM-DD HH:MM:SS` and epoch seconds or milliseconds; `from` is the zone of times that name none, `input` the format of times written otherwise.",
        ("{{ '2026-11-23T23:30:00Z' | date('%d.%m.%Y %H:%M', 'Europe/Berlin') }}", r#""24.11.2026 00:30""#),
        |env, name| env.add_filter(name, date),
    ),
    Spec::own(
        "iso8601",
        "iso8601(timezone='UTC', from='UTC', input=none)",
        "A time as ISO 8601.",
        ("{{ '2026-11-23 09:00:00' | iso8601(from='Europe/London') }}", r#""2026-11-23T09:00:00.000Z""#),
        |env, name| env.add_filter(name, iso8601),
    ),
    Spec::own(
        "epoch",
        "epoch(from='UTC', input=none)",
        "A time as seconds since 1970.",
        ("{{ '2026-11-23' | epoch }}", "1795392000"),
        |env, name| env.add_filter(name, epoch),
    ),
    Spec::own(
        "epoch_ms",
        "epoch_ms(from='UTC', input=none)",
        "A time as milliseconds since 1970.",
        ("{{ '2026-11-23' | epoch_ms }}", "1795392000000"),
        |env, name| env.add_filter(name, epoch_ms),
    ),
    Spec::own(
        "add_time",
        "add_time(duration, timezone='UTC', from='UTC', input=none)",
        "A time moved by a duration such as `2d`, `-90m`, `1h30m`, `1mo` or `1y`, as ISO 8601; days and months keep the time of day in the zone.",
        ("{{ '2026-01-31T10:00:00Z' | add_time('1mo') }}", r#""2026-02-28T10:00:00.000Z""#),
        |env, name| env.add_filter(name, add_time),
    ),
];

/// What reading a time costs.
const READING: u64 = 50;

fn date(
    state: &State<'_, '_>,
    value: &Datum,
    format: Option<&str>,
    timezone: Option<&str>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let format = match format {
        Some(format) => format,
        None => kwargs.get::<Option<&str>>("format")?.unwrap_or("%Y-%m-%d"),
    };
    let time = read(state, value, &kwargs)?.with_timezone(&target(timezone, &kwargs)?);
    kwargs.assert_all_used()?;
    let items: Vec<_> = chrono::format::StrftimeItems::new(format).collect();
    if items.contains(&chrono::format::Item::Error) {
        let help = "formats are strftime's: %Y-%m-%d %H:%M:%S; a percent sign is %%";
        return Err(advised(format!("cannot read the format {format:?}"), help));
    }
    Ok(time.format_with_items(items.into_iter()).to_string())
}

fn iso8601(
    state: &State<'_, '_>,
    value: &Datum,
    timezone: Option<&str>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let zone = target(timezone, &kwargs)?;
    let time = read(state, value, &kwargs)?;
    kwargs.assert_all_used()?;
    Ok(written(time, zone))
}

fn written(time: DateTime<Utc>, zone: Tz) -> String {
    time.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn epoch(state: &State<'_, '_>, value: &Datum, kwargs: Kwargs) -> Result<i64, Error> {
    let time = read(state, value, &kwargs)?;
    kwargs.assert_all_used()?;
    Ok(time.timestamp())
}

fn epoch_ms(state: &State<'_, '_>, value: &Datum, kwargs: Kwargs) -> Result<i64, Error> {
    let time = read(state, value, &kwargs)?;
    kwargs.assert_all_used()?;
    Ok(time.timestamp_millis())
}

fn add_time(state: &State<'_, '_>, value: &Datum, by: &str, kwargs: Kwargs) -> Result<String, Error> {
    let zone = target(None, &kwargs)?;
    let time = read(state, value, &kwargs)?;
    kwargs.assert_all_used()?;
    let moved = moved(time, by, zone)?;
    let moved = moved.ok_or_else(|| refusal(format!("leads out of the calendar when it adds {by:?}")))?;
    Ok(written(moved, zone))
}

/// `time` moved by a duration in words; `None` beyond the calendar.
fn moved(time: DateTime<Utc>, by: &str, zone: Tz) -> Result<Option<DateTime<Utc>>, Error> {
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
    let (mut months, mut days, mut exact) = (0_u32, 0_i64, Duration::zero());
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(unreadable)?;
        let amount: u32 = rest[..digits].parse().map_err(|_| unreadable())?;
        let unit = &rest[digits..];
        let end = unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len());
        match &unit[..end] {
            "y" => months = months.saturating_add(amount.saturating_mul(12)),
            "mo" => months = months.saturating_add(amount),
            "w" => days += i64::from(amount) * 7,
            "d" => days += i64::from(amount),
            "h" => exact += Duration::hours(amount.into()),
            "m" => exact += Duration::minutes(amount.into()),
            "s" => exact += Duration::seconds(amount.into()),
            _ => return Err(unreadable()),
        }
        rest = unit[end..].trim_start();
    }
    Ok(step(time, zone, back, months, days, exact))
}

fn step(
    time: DateTime<Utc>,
    zone: Tz,
    back: bool,
    months: u32,
    days: i64,
    exact: Duration,
) -> Option<DateTime<Utc>> {
    let mut moved = time;
    if months > 0 || days > 0 {
        let local = time.with_timezone(&zone).naive_local();
        let months = Months::new(months);
        let local = if back { local.checked_sub_months(months) } else { local.checked_add_months(months) }?;
        let days = Duration::try_days(if back { -days } else { days })?;
        moved = in_zone(local.checked_add_signed(days)?, zone)?;
    }
    if back { moved.checked_sub_signed(exact) } else { moved.checked_add_signed(exact) }
}

/// A local time as UTC: the first of two where clocks go back, an hour later where it is skipped.
fn in_zone(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let found = zone.from_local_datetime(&local).earliest();
    let found =
        found.or_else(|| zone.from_local_datetime(&local.checked_add_signed(Duration::hours(1))?).earliest());
    found.map(|time| time.to_utc())
}

fn target(timezone: Option<&str>, kwargs: &Kwargs) -> Result<Tz, Error> {
    match timezone {
        Some(name) => zone(name),
        None => zone(kwargs.get::<Option<&str>>("timezone")?.unwrap_or("UTC")),
    }
}

fn zone(name: &str) -> Result<Tz, Error> {
    name.parse().map_err(|_| {
        advised(
            format!("knows no time zone {:?}", input::shortened(name)),
            "zones are named as in `Europe/London`",
        )
    })
}

fn read(state: &State<'_, '_>, value: &Datum, kwargs: &Kwargs) -> Result<DateTime<Utc>, Error> {
    state.consume_fuel(READING)?;
    let from = zone(kwargs.get::<Option<&str>>("from")?.unwrap_or("UTC"))?;
    let format: Option<&str> = kwargs.get("input")?;
    if value.kind() == ValueKind::Number {
        return from_epoch(&number::text(value)).ok_or_else(|| unreadable(&value.to_string()));
    }
    let Some(text) = value.as_str() else { return Err(input::unfit(value, "a time")) };
    let text = text.trim();
    let found = match format {
        Some(format) => by_format(text, format).and_then(|local| in_zone(local, from)),
        None => time_in(text).and_then(|found| match found {
            Written::Exact(time) => Some(time),
            Written::Local(local) => in_zone(local, from),
        }),
    };
    found.ok_or_else(|| unreadable(text))
}

fn unreadable(text: &str) -> Error {
    let message = format!("cannot read {:?} as a time", input::shortened(text));
    advised(message, "say how it is written: `date(…, input='%d/%m/%Y')`")
}

fn by_format(text: &str, format: &str) -> Option<NaiveDateTime> {
    if let Ok(time) = DateTime::parse_from_str(text, format) {
        return Some(time.naive_utc());
    }
    let local = NaiveDateTime::parse_from_str(text, format).ok();
    local.or_else(|| Some(NaiveDate::parse_from_str(text, format).ok()?.and_time(NaiveTime::MIN)))
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
    fn what_is_no_time_is_refused() {
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
