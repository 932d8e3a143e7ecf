//! Filters and tests that work on undefined values.

/// Whether `filter` accepts undefined values.
pub(super) fn is_default(filter: &str) -> bool {
    matches!(filter, "default" | "d")
}

/// Whether `filter` replaces undefined values.
pub(super) fn replaces_missing(filter: &str) -> bool {
    is_default(filter) || filter == "coalesce"
}

/// Whether `test` tests for presence.
pub(super) fn asks_presence(test: &str) -> bool {
    matches!(test, "defined" | "undefined")
}

/// Whether `test` tests for null.
pub(super) fn asks_for_null(test: &str) -> bool {
    matches!(test, "none" | "null")
}
