//! Durations as people write them: `90s`, `2h30m`.

use std::time::Duration;

/// The longest duration: ten years.
const MAX_DURATION: Duration = Duration::from_secs(3650 * 24 * 3600);

/// Why a duration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a sequence of numbers with units.
    #[error("`{0}` is not a duration; write numbers with units, such as `90s` or `2h30m` (ms, s, m, h, d)")]
    Unreadable(String),
    /// Zero.
    #[error("`{0}` is zero; write a longer time, such as `1s`")]
    Zero(String),
    /// More than ten years.
    #[error("`{0}` is longer than ten years")]
    TooLong(String),
}

/// Parses `500ms`, `90s`, `5m`, `2h30m`, `1d`.
pub fn parse(text: &str) -> Result<Duration, Error> {
    let unreadable = || Error::Unreadable(text.chars().take(40).collect());
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(unreadable());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let milliseconds: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(unreadable()),
        };
        if number.is_empty() {
            return Err(unreadable());
        }
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(milliseconds));
        let part = part.map(Duration::from_millis).and_then(|part| total.checked_add(part));
        total = part.filter(|total| *total <= MAX_DURATION).ok_or_else(|| Error::TooLong(text.into()))?;
        rest = after.trim_start();
    }
    if total.is_zero() { Err(Error::Zero(text.into())) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit() {
        let seconds = |text| parse(text).unwrap().as_secs_f64();
        assert_eq!(seconds("500ms"), 0.5);
        assert_eq!(seconds("2h30m"), 9000.0);
        assert_eq!(seconds("1d 1s"), 86401.0);
    }

    #[test]
    fn refuses_the_rest_by_name() {
        for text in ["", "5", "m", "5 minutes", "-5m", "1.5h", "5m3", "é"] {
            assert!(matches!(parse(text), Err(Error::Unreadable(_))), "{text}");
        }
        assert!(matches!(parse("0s"), Err(Error::Zero(_))));
        assert!(matches!(parse("99999999999999999999d"), Err(Error::TooLong(_))));
    }
}
