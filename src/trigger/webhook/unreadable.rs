//! Why a body cannot be read as an event.

/// Why a body cannot be read as an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not the expected JSON.
    #[error("the body is not {wanted}: {reason}")]
    NotJson {
        /// Description of what was expected.
        wanted: &'static str,
        /// Reason, for people.
        reason: String,
    },
    /// It declares a form and cannot be read as one.
    #[error("the body cannot be read as a form: {0}")]
    NotAForm(String),
    /// Its media type is not supported.
    #[error("the body is `{0}`; send JSON or a form")]
    UnknownType(String),
    /// Its content encoding is not supported.
    #[error("the content encoding `{0}` is not supported; send gzip, deflate, or the body as it is")]
    UnknownEncoding(String),
    /// It cannot be decompressed.
    #[error("the body cannot be unpacked: {0}")]
    Damaged(String),
    /// It is too large once decompressed.
    #[error("the body, unpacked, is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}
