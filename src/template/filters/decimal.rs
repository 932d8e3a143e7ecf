//! Exact decimal arithmetic, for money.

use minijinja::Error;
use minijinja::value::Value as Datum;
use rust_decimal::{Decimal, RoundingStrategy};

use super::input;
use crate::template::error::refusal;
use crate::template::filter_type::{Gives, Takes};
use crate::template::number;
use crate::template::spec::{Spec, own};

pub(super) const SPECS: [Spec; 5] = [
    own!(add_filter(plus), "plus(number)", "The exact sum.", ("{{ '19.90' | plus(0.1) }}", "20"))
        .typed(Takes::Number, Gives::Number),
    own!(add_filter(minus), "minus(number)", "The exact difference.", ("{{ 0.3 | minus(0.1) }}", "0.2"))
        .typed(Takes::Number, Gives::Number),
    own!(add_filter(times), "times(number)", "The exact product.", ("{{ 19.9 | times(100) }}", "1990"))
        .typed(Takes::Number, Gives::Number),
    own!(
        add_filter(divided_by),
        "divided_by(number)",
        "The quotient, exact to 28 digits.",
        ("{{ 1990 | divided_by(100) }}", "19.9")
    )
    .typed(Takes::Number, Gives::Number),
    own!(
        add_filter(fixed),
        "fixed(places=2)",
        "The number as text with exactly so many places, rounded with halves away from zero.",
        ("{{ 1234.5 | fixed(2) }}", r#""1234.50""#)
    )
    .typed(Takes::Number, Gives::Text),
];

/// Maximum of decimal places.
pub(in crate::template) const MAX_PLACES: u32 = 28;

fn plus(value: &Datum, other: &Datum) -> Result<Datum, Error> {
    calculate(value, other, Decimal::checked_add)
}

fn minus(value: &Datum, other: &Datum) -> Result<Datum, Error> {
    calculate(value, other, Decimal::checked_sub)
}

fn times(value: &Datum, other: &Datum) -> Result<Datum, Error> {
    calculate(value, other, Decimal::checked_mul)
}

fn divided_by(value: &Datum, other: &Datum) -> Result<Datum, Error> {
    if input::decimal(other)?.is_zero() {
        return Err(refusal("cannot divide by zero"));
    }
    calculate(value, other, Decimal::checked_div)
}

fn calculate(
    value: &Datum,
    other: &Datum,
    operation: fn(Decimal, Decimal) -> Option<Decimal>,
) -> Result<Datum, Error> {
    let result = operation(input::decimal(value)?, input::decimal(other)?);
    result.map(number::from_decimal).ok_or_else(|| refusal("comes to more than 28 digits"))
}

fn fixed(value: &Datum, places: Option<u32>) -> Result<String, Error> {
    let places = places.unwrap_or(2);
    if places > MAX_PLACES {
        return Err(refusal(format!("has {MAX_PLACES} places at most")));
    }
    let mut number =
        input::decimal(value)?.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    number.rescale(places);
    Ok(number.to_string())
}

#[cfg(test)]
mod tests {
    use crate::template::testing::{failure, value};
    use serde_json::json;

    #[test]
    fn money_is_exact() {
        assert_eq!(value("{{ event.a | times(100) | int }}", json!({ "a": "1.15" })), json!(115));
        assert_eq!(value("{{ 10 | divided_by(3) | round(2) }}", json!({})), json!(3.33));
        assert_eq!(value("{{ 0.005 | fixed }}", json!({})), json!("0.01"));
        assert_eq!(value("{{ 5 | fixed(0) }}", json!({})), json!("5"));
    }

    #[test]
    fn impossible_arithmetic_is_rejected() {
        assert_eq!(
            failure("{{ 1 | divided_by(0) }}", json!({})).message,
            "`divided_by` cannot divide by zero"
        );
        assert!(failure("{{ 1e28 | times(1e28) }}", json!({})).message.contains("28 digits"));
        let error = failure("{{ event.a | plus(1) }}", json!({ "a": "1,234" }));
        assert_eq!(error.message, "`plus` needs a number, but `event.a` is the text \"1,234\"");
        assert_eq!(error.help.as_deref(), Some("turn it into one with `| number`"));
    }
}
