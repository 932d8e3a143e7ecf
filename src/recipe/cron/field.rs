//! One field of a crontab line: `*`, values, names, ranges, steps and lists, as a set of numbers.

use std::ops::{Range, RangeInclusive};

use super::error::Error;

/// The meaning and the values of a field.
pub(super) struct Unit {
    /// Name for people.
    pub name: &'static str,
    /// Values allowed.
    pub values: RangeInclusive<u32>,
    /// Names of values, the first for the smallest value.
    pub names: &'static [&'static str],
}

pub(super) const MINUTE: Unit = Unit { name: "minute", values: 0..=59, names: &[] };
pub(super) const HOUR: Unit = Unit { name: "hour", values: 0..=23, names: &[] };
pub(super) const DAY: Unit = Unit { name: "day of the month", values: 1..=31, names: &[] };
pub(super) const MONTH: Unit = Unit {
    name: "month",
    values: 1..=12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
/// 0 and 7 are both Sunday.
pub(super) const WEEKDAY: Unit =
    Unit { name: "weekday", values: 0..=7, names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] };

/// The values a field allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    set: u64,
    /// Whether it begins with `*`, which in cron counts as unrestricted.
    pub star: bool,
}

impl Field {
    /// Parses `text`, which is at offset `at` of the expression.
    pub fn parse(unit: &Unit, text: &str, at: usize) -> Result<Self, Error> {
        let mut set = 0;
        let mut start = at;
        for part in text.split(',') {
            set |= parse_part(unit, part, start..start + part.len())?;
            start += part.len() + 1;
        }
        if unit.name == WEEKDAY.name && set & (1 << 7) != 0 {
            set = (set & !(1 << 7)) | 1;
        }
        Ok(Self { set, star: text.starts_with('*') })
    }

    /// The values in order.
    pub fn values(self) -> impl Iterator<Item = u32> {
        (0..64).filter(move |value| self.set & (1 << value) != 0)
    }
}

fn parse_part(unit: &Unit, part: &str, at: Range<usize>) -> Result<u64, Error> {
    if part.is_empty() {
        return Err(Error::at(at, format!("the {} has an empty entry", unit.name), "remove the extra comma"));
    }
    let (values, step) = match part.split_once('/') {
        None => (part, None),
        Some((values, step)) => (values, Some(step)),
    };
    let range = parse_range(unit, values, at.start..at.start + values.len())?;
    let Some(step) = step else { return Ok(bits(range, 1)) };
    let step_at = at.start + values.len() + 1..at.end;
    if values != "*" && !values.contains('-') {
        let last = unit.values.end();
        return Err(Error::at(
            at,
            format!("`{part}` has a step but no range"),
            format!("write `{values}-{last}/{step}`"),
        ));
    }
    match step.parse::<u32>() {
        Ok(step) if step > 0 && step <= *unit.values.end() => Ok(bits(range, step)),
        _ => Err(Error::at(
            step_at,
            format!("`{step}` is not a valid step for the {}", unit.name),
            format!("a step is a number from 1 to {}", unit.values.end()),
        )),
    }
}

fn parse_range(unit: &Unit, values: &str, at: Range<usize>) -> Result<RangeInclusive<u32>, Error> {
    if values == "*" {
        // Sunday only once, so that steps over all days do not count it twice.
        let last = if unit.name == WEEKDAY.name { 6 } else { *unit.values.end() };
        return Ok(*unit.values.start()..=last);
    }
    let Some((first, last)) = values.split_once('-').filter(|(first, _)| !first.is_empty()) else {
        let value = parse_value(unit, values, at)?;
        return Ok(value..=value);
    };
    let from = parse_value(unit, first, at.start..at.start + first.len())?;
    let mut to = parse_value(unit, last, at.start + first.len() + 1..at.end)?;
    if unit.name == WEEKDAY.name && to == 0 && from > 0 {
        to = 7;
    }
    if from > to {
        let (low, high) = (unit.values.start(), unit.values.end());
        return Err(Error::at(
            at,
            format!("the range `{values}` runs backwards"),
            format!("write it as two: `{first}-{high},{low}-{last}`"),
        ));
    }
    Ok(from..=to)
}

fn parse_value(unit: &Unit, text: &str, at: Range<usize>) -> Result<u32, Error> {
    if let Some(index) = unit.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
        return Ok(*unit.values.start() + u32::try_from(index).unwrap_or(0));
    }
    match text.parse::<u32>() {
        Ok(value) if unit.values.contains(&value) && text.bytes().all(|b| b.is_ascii_digit()) => Ok(value),
        _ => {
            let (low, high) = (unit.values.start(), unit.values.end());
            let names = match unit.names {
                [] => String::new(),
                [first, .., last] => format!(" or {first} to {last}"),
                [only] => format!(" or {only}"),
            };
            let help = match text {
                "?" => "write `*`".to_owned(),
                _ => format!("the {} is {low} to {high}{names}, `*`, a range, a step or a list", unit.name),
            };
            Err(Error::at(at, format!("`{text}` is not valid for the {}", unit.name), help))
        }
    }
}

fn bits(range: RangeInclusive<u32>, step: u32) -> u64 {
    range.step_by(step as usize).fold(0, |set, value| set | (1 << value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(unit: &Unit, text: &str) -> Vec<u32> {
        Field::parse(unit, text, 0).unwrap().values().collect()
    }

    #[test]
    fn reads_lists_ranges_steps_and_names() {
        assert_eq!(values(&HOUR, "9-17/4,0"), [0, 9, 13, 17]);
        assert_eq!(values(&MONTH, "jan,DEC"), [1, 12]);
        assert_eq!(values(&WEEKDAY, "MON-FRI"), [1, 2, 3, 4, 5]);
        assert_eq!(values(&WEEKDAY, "7"), [0]);
        assert_eq!(values(&WEEKDAY, "5-7"), [0, 5, 6]);
        assert_eq!(values(&WEEKDAY, "SAT-SUN"), [0, 6]);
        assert_eq!(values(&WEEKDAY, "*/2"), [0, 2, 4, 6]);
        assert_eq!(values(&MINUTE, "*/20"), [0, 20, 40]);
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let wrong = |unit, text| {
            let error = Field::parse(unit, text, 4).unwrap_err();
            (error.message, error.help, error.range)
        };
        let (message, help, range) = wrong(&HOUR, "9,24");
        assert_eq!(message, "`24` is not valid for the hour");
        assert!(help.contains("0 to 23"));
        assert_eq!(range, 6..8);
        assert_eq!(wrong(&HOUR, "22-2").1, "write it as two: `22-23,0-2`");
        assert_eq!(wrong(&MINUTE, "5/15").1, "write `5-59/15`");
        assert_eq!(wrong(&MINUTE, "*/0").2, 6..7);
        assert_eq!(wrong(&DAY, "L").0, "`L` is not valid for the day of the month");
        assert_eq!(wrong(&DAY, "?").1, "write `*`");
        assert_eq!(wrong(&DAY, "1,,2").2, 6..6);
        assert_eq!(wrong(&DAY, "-1").0, "`-1` is not valid for the day of the month");
        assert_eq!(wrong(&DAY, "+1").0, "`+1` is not valid for the day of the month");
    }
}
