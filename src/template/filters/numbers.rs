//! Filters that make or round numbers.

use minijinja::Error;
use minijinja::value::{Value as Datum, ValueKind};
use rust_decimal::{Decimal, RoundingStrategy};

use super::decimal::MAX_PLACES;
use super::input;
use crate::template::error::{advised, refusal};
use crate::template::filter_type::{Gives, Takes};
use crate::template::number;
use crate::template::spec::{Spec, own};

pub(super) const SPECS: [Spec; 6] = [
    own!(
        add_filter(to_number),
        "number(decimal='.')",
        "The number that a text stands for, with its thousands separators and currency sign taken off.",
        ("{{ '£1,234.50' | number }}", "1234.5")
    )
    .typed(Takes::NumberOrFlag, Gives::Number),
    own!(
        add_filter(int),
        "int",
        "The whole number, with what is behind the point cut off.",
        ("{{ '12.7' | int }}", "12")
    )
    .typed(Takes::NumberOrFlag, Gives::WholeNumber),
    own!(
        add_filter(to_number),
        "float(decimal='.')",
        "The same as `number`.",
        ("{{ '12.7' | float }}", "12.7")
    )
    .typed(Takes::NumberOrFlag, Gives::Number),
    own!(
        add_filter(round),
        "round(places=0, method='common')",
        "Rounded exactly, halves away from zero; `method` may be `even`, `ceil` or `floor`.",
        ("{{ 2.675 | round(2) }}", "2.68")
    )
    .typed(Takes::Number, Gives::Number),
    own!(add_filter(abs), "abs", "The number without its sign.", ("{{ -3 | abs }}", "3"))
        .typed(Takes::Number, Gives::Number),
    own!(add_filter(sum), "sum", "The exact sum of a list of numbers.", ("{{ [0.1, 0.2] | sum }}", "0.3"))
        .typed(Takes::Numbers, Gives::Number),
];

/// Decimal separators.
pub(in crate::template) const SIGNS: [&str; 2] = [".", ","];
/// Rounding methods.
pub(in crate::template) const METHODS: [&str; 4] = ["common", "even", "ceil", "floor"];

fn to_number(value: &Datum, point: Option<&str>) -> Result<Datum, Error> {
    let point = point.unwrap_or(".");
    match value.kind() {
        ValueKind::Number => Ok(number::snap_datum(value.clone())),
        ValueKind::Bool => Ok(Datum::from(i64::from(value.is_true()))),
        ValueKind::String => read(value.as_str().unwrap_or_default(), point).map(number::from_decimal),
        _ => Err(input::unfit(value, "a number")),
    }
}

/// Parses a number as written by people.
fn read(text: &str, point: &str) -> Result<Decimal, Error> {
    let (comma, point) = match point {
        "." => (',', '.'),
        "," => ('.', ','),
        other => return Err(refusal(format!("knows the decimal signs '.' and ',' only, not {other:?}"))),
    };
    let not_one = || {
        let message = format!("cannot read {:?} as a number", input::shortened(text));
        advised(message, "take out what is not part of the number, or say `number(decimal=',')`")
    };
    let bare = text.trim().trim_matches(|c: char| c.is_whitespace() || "$£€¥₹".contains(c));
    let (sign, digits) = match bare.strip_prefix(['-', '−']) {
        Some(rest) => ("-", rest.trim_start_matches(|c: char| c.is_whitespace() || "$£€¥₹".contains(c))),
        None => ("", bare.strip_prefix('+').unwrap_or(bare)),
    };
    let (whole, fraction) = match digits.split_once(point) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let groups: Vec<&str> =
        whole.split(|c: char| c == comma || c == '\'' || c == '_' || c.is_whitespace()).collect();
    let grouped = groups.len() == 1
        || (!groups[0].is_empty()
            && groups[0].len() <= 3
            && groups[1..].iter().all(|group| group.len() == 3));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !grouped || !groups.iter().all(|group| plain(group)) || !fraction.is_none_or(plain) {
        return Decimal::from_scientific(bare).map_err(|_| not_one());
    }
    let joined = format!("{sign}{}.{}", groups.concat(), fraction.unwrap_or("0"));
    let empty = groups.concat().is_empty() && fraction.unwrap_or_default().is_empty();
    if empty { Err(not_one()) } else { joined.parse().map_err(|_| not_one()) }
}

