//! Built-in operations that are pure: they only write entries.

pub(super) mod log;
pub(super) mod stop;
pub(super) mod wait;
