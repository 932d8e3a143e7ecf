//! An unreadable workspace. Mistakes in `hob.yaml` are diagnostics instead.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Report, render};

/// Why a workspace cannot be read.
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
    /// Mistakes in the workspace's own connectors, by file.
    #[error("the workspace's connectors have mistakes\n\n{}", shown(.0))]
    Connectors(Vec<Report>),
}

fn shown(reports: &[Report]) -> String {
    let texts = reports.iter().map(|report| render(&report.file, &report.diagnostics, false));
    texts.collect::<Vec<_>>().join("\n\n")
}

impl Error {
    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Error::Unreadable { path: path.to_owned(), reason: error.to_string() }
    }
}
