//! A workspace that cannot be read at all. Mistakes in `hob.yaml` are diagnostics instead.

use std::path::{Path, PathBuf};

use crate::catalog;

/// A workspace that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// One of the workspace's own connectors has a mistake.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
}

impl Error {
    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Error::Unreadable { path: path.to_owned(), reason: error.to_string() }
    }
}
