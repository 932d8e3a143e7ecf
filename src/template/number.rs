//! Numbers without binary rounding errors: 15 significant digits convert exactly in both directions.

use minijinja::value::{Value as Datum, ValueKind};
use rust_decimal::Decimal;
use serde_json::Number;

/// Integers up to here are exact in a float.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// `number` rounded to 15 significant digits.
pub(super) fn snap(number: f64) -> f64 {
    if !number.is_finite() {
        return number;
    }
    format!("{number:.14e}").parse().unwrap_or(number)
}

/// A float rounded to 15 significant digits, as an integer if it is one; other values unchanged.
pub(super) fn snap_datum(value: Datum) -> Datum {
    match float(&value) {
        Some(float) => from_float(float),
        None => value,
    }
}

/// A number as a value of the engine: rounded, and an integer if possible.
pub(super) fn from_float(number: f64) -> Datum {
    let number = snap(number);
    if number.fract() == 0.0 && number.abs() < EXACT {
        Datum::from(number as i64)
    } else {
        Datum::from(number)
    }
}

/// A number as JSON: rounded, and an integer if possible. `None` for NaN, infinity, and integers beyond 64 bits.
pub(super) fn to_json(value: &Datum) -> Option<Number> {
    if let Some(float) = float(value) {
        let number = snap(float);
        let whole = number.fract() == 0.0 && number.abs() < EXACT;
        return if whole { Some(Number::from(number as i64)) } else { Number::from_f64(number) };
    }
    match i64::try_from(value.clone()) {
        Ok(number) => Some(Number::from(number)),
        Err(_) => u64::try_from(value.clone()).ok().map(Number::from),
    }
}

/// A number as text: no exponent, no `.0`.
pub(super) fn text(value: &Datum) -> String {
    match float(value) {
        Some(float) => {
            let snapped = snap(float);
            if snapped == 0.0 { "0".to_owned() } else { snapped.to_string() }
        }
        None => value.to_string(),
    }
}

/// The exact decimal of a number; `None` beyond 28 digits.
pub(super) fn decimal(value: &Datum) -> Option<Decimal> {
    text(value).parse().ok()
}

/// A decimal as a value of the engine: an integer if it is one, otherwise a float.
pub(super) fn from_decimal(number: Decimal) -> Datum {
    let number = number.normalize();
    if number.scale() == 0
        && let Ok(whole) = i64::try_from(number)
    {
        return Datum::from(whole);
    }
    Datum::from(number.to_string().parse().unwrap_or(f64::NAN))
}

fn float(value: &Datum) -> Option<f64> {
    if value.kind() == ValueKind::Number && !value.is_integer() {
        return f64::try_from(value.clone()).ok();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn binary_dust_goes_away() {
        assert_eq!(snap(19.9 * 100.0), 1990.0);
        assert_eq!(snap(0.1 + 0.2), 0.3);
        assert_eq!(to_json(&Datum::from(19.9 * 100.0)), Some(Number::from(1990)));
        assert_eq!(to_json(&Datum::from(f64::NAN)), None);
        assert_eq!(text(&Datum::from(-0.0)), "0");
    }

    proptest! {
        #[test]
        fn amounts_times_a_hundred_are_the_cents(cents in -10_000_000_000_i64..10_000_000_000) {
            let amount = cents as f64 / 100.0;
            prop_assert_eq!(to_json(&Datum::from(amount * 100.0)), Some(Number::from(cents)));
        }

        #[test]
        fn snapping_changes_little_and_only_once(number in prop::num::f64::NORMAL) {
            let snapped = snap(number);
            prop_assert_eq!(snap(snapped), snapped);
            prop_assert!(((snapped - number) / number).abs() <= 5e-15);
        }
    }
}
