//! Names of filters that only lowered expressions call.

/// Hidden filter: an item or field of a value, or undefined.
pub(super) const MEMBER: &str = "$member";
/// Hidden filter: a number rounded to 15 significant digits; other values unchanged.
pub(super) const SNAPPED: &str = "$snapped";
/// Hidden filter: a value as joined by `~`.
pub(super) const JOINED: &str = "$joined";
/// Hidden filter: a list, mapping or text; rejects null.
pub(super) const PRESENT: &str = "$present";
/// Hidden filter: an operand of `*`; rejects numbers as text, which would be repeated instead of multiplied.
pub(super) const FACTOR: &str = "$factor";
/// Hidden filter: a text with marks around it.
pub(super) const FILLED: &str = "$filled";
/// Hidden filters: the comparisons.
pub(super) const EQUAL: &str = "$==";
pub(super) const UNEQUAL: &str = "$!=";
pub(super) const LESS: &str = "$<";
pub(super) const LESS_OR_EQUAL: &str = "$<=";
pub(super) const MORE: &str = "$>";
pub(super) const MORE_OR_EQUAL: &str = "$>=";
pub(super) const WITHIN: &str = "$in";
/// Hidden filter: whether a value is true.
pub(super) const TRUTH: &str = "$truth";
