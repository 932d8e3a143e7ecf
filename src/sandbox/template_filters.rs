//! Filters of `sandbox.yaml` beyond the template engine's own.

use minijinja::{Environment, Value as Any};
use rlibphonenumber::enums::Region;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

use super::time;

/// Adds all of them.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_filter("e164", e164);
    environment.add_filter("epoch_ms", epoch_ms);
    environment.add_filter("iso", iso);
    environment.add_filter("local_time", local_time);
    environment.add_filter("date", date);
    environment.add_filter("minutes_later", minutes_later);
    environment.add_filter("pad", pad);
    environment.add_filter("slug", slug);
    environment.add_filter("without", without);
}

/// `'07700 900123' | e164('GB')` → `+447700900123`; other text is unchanged.
fn e164(text: &str, country: &str) -> String {
    match PHONE_NUMBER_UTIL.parse(text, Region::try_from(country).ok()) {
        Ok(number) => number.format_as(PhoneNumberFormat::E164).to_string(),
        Err(_) => text.to_owned(),
    }
}

/// A time in any notation as milliseconds since 1970.
fn epoch_ms(value: &Any) -> Any {
    instant(value).map_or(Any::UNDEFINED, Any::from)
}

/// A time in any notation as ISO 8601 in UTC.
fn iso(value: &Any) -> Any {
    instant(value).map_or(Any::UNDEFINED, |ms| Any::from(time::iso(ms)))
}

/// A time in any notation as `YYYY-MM-DD HH:mm:ss`.
fn local_time(value: &Any) -> Any {
    instant(value).map_or(Any::UNDEFINED, |ms| Any::from(time::local(ms)))
}

/// A time in any notation as `YYYY-MM-DD`.
fn date(value: &Any) -> Any {
    instant(value).map_or(Any::UNDEFINED, |ms| Any::from(time::iso(ms)[..10].to_owned()))
}

/// A time in any notation plus a number of minutes, as ISO 8601 in UTC.
fn minutes_later(value: &Any, minutes: i64) -> Any {
    instant(value).map_or(Any::UNDEFINED, |ms| Any::from(time::iso(ms + minutes * 60_000)))
}

/// A number with leading zeros.
fn pad(number: i64, width: usize) -> String {
    format!("{number:0width$}")
}

/// Lower-case words joined by `-`.
fn slug(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

/// A list without the members of another one.
fn without(list: Vec<Any>, others: Vec<Any>) -> Vec<Any> {
    list.into_iter().filter(|member| !others.contains(member)).collect()
}

fn instant(value: &Any) -> Option<i64> {
    if let Ok(number) = i64::try_from(value.clone()) {
        return Some(number);
    }
    time::parse(value.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_become_e164_or_stay() {
        assert_eq!(e164("07700 900123", "GB"), "+447700900123");
        assert_eq!(e164("+1 (202) 555-0143", "GB"), "+12025550143");
        assert_eq!(e164("none", "GB"), "none");
    }

    #[test]
    fn times_convert_both_ways() {
        let ms = epoch_ms(&Any::from("2026-11-02T09:00:00Z"));
        assert_eq!(iso(&ms).as_str(), Some("2026-11-02T09:00:00.000Z"));
        assert_eq!(minutes_later(&ms, 30).as_str(), Some("2026-11-02T09:30:00.000Z"));
        assert!(epoch_ms(&Any::from("soon")).is_undefined());
    }
}
