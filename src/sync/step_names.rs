//! Ids of generated steps that others read.

/// Reads what is noted of both records.
pub(super) const BASE: &str = "base";
/// Notes what is about to be written.
pub(super) const INTENT: &str = "intent";
/// Reads the record of the event.
pub const OWN: &str = "own";
/// Reads the other record.
pub const OTHER: &str = "other";
/// Writes the other record.
pub(super) const UPDATED: &str = "updated";
/// Writes the record of the event.
pub(super) const SET_BACK: &str = "set_back";
/// Creates the other record.
pub(super) const CREATED: &str = "created";
/// Begins the ids of steps that look for the other record, by a field each.
pub(super) const FOUND: &str = "found_";

/// Whether a step is only performed for a record that is not linked yet, or where the other side's value counts.
pub fn is_occasional(step: &str) -> bool {
    [CREATED, SET_BACK].contains(&step) || step.starts_with(FOUND)
}