fn int(value: &Datum) -> Result<Datum, Error> {
    let number = to_number(value, None)?;
    if number.is_integer() {
        return Ok(number);
    }
    Ok(number::from_decimal(input::decimal(&number)?.trunc()))
}

fn round(value: &Datum, places: Option<u32>, method: Option<&str>) -> Result<Datum, Error> {
    let strategy = match method.unwrap_or("common") {
        "common" => RoundingStrategy::MidpointAwayFromZero,
        "ceil" => RoundingStrategy::ToPositiveInfinity,
        "floor" => RoundingStrategy::ToNegativeInfinity,
        "even" => RoundingStrategy::MidpointNearestEven,
        other => {
            return Err(refusal(format!("knows the methods common, even, ceil and floor, not {other:?}")));
        }
    };
    let places = places.unwrap_or(0);
    if places > MAX_PLACES {
        return Err(refusal(format!("has {MAX_PLACES} places at most")));
    }
    Ok(number::from_decimal(input::decimal(value)?.round_dp_with_strategy(places, strategy)))
}

fn abs(value: &Datum) -> Result<Datum, Error> {
    Ok(number::from_decimal(input::decimal(value)?.abs()))
}

fn sum(state: &minijinja::State<'_, '_>, value: &Datum) -> Result<Datum, Error> {
    if value.is_none() {
        return Err(input::unfit(value, "a list of numbers"));
    }
    let items = value.try_iter().map_err(|_| input::unfit(value, "a list of numbers"))?;
    let mut total = Decimal::ZERO;
    for item in items.checked() {
        state.consume_fuel(2)?;
        let item = input::decimal(&item?)?;
        total = total.checked_add(item).ok_or_else(|| refusal("came to more than 28 digits"))?;
    }
    Ok(number::from_decimal(total))
}

#[cfg(test)]
mod tests {
    use crate::template::testing::{failure, value};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn numbers_as_people_write_them() {
        let read = |text: &str| value("{{ event.n | number }}", json!({ "n": text }));
        for (text, wanted) in [
            ("1,234.50", json!(1234.5)),
            (" -3 ", json!(-3)),
            ("$ 1,000,000", json!(1_000_000)),
            ("-£5.25", json!(-5.25)),
            ("1 234", json!(1234)),
            ("1e3", json!(1000)),
            (".5", json!(0.5)),
            ("007", json!(7)),
        ] {
            assert_eq!(read(text), wanted, "{text}");
        }
        assert_eq!(value("{{ '1.234,50 €' | number(decimal=',') }}", json!({})), json!(1234.5));
    }

    #[test]
    fn non_numbers_are_rejected() {
        for text in ["", "abc", "1,23,4", "1.2.3", "12 apples", "-", ".", "1,234,5"] {
            let error = failure("{{ event.n | number }}", json!({ "n": text }));
            assert!(error.message.contains("cannot read"), "{text}: {error}");
        }
        let error = failure("{{ event.n | number }}", json!({ "n": null }));
        assert_eq!(error.message, "`number` needs a number, but `event.n` is null");
    }

    #[test]
    fn whole_numbers_and_rounding_do_not_see_binary_dust() {
        assert_eq!(value("{{ (19.9 * 100) | int }}", json!({})), json!(1990));
        assert_eq!(value("{{ (1.1 * 1.1) | round(2) }}", json!({})), json!(1.21));
        assert_eq!(value("{{ 1.005 | round(2) }}", json!({})), json!(1.01));
        assert_eq!(value("{{ -2.5 | round }}", json!({})), json!(-3));
        assert_eq!(value("{{ 2.1 | round(0, 'ceil') }}", json!({})), json!(3));
        assert_eq!(value("{{ -7.9 | int }}", json!({})), json!(-7));
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[0-9,.' $€+-]{0,20}|\\PC{0,20}") {
            let template = crate::template::Template::parse("{{ event | number }}").unwrap();
            let scope = crate::template::Scope::new(chrono::DateTime::UNIX_EPOCH).with("event", json!(text));
            let _ = template.evaluate(&scope);
        }
    }
}
