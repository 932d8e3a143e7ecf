//! Why an answer was not read to its end.

/// Why an answer was not read to its end.
pub(super) enum ReadError {
    /// It broke off.
    BrokeOff(reqwest::Error),
    /// It is there, but hob cannot keep it: too large, or no place for the file.
    Unusable(String),
}
