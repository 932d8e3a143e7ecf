//! Where a workspace's history is kept.

use std::fmt;
use std::path::{Path, PathBuf};

/// A store, as `store:` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// A SQLite file.
    Sqlite(PathBuf),
}

/// Where the history is kept unless `store:` says otherwise, below the workspace.
const USUAL: &str = "state/hob.db";

/// A `store:` that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is of a kind that is not there yet.
    #[error("PostgreSQL stores do not work yet; use `sqlite:{USUAL}`")]
    PostgresLater,
    /// It is of no known kind.
    #[error("`{0}` is not a store; write it like `sqlite:{USUAL}`")]
    Unknown(String),
}

impl Store {
    /// The usual store of a workspace.
    pub(super) fn usual(root: &Path) -> Self {
        Store::Sqlite(root.join(USUAL))
    }

    /// Reads `store:`; paths are relative to the workspace.
    pub fn parse(text: &str, root: &Path) -> Result<Self, Error> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.trim().is_empty() => Ok(Store::Sqlite(root.join(path.trim()))),
            Some(("postgres" | "postgresql", _)) => Err(Error::PostgresLater),
            // Without a password that may stand in an address.
            Some((scheme, _)) => Err(Error::Unknown(format!("{scheme}:…"))),
            None => Err(Error::Unknown(text.to_owned())),
        }
    }
}

/// Without credentials.
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Store::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_can_and_says_what_it_cannot() {
        let root = Path::new("/w");
        assert_eq!(Store::parse("sqlite:a/b.db", root), Ok(Store::Sqlite("/w/a/b.db".into())));
        assert_eq!(Store::parse("sqlite:/x.db", root), Ok(Store::Sqlite("/x.db".into())));
        assert_eq!(Store::parse("postgres://u:secret@h/db", root), Err(Error::PostgresLater));
        let wrong = Store::parse("mysql://u:secret@h/db", root).unwrap_err().to_string();
        assert!(wrong.contains("`mysql:…`") && wrong.contains("sqlite:"), "{wrong}");
    }
}
