//! Why an import cannot go on.

/// An import that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A document cannot be read at all.
    #[error("{document}: {reason}")]
    Document {
        /// Its path.
        document: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The overlay cannot be read.
    #[error("overlay: {reason}")]
    Overlay {
        /// What is wrong with it, and where.
        reason: String,
    },
    /// An operation is not one any more after the overlay's patch.
    #[error("overlay: operation `{id}`: {reason}")]
    Patch {
        /// The operation.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
}
