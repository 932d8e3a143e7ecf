//! Bars of the requests in each hour.

use super::number::number;

/// Characters of the longest bar.
const WIDTH: f64 = 40.0;

/// Hours that differ by at most this share of the largest are shown together.
const NEARLY_EQUAL: f64 = 0.05;

/// A line for each hour, or for several that are equal.
pub(super) fn plot(hours: &[f64], is_terminal: bool) -> Vec<String> {
    let most = hours.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return Vec::new();
    }
    let block = if is_terminal { "█" } else { "#" };
    let mut lines = Vec::new();
    let mut first = 0;
    while first < hours.len() {
        let like = |other: &&f64| (**other - hours[first]).abs() <= most * NEARLY_EQUAL;
        let same = hours[first..].iter().take_while(like).count();
        let last = first + same - 1;
        let calls = hours[first..=last].iter().sum::<f64>() / same as f64;
        let when = if same > 1 { format!("{first:02}-{last:02}h") } else { format!("{first:02}h   ") };
        let bar = block.repeat((calls / most * WIDTH).round() as usize);
        let each = if same > 1 { " each hour" } else { "" };
        lines.push(format!("  {when} {bar}{}{}{each}", if bar.is_empty() { "" } else { " " }, number(calls)));
        first = last + 1;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_hours_are_one_line() {
        let mut hours = vec![100.0; 24];
        (hours[1], hours[2]) = (101.0, 99.0);
        hours[9] = 400.0;
        hours[10] = 0.0;
        let lines = plot(&hours, false);
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert_eq!(lines[0], format!("  00-08h {} 100 each hour", "#".repeat(10)));
        assert_eq!(lines[1], format!("  09h    {} 400", "#".repeat(40)));
        assert_eq!(lines[2], "  10h    0");
        assert!(plot(&hours, true)[1].contains('█'));
        assert_eq!(plot(&[0.0; 24], true), Vec::<String>::new());
    }
}
