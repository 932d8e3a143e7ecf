//! Numbers of any size, compared exactly.

use std::cmp::Ordering;

use minijinja::value::{Value as Datum, ValueKind};

/// Maximum number of digits in an exponent.
const MAX_EXPONENT: usize = 9;

/// A decimal number: `0.DIGITS * 10^exponent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exact {
    negative: bool,
    exponent: i64,
    /// Without leading and trailing zeros; empty for zero.
    digits: String,
}

impl Exact {
    /// The number in `value`; `None` for other types, infinity and NaN.
    pub(super) fn from_number(value: &Datum) -> Option<Self> {
        if value.kind() != ValueKind::Number {
            return None;
        }
        if value.is_integer() {
            return Self::read(&value.to_string());
        }
        let float = f64::try_from(value.clone()).ok().filter(|float| float.is_finite())?;
        Self::read(&float.to_string())
    }

    /// Parses a JSON number with surrounding white space: `-12.50`, `1e3`. A leading `+` and a point without digits
    /// on one side are accepted; separators and currency signs are not.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !plain(whole) || !plain(fraction) {
            return None;
        }
        let written = format!("{whole}{fraction}");
        let digits = written.trim_start_matches('0');
        let leading = written.len() - digits.len();
        let digits = digits.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { negative: false, exponent: 0, digits });
        }
        let exponent = exponent + whole.len() as i64 - leading as i64;
        Some(Self { negative, exponent, digits })
    }
}

fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain && digits.len() <= MAX_EXPONENT { text.parse().ok() } else { None }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let size = (self.exponent, &self.digits).cmp(&(other.exponent, &other.digits));
        let size = if self.negative { size.reverse() } else { size };
        sign(self).cmp(&sign(other)).then(size)
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_in_text_are_read_exactly() {
        let ordered = [
            "-1e400",
            "-123456789012345678901234567890",
            "-2",
            "-1.5",
            "-1",
            "-0.1",
            "0",
            "1e-400",
            "0.1",
            "0.10000000000000000000000000001",
            "5e-1",
            "1",
            "9",
            "10",
            "1e3",
            "1001",
            "1e400",
        ];
        for pair in ordered.windows(2) {
            let (less, more) = (Exact::read(pair[0]).unwrap(), Exact::read(pair[1]).unwrap());
            assert!(less < more, "{pair:?}");
        }
        for same in [["1e3", "1000"], [" 50 ", "50.0"], ["-0", "0.00"], ["+.5", "0.5"], ["007", "7."]] {
            assert_eq!(Exact::read(same[0]), Exact::read(same[1]), "{same:?}");
        }
        for no in [
            "",
            " ",
            "abc",
            "1,000",
            "1_000",
            "٣",
            "0x10",
            "NaN",
            "inf",
            "1e",
            "e3",
            ".",
            "1 2",
            "--1",
            "1e99999999999",
        ] {
            assert_eq!(Exact::read(no), None, "{no}");
        }
        assert_eq!(Exact::from_number(&Datum::from(0.1)), Exact::read("0.1"));
        assert_eq!(Exact::from_number(&Datum::from(u64::MAX)), Exact::read("18446744073709551615"));
        assert_eq!(Exact::from_number(&Datum::from(f64::NAN)), None);
    }

    proptest! {
        #[test]
        fn it_orders_floats_as_they_are(a in prop::num::f64::NORMAL, b in prop::num::f64::NORMAL) {
            let exact = |float: f64| Exact::from_number(&Datum::from(float)).unwrap();
            prop_assert_eq!(exact(a).cmp(&exact(b)), a.partial_cmp(&b).unwrap());
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,20}|[0-9.eE+-]{0,12}") {
            let _ = Exact::read(&text);
        }
    }
}
