//! Why an import fails.

/// Why an import fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A document is unreadable.
    #[error("{document}: {reason}")]
    Document {
        /// Its path.
        document: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The overlay is unreadable.
    #[error("overlay: {reason}")]
    Overlay {
        /// What is wrong with it, and where.
        reason: String,
    },
    /// An operation is invalid after the overlay's patch.
    #[error("overlay: operation `{id}`: {reason}")]
    Patch {
        /// The operation.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
}
