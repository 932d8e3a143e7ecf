//! The runner's lock on a store: a file lock, which the system releases when the process ends.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::journal::Error;
use crate::private;

/// Holds the lock until dropped.
#[derive(Debug)]
pub(super) struct RunnerLock {
    _file: File,
}

impl RunnerLock {
    /// Locks the store at `path`.
    pub(super) fn take(path: &Path, store: &str) -> Result<Self, Error> {
        let mut name = OsString::from(path);
        name.push(".lock");
        let unavailable = |error: std::io::Error| Error::Unavailable {
            store: store.to_owned(),
            reason: format!(
                "cannot be locked: {}: {error}; give the user that runs hob write permission there",
                Path::new(&name).display()
            ),
        };
        let mut file = private::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&name)
            .map_err(unavailable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Busy { store: store.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(unavailable(error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(unavailable)?;
        Ok(Self { _file: file })
    }
}

/// The process id in the lock file, where the system allows reading it.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
