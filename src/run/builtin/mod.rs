//! Built-in operations that are pure: they only produce entries.

pub(super) mod log;
pub(super) mod set;
pub(super) mod stop;
pub(super) mod wait;
