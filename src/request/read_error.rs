//! Why an answer could not be read to its end.

/// Why an answer could not be read to its end.
pub(super) enum ReadError {
    /// The connection was cut off.
    BrokeOff(reqwest::Error),
    /// hob cannot keep the answer: it is too large, or the file cannot be written.
    Unusable(String),
}
