//! Why no event can be made of a body.

/// A body that no event can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not the JSON that it should be.
    #[error("the body is not {wanted}: {reason}")]
    NotJson {
        /// What it should be.
        wanted: &'static str,
        /// Why it is not.
        reason: String,
    },
    /// It is not the form that it says it is.
    #[error("the body cannot be read as a form: {0}")]
    NotAForm(String),
    /// It is of another kind.
    #[error("the body is `{0}`; send JSON or a form")]
    UnknownType(String),
    /// It is packed in a way that hob does not know.
    #[error("the content encoding `{0}` is not supported; send gzip, deflate, or the body as it is")]
    UnknownEncoding(String),
    /// It is not packed as it says.
    #[error("the body cannot be unpacked: {0}")]
    Damaged(String),
    /// Unpacked, it is too large.
    #[error("the body, unpacked, is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}
