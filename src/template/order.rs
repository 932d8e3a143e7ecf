//! Order and equality of values: among numbers (including numbers as text), among texts, among times. Values of
//! different kinds have no order, so that no condition is true by accident.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDateTime, NaiveTime, Utc};
use minijinja::value::{Value as Datum, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::error::{advised, refusal};
use super::exact_number::Exact;
use super::filters::{describe, text};
use crate::value::{Written, time_in};

/// A sort key; the keys of one list have the same variant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Number(Exact),
    Moment(DateTime<Utc>),
    /// A date, or a time without a zone.
    Local(NaiveDateTime),
    Text(String),
}

/// The order of `left` and `right`.
pub(super) fn compare(left: &Datum, right: &Datum) -> Result<Ordering, Error> {
    let keys = keys(&[left, right], true)?;
    Ok(keys[0].cmp(&keys[1]))
}

/// Sort keys of `values`, or the error for the first that is incompatible with the others. Texts ignore case unless
/// `case_sensitive`.
pub(super) fn keys(values: &[&Datum], case_sensitive: bool) -> Result<Vec<Key>, Error> {
    if values.iter().any(|value| value.is_undefined()) {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if values.len() < 2 {
        return Ok(values.iter().map(|_| Key::Text(String::new())).collect());
    }
    let unordered = |value: &&Datum| !matches!(value.kind(), ValueKind::Number | ValueKind::String);
    if let Some(odd) = values.iter().position(unordered) {
        return Err(no_order(values[odd], values[usize::from(odd == 0)]));
    }
    if let Some(numbers) = all(values, number) {
        return Ok(numbers.into_iter().map(Key::Number).collect());
    }
    if let Some(number_at) = values.iter().position(|value| value.kind() == ValueKind::Number) {
        let odd = values.iter().find(|value| number(value).is_none()).unwrap_or(&values[number_at]);
        return Err(no_order(odd, values[number_at]));
    }
    match all(values, |value| time_in(value.as_str()?)) {
        Some(times) => time_keys(values, &times),
        None => Ok(values.iter().map(|value| Key::Text(folded(value, case_sensitive))).collect()),
    }
}

/// Whether the values are equal. A number as text equals the number; two texts are equal only character by character,
/// since ids are not numbers.
pub(super) fn equal(left: &Datum, right: &Datum) -> Result<bool, Error> {
    if left.is_undefined() || right.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    match (left.kind(), right.kind()) {
        (ValueKind::Number, ValueKind::String | ValueKind::Number)
        | (ValueKind::String, ValueKind::Number) => match (number(left), number(right)) {
            (Some(left), Some(right)) => Ok(left == right),
            _ => Ok(left == right),
        },
        (ValueKind::Bool, ValueKind::Number) | (ValueKind::Number, ValueKind::Bool) => Ok(false),
        _ => Ok(left == right),
    }
}

/// Whether `container` contains `value`: an item of a list, a key of a mapping, a part of a text.
pub(super) fn contains(state: &State<'_, '_>, container: &Datum, value: &Datum) -> Result<bool, Error> {
    if container.is_undefined() || value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if let Some(whole) = container.as_str() {
        state.consume_fuel((whole.len() / 64) as u64)?;
        return Ok(whole.contains(text(value)?.as_ref()));
    }
    match container.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            for member in container.try_iter()?.checked() {
                state.consume_fuel(1)?;
                if equal(&member?, value)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        ValueKind::Map => Ok(container.get_item(value).is_ok_and(|found| !found.is_undefined())),
        ValueKind::None => Err(advised(
            "looks into a list, a mapping or text, but this is null",
            "give it a value for that case: `… in (… | default([]))`",
        )),
        _ => Err(refusal(format!("looks into a list, a mapping or text, not into {}", describe(container)))),
    }
}

fn number(value: &Datum) -> Option<Exact> {
    match value.as_str() {
        Some(text) => Exact::read(text),
        None => Exact::from_number(value),
    }
}

fn all<T>(values: &[&Datum], read: impl Fn(&Datum) -> Option<T>) -> Option<Vec<T>> {
    values.iter().map(|value| read(value)).collect()
}

fn time_keys(values: &[&Datum], times: &[Written]) -> Result<Vec<Key>, Error> {
    let exact = |time: &Written| matches!(time, Written::Exact(_));
    let zoned = times.iter().position(exact);
    let bare = times.iter().position(|time| !exact(time));
    if let (Some(zoned), Some(bare)) = (zoned, bare) {
        return Err(advised(
            format!(
                "cannot order {} and {}: the first names no time zone",
                describe(values[bare]),
                describe(values[zoned])
            ),
            "compare days with `| date('%Y-%m-%d', 'Europe/London')` on the other, or say when it is: \
             `| iso8601(from='Europe/London')`",
        ));
    }
    let key = |time: &Written| match time {
        Written::Exact(time) => Key::Moment(*time),
        Written::Local(time) => Key::Local(*time),
        Written::Day(day) => Key::Local(day.and_time(NaiveTime::MIN)),
    };
    Ok(times.iter().map(key).collect())
}

fn folded(value: &Datum, case_sensitive: bool) -> String {
    let text = value.as_str().unwrap_or_default();
    if case_sensitive { text.to_owned() } else { text.to_lowercase() }
}

fn no_order(odd: &Datum, other: &Datum) -> Error {
    let message = format!("cannot order {} and {}", describe(odd), describe(other));
    let help = match odd.kind() {
        ValueKind::None => "give it a value for that case: `| default(0)`",
        ValueKind::String => "turn the text into a number with `| number`",
        ValueKind::Bool => "compare true and false with `==`",
        _ => "there is an order among numbers, among texts and among times; nothing else has one",
    };
    advised(message, help)
}

#[cfg(test)]
mod tests {
    use crate::template::ErrorKind;
    use crate::template::testing::{evaluate, failure, value};
    use serde_json::{Value, json};

    fn both(left: &Value, right: &Value) -> Value {
        json!({ "a": left, "b": right })
    }

    #[test]
    fn order_among_numbers_among_texts_and_among_times() {
        for (less, more) in [
            (json!(5), json!(50)),
            (json!(5), json!("50")),
            (json!("9"), json!("10")),
            (json!("9.99"), json!(10)),
            (json!(" 50 "), json!(51)),
            (json!(999), json!("1e3")),
            (json!("0.1"), json!(0.11)),
            (json!("-3"), json!(-2.5)),
            (json!(u64::MAX), json!("18446744073709551616")),
            (
                json!("12345678901234567890123456789012345678"),
                json!("12345678901234567890123456789012345679"),
            ),
            (json!("abc"), json!("abd")),
            (json!("50"), json!("abc")),
            (json!("2026-11-28"), json!("2026-11-29")),
            (json!("2026-11-28T10:00:00+02:00"), json!("2026-11-28T09:00:00Z")),
            (json!("2026-11-28 09:00"), json!("2026-11-28T10:00:00")),
            (json!("2026-11-28"), json!("2026-11-28 10:00")),
        ] {
            let event = both(&less, &more);
            for (text, wanted) in [
                ("{{ event.a < event.b }}", true),
                ("{{ event.a <= event.b }}", true),
                ("{{ event.a > event.b }}", false),
                ("{{ event.a >= event.b }}", false),
                ("{{ event.b > event.a }}", true),
                ("{{ event.a is lt(event.b) }}", true),
                ("{{ event.b is ge(event.a) }}", true),
                ("{{ [event] | selectattr('b', 'gt', event.a) | list | length == 1 }}", true),
                ("{{ [event] | rejectattr('a', 'le', event.b) | list | length == 1 }}", false),
                ("{{ ([event.b, event.a] | min) == event.a }}", true),
                ("{{ ([event.a, event.b] | max) == event.b }}", true),
            ] {
                assert_eq!(value(text, event.clone()), json!(wanted), "{text} {less} {more}");
            }
            assert_eq!(value("{{ [event.b, event.a] | sort }}", event), json!([less, more]));
        }
    }

    #[test]
    fn across_kinds_there_is_none() {
        for (left, right) in [
            (json!("abc"), json!(100)),
            (json!(""), json!(5)),
            (json!("1,000"), json!(5)),
            (json!("٣"), json!(5)),
            (json!(null), json!(5)),
            (json!(null), json!("x")),
            (json!(null), json!(null)),
            (json!(true), json!(0)),
            (json!(false), json!(true)),
            (json!([1]), json!(1)),
            (json!([1]), json!([2])),
            (json!({}), json!({ "a": 1 })),
            (json!("2026-11-28"), json!("2026-11-28T10:00:00Z")),
            (json!("2026-11-28 10:00"), json!("2026-11-28T10:00:00Z")),
            (json!("2026-11-28T10:00:00Z"), json!(1_795_455_000)),
        ] {
            for text in [
                "{{ event.a > event.b }}",
                "{{ event.b <= event.a }}",
                "{{ 1 < 2 < 3 and event.a < event.b }}",
                "x {% if event.a >= event.b %}y{% endif %}",
                "{{ [event.a, event.b] | max }}",
                "{{ [event.a, event.b] | min }}",
                "{{ [event.b, event.a] | sort }}",
                "{{ [event] | selectattr('a', 'gt', event.b) | list }}",
                "{{ [event.a] | select('lt', event.b) | list }}",
                "{{ event.a is ge(event.b) }}",
                "{{ [{'k': event.a}, {'k': event.b}] | sort(attribute='k') }}",
                "{{ {'x': event.a, 'y': event.b} | dictsort(by='value') }}",
            ] {
                let error = failure(text, both(&left, &right));
                assert!(error.message.contains("order"), "{text} {left} {right}: {error}");
                assert!(error.range.is_some_and(|range| range.len() > 1), "{text}");
            }
        }
    }

    #[test]
    fn the_caret_covers_the_comparison() {
        let text = "{{ 'a' if event.amount | default(0) > 100 else 'b' }}";
        let error = failure(text, json!({ "amount": "abc" }));
        assert_eq!(&text[error.range.unwrap()], "event.amount | default(0) > 100");
        assert_eq!(error.message, "cannot order the text \"abc\" and the number 100");
        assert_eq!(error.help.as_deref(), Some("turn the text into a number with `| number`"));
        let error = failure("{{ event.x < 5 }}", json!({}));
        assert_eq!(error.kind, ErrorKind::Undefined);
    }

    #[test]
    fn chains_and_equality() {
        let event = json!({ "n": "50", "id": "007", "none": null, "yes": true, "tags": ["1", "a"] });
        for (text, wanted) in [
            ("{{ 10 < event.n < 100 }}", true),
            ("{{ 10 < event.n < 20 }}", false),
            ("{{ 1 == 1.0 == 1 }}", true),
            ("{{ event.n == 50 }}", true),
            ("{{ 50.0 == event.n }}", true),
            ("{{ event.n != 50 }}", false),
            ("{{ event.n == '50.0' }}", false),
            ("{{ event.id == '7' }}", false),
            ("{{ event.id == 7 }}", true),
            ("{{ event.none == '' }}", false),
            ("{{ event.none == none }}", true),
            ("{{ event.none == 0 }}", false),
            ("{{ event.yes == 1 }}", false),
            ("{{ event.yes == true }}", true),
            ("{{ event.yes == 'true' }}", false),
            ("{{ 1 in event.tags }}", true),
            ("{{ 2 not in event.tags }}", true),
            ("{{ not 2 in event.tags }}", true),
            ("{{ 'a' in event.tags and 'b' not in event.tags }}", true),
            ("{{ 'id' in event }}", true),
            ("{{ '0' in event.id }}", true),
            ("{{ [1, '1', 2] | select('eq', 1) | list | length == 2 }}", true),
            ("{{ event.n is eq(50) }}", true),
            ("{{ event.n is in([50]) }}", true),
            ("{{ 'Zoe' < 'ada' }}", true),
            ("{{ (['Zoe', 'ada'] | min) == 'ada' }}", true),
        ] {
            assert_eq!(value(text, event.clone()), json!(wanted), "{text}");
        }
        for text in ["{{ 'x' in event.none }}", "{{ event.none in 'nonexistent' }}", "{{ 1 in 5 }}"] {
            assert!(evaluate(text, event.clone()).is_err(), "{text}");
        }
    }
}
