//! Conditions on two values.

/// The condition that two values are the same, as text; e-mail addresses in any case.
pub(super) fn equal(one: &str, other: &str) -> String {
    format!(
        "{one} is not none and {other} is not none and ({one} | string == {other} | string \
         or '@' in {one} | string and {one} | string | lower == {other} | string | lower)"
    )
}
