//! Filters and tests that work on undefined values.

/// Whether `filter` takes an undefined value for what it is meant for.
pub(super) fn is_default(filter: &str) -> bool {
    matches!(filter, "default" | "d")
}

/// Whether `test` asks if something is there.
pub(super) fn asks_presence(test: &str) -> bool {
    matches!(test, "defined" | "undefined")
}
