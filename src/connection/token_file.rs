//! The token file of a connection: written atomically, readable by its owner only, changed by one process at a time.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::Error;
use super::token::Token;
use crate::private;
use crate::secret::Secret;

/// Characters of file names besides letters and digits. Other characters of a connection's name are escaped.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
/// Interval between attempts to lock.
const LOCK_RETRY_INTERVAL: Duration = Duration::from_millis(50);
/// Longest wait for the lock; longer than a token request may take.
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// A token file.
#[derive(Debug, Clone)]
pub struct TokenFile {
    path: PathBuf,
}

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Content {
    access_token: String,
    refresh_token: Option<String>,
    expires: Option<DateTime<Utc>>,
    /// Total lifetime of the access token, in seconds.
    lives: Option<i64>,
}

/// The lock for changing the file, released on drop.
#[derive(Debug)]
pub(super) struct Held {
    _lock: File,
    /// Created before tokens are requested: without write access, no refresh token must be used up.
    next: NamedTempFile,
}

impl TokenFile {
    /// The file of the connection `name` in `folder`.
    pub fn new(folder: &Path, name: &str) -> Self {
        Self { path: folder.join(format!("{}.json", utf8_percent_encode(name, PLAIN))) }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it has tokens that are valid at `now` or can be refreshed.
    pub fn is_connected(&self, now: DateTime<Utc>) -> bool {
        let token = self.read().ok().flatten();
        token.is_some_and(|token| token.refresh.is_some() || token.is_valid(now))
    }

    /// When the token ends, if nothing can renew it.
    pub fn ends(&self) -> Option<DateTime<Utc>> {
        self.read().ok().flatten().filter(|token| token.refresh.is_none())?.ends
    }

    /// The stored tokens as secrets.
    pub fn secrets(&self) -> Vec<Secret> {
        let token = self.read().ok().flatten();
        token.iter().flat_map(Token::secrets).collect()
    }

    /// The tokens; `None` if there are none yet.
    pub(super) fn read(&self) -> Result<Option<Token>, Error> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unusable("read", error.to_string())),
        };
        // The parser's message could quote a token.
        let content: Content = serde_json::from_slice(&text)
            .map_err(|error| self.unusable("read", format!("line {} is wrong", error.line())))?;
        Ok(Some(Token {
            access: Secret::new(content.access_token),
            refresh: content.refresh_token.map(Secret::new),
            ends: content.expires,
            lives: content.lives.and_then(TimeDelta::try_seconds),
        }))
    }

    /// Waits for the lock.
    pub(super) async fn hold(&self) -> Result<Held, Error> {
        let failed = |error: std::io::Error| self.unusable("write", error.to_string());
        let folder = self.path.parent().unwrap_or(Path::new("."));
        private::create_folder(folder).map_err(failed)?;
        let lock = self.path.with_extension("lock");
        let lock = private::options().write(true).create(true).truncate(false).open(lock).map_err(failed)?;
        let waited = tokio::time::timeout(LOCK_TIMEOUT, async {
            loop {
                match lock.try_lock() {
                    Ok(()) => return Ok(()),
                    Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_RETRY_INTERVAL).await,
                    Err(TryLockError::Error(error)) => return Err(error),
                }
            }
        });
        match waited.await {
            Ok(locked) => locked.map_err(failed)?,
            Err(_) => return Err(Error::TokensHeld { path: self.path.display().to_string() }),
        }
        let next = NamedTempFile::new_in(folder).map_err(failed)?;
        Ok(Held { _lock: lock, next })
    }

    /// Replaces the tokens; durable on return.
    pub(super) fn write(&self, mut held: Held, token: &Token) -> Result<(), Error> {
        let failed = |error: std::io::Error| self.unusable("write", error.to_string());
        let content = Content {
            access_token: token.access.expose().to_owned(),
            refresh_token: token.refresh.as_ref().map(|refresh| refresh.expose().to_owned()),
            expires: token.ends,
            lives: token.lives.map(|lives| lives.num_seconds()),
        };
        let text = serde_json::to_vec_pretty(&content).map_err(|error| failed(error.into()))?;
        held.next.write_all(&text).and_then(|()| held.next.as_file().sync_all()).map_err(failed)?;
        held.next.persist(&self.path).map_err(|error| failed(error.error))?;
        // Syncs the folder, which makes the new name durable.
        #[cfg(unix)]
        self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()).map_err(failed)?;
        Ok(())
    }

    fn unusable(&self, what: &'static str, reason: String) -> Error {
        Error::TokenFile { path: self.path.display().to_string(), what, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(access: &str) -> Token {
        let ends = DateTime::from_timestamp(1_000_000, 0);
        Token { access: Secret::new(access), refresh: Some(Secret::new("r-123456")), ends, lives: None }
    }

    #[tokio::test]
    async fn tokens_are_readable_by_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::new(&folder.path().join("state/tokens"), "../a b");
        assert!(file.read().unwrap().is_none() && !file.is_connected(DateTime::UNIX_EPOCH));
        let held = file.hold().await.unwrap();
        file.write(held, &token("a-123456")).unwrap();
        assert!(file.path().ends_with("state/tokens/..%2Fa%20b.json"), "{file:?}");
        let read = file.read().unwrap().unwrap();
        assert_eq!((read.access.expose(), read.ends), ("a-123456", token("").ends));
        assert!(file.is_connected(DateTime::from_timestamp(2_000_000, 0).unwrap()), "it can be refreshed");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        }
        // Only the file and its lock are left.
        assert_eq!(fs::read_dir(file.path().parent().unwrap()).unwrap().count(), 2);
    }

    #[tokio::test]
    async fn one_at_a_time_may_change_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::new(folder.path(), "a");
        let held = file.hold().await.unwrap();
        let other = file.hold();
        tokio::pin!(other);
        assert!(tokio::time::timeout(LOCK_RETRY_INTERVAL * 2, &mut other).await.is_err());
        file.write(held, &token("a-123456")).unwrap();
        other.await.unwrap();
    }

    #[test]
    fn a_broken_file_is_reported_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::new(folder.path(), "a");
        fs::write(file.path(), "{ \"access_token\": \"a-123456\" x }").unwrap();
        let shown = file.read().unwrap_err().to_string();
        assert!(shown.contains("a.json") && !shown.contains("a-123456"), "{shown}");
    }
}
