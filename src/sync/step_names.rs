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
