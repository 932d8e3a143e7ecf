//! Numbers for people.

/// A number with thousands separators; fractions only where it is small.
pub(super) fn number(number: f64) -> String {
    let rounded = (number * 10.0).round() / 10.0;
    if rounded < 100.0 && rounded.fract() != 0.0 {
        return format!("{rounded:.1}");
    }
    let digits = format!("{:.0}", rounded.round());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
