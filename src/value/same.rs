//! Equality of values across notations, because APIs reformat what they store.

use chrono::{DateTime, Utc};

use super::{Value, Written, time_in};

/// Minimum number of digits of a phone number without its country code.
const PHONE_DIGITS: usize = 7;

/// Whether `one` equals `other` in any notation: a number or a boolean as text, an e-mail address in another case, a
/// phone number with spaces or a country code, a time in another format, a list of texts in another order, a missing
/// value as null or empty text.
pub fn is_same(one: &Value, other: &Value) -> bool {
    if one == other || is_nothing(one) && is_nothing(other) {
        return true;
    }
    match (one, other) {
        (Value::Array(ones), Value::Array(others)) => ones.len() == others.len() && are_same(ones, others),
        (Value::Object(ones), Value::Object(others)) => {
            let keys = ones.keys().chain(others.keys());
            let mut keys = keys.map(|key| (ones.get(key), others.get(key)));
            keys.all(|(one, other)| is_same(one.unwrap_or(&Value::Null), other.unwrap_or(&Value::Null)))
        }
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => false,
        (Value::Number(_), _) | (_, Value::Number(_)) => {
            let (one, other) = (text(one), text(other));
            one == other || number(&one).is_some_and(|one| number(&other) == Some(one))
        }
        _ => is_same_text(&text(one), &text(other)),
    }
}

/// Whether `one` equals `other` in any notation, and in any case.
pub fn is_same_in_any_case(one: &Value, other: &Value) -> bool {
    let is_same_text = || Some(one.as_str()?.trim().to_lowercase() == other.as_str()?.trim().to_lowercase());
    is_same(one, other) || is_same_text().unwrap_or_default()
}

/// Item by item or, for scalars, in any order.
fn are_same(ones: &[Value], others: &[Value]) -> bool {
    let plain = |values: &[Value]| !values.iter().any(|value| value.is_array() || value.is_object());
    if !plain(ones) || !plain(others) {
        return ones.iter().zip(others).all(|(one, other)| is_same(one, other));
    }
    let contains = |all: &[Value], one: &Value| all.iter().any(|other| is_same(one, other));
    ones.iter().all(|one| contains(others, one)) && others.iter().all(|other| contains(ones, other))
}

/// Values that APIs return for a field that is not set.
pub fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned())
}

fn is_same_text(one: &str, other: &str) -> bool {
    one == other
        || is_address(one) && is_address(other) && one.eq_ignore_ascii_case(other)
        || time(one).is_some_and(|one| time(other) == Some(one))
        || is_same_phone(one, other)
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
        && !text.contains(' ')
}

/// A number in its shortest form: not `07` or a phone number.
fn number(text: &str) -> Option<f64> {
    let digits = text.trim_start_matches('-');
    let leads = digits.starts_with('0') && digits.len() > 1 && !digits.starts_with("0.");
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && digits.len() <= 15;
    text.parse().ok().filter(|_| plain && !leads)
}

/// A time with a zone, or a date.
fn time(text: &str) -> Option<DateTime<Utc>> {
    match time_in(text).filter(|_| text.contains('-'))? {
        Written::Exact(time) => Some(time),
        Written::Day(day) => Some(day.and_time(chrono::NaiveTime::MIN).and_utc()),
        Written::Local(_) => None,
    }
}

/// Equal digits, where one of them may lack the other's country code.
fn is_same_phone(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (phone(one), phone(other)) else { return false };
    match (one.strip_prefix('+'), other.strip_prefix('+')) {
        (Some(one), Some(other)) => one == other,
        (Some(whole), None) => is_national(whole, &other),
        (None, Some(whole)) => is_national(whole, &one),
        (None, None) => false,
    }
}

/// Whether `national` is the number `whole` without its country code of one to three digits.
fn is_national(whole: &str, national: &str) -> bool {
    let bare = national.strip_prefix('0').unwrap_or(national);
    whole == national || whole.strip_suffix(bare).is_some_and(|code| (1..=3).contains(&code.len()))
}

/// A phone number without punctuation.
fn phone(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|letter| !" -().\u{a0}/".contains(*letter)).collect();
    let bare = digits.strip_prefix('+').unwrap_or(&digits);
    let is_phone = bare.len() >= PHONE_DIGITS && bare.len() <= 15 && bare.bytes().all(|b| b.is_ascii_digit());
    is_phone.then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_of_one_value_are_the_same() {
        for (one, other) in [
            (json!("Ada"), json!(" Ada ")),
            (json!("Ada@Example.com"), json!("ada@example.com")),
            (json!("+447700900123"), json!("+44 7700 900-123")),
            (json!("07700 900123"), json!("+447700900123")),
            (json!("(555) 010-9999"), json!("+15550109999")),
            (json!(5), json!("5")),
            (json!(5.0), json!(5)),
            (json!(true), json!("true")),
            (json!(null), json!("")),
            (json!([]), json!(null)),
            (json!("2026-01-02T03:04:05Z"), json!("2026-01-02T03:04:05.000+00:00")),
            (json!("2026-01-02"), json!("2026-01-02T00:00:00Z")),
            (json!(["a", "b"]), json!(["b", "a"])),
            (json!({ "a": 1, "b": null }), json!({ "a": "1" })),
        ] {
            assert!(is_same(&one, &other) && is_same(&other, &one), "{one} {other}");
        }
    }

    #[test]
    fn other_values_are_not() {
        for (one, other) in [
            (json!("Ada"), json!("ada")),
            (json!("Ada@x"), json!("ada@x")),
            (json!("007"), json!("7")),
            (json!("007"), json!(7)),
            (json!("1.10"), json!("1.1")),
            (json!("12-345678"), json!("123-45678")),
            (json!("+447700900123"), json!("+447700900124")),
            (json!("7700900123"), json!("7700900124")),
            (json!(0), json!(null)),
            (json!(false), json!("")),
            (json!(["a"]), json!(["a", "b"])),
            (json!(["a", "a"]), json!(["a", "b"])),
            (json!({ "a": 1 }), json!({ "a": 1, "b": 2 })),
            (json!([{ "id": 1 }, { "id": 2 }]), json!([{ "id": 2 }, { "id": 1 }])),
            (json!("2026-01-02T03:04:05Z"), json!("2026-01-02T03:04:06Z")),
        ] {
            assert!(!is_same(&one, &other) && !is_same(&other, &one), "{one} {other}");
        }
    }
}
