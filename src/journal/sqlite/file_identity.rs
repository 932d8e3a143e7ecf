//! Detects that the file at a store's path was replaced or deleted while it is open.

use std::fs;
use std::path::{Path, PathBuf};

/// A path, and which file it named when the store was opened.
pub(super) struct FileIdentity {
    path: PathBuf,
    file: Option<Identity>,
}

type Identity = (u64, u64);

impl FileIdentity {
    /// The file at `path` now.
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), file: identity(path) }
    }

    /// Whether the path still names that file. Writes to a deleted or replaced file would be lost.
    pub(super) fn is_unchanged(&self) -> bool {
        self.file == identity(&self.path)
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// On systems where an open file cannot be deleted or replaced.
#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|_| (0, 0))
}
