//! A construct of another language, as a pattern.

use regex::Regex;

/// A pattern at the current position, its replacement and its message.
pub(super) struct Pattern {
    pub(super) find: Regex,
    pub(super) becomes: &'static str,
    pub(super) message: &'static str,
    pub(super) help: &'static str,
}

impl Pattern {
    pub(super) fn new(find: &str, becomes: &'static str, message: &'static str, help: &'static str) -> Self {
        let find = Regex::new(&format!("^(?:{find})")).unwrap_or_else(|error| panic!("{find}: {error}"));
        Self { find, becomes, message, help }
    }
}
