//! Names of filters that templates cannot name themselves: what is lowered calls them.

/// Hidden filter: a member of a value, or undefined where there is none.
pub(super) const MEMBER: &str = "$member";
/// Hidden filter: a number to 15 significant digits, anything else as it is.
pub(super) const SNAPPED: &str = "$snapped";
/// Hidden filter: a value as `~` joins it.
pub(super) const JOINED: &str = "$joined";
/// Hidden filter: a list, mapping or text that is not null.
pub(super) const PRESENT: &str = "$present";
/// Hidden filter: one side of `*`, which is no text that is a number: that would be repeated, not multiplied.
pub(super) const FACTOR: &str = "$factor";
/// Hidden filter: a text with marks around it, as one that was filled in.
pub(super) const FILLED: &str = "$filled";
/// Hidden filters: the comparisons.
pub(super) const EQUAL: &str = "$==";
pub(super) const UNEQUAL: &str = "$!=";
pub(super) const LESS: &str = "$<";
pub(super) const LESS_OR_EQUAL: &str = "$<=";
pub(super) const MORE: &str = "$>";
pub(super) const MORE_OR_EQUAL: &str = "$>=";
pub(super) const WITHIN: &str = "$in";
/// Hidden filter: whether a value holds.
pub(super) const TRUTH: &str = "$truth";
