//! Files and folders that only their owner may read: stores, tokens and exports.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::Path;

/// Options that create files for the owner only. Existing files keep their mode.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Removes other users' permission to read the file `path`. Errors are ignored: the file system may have no
/// permissions, or the file may belong to another user.
pub fn close(path: &Path) {
    #[cfg(unix)]
    {
        use std::fs;
        use std::os::unix::fs::PermissionsExt;
        // Never changes devices.
        let Some(there) = fs::metadata(path).ok().filter(fs::Metadata::is_file) else { return };
        let there = there.permissions();
        if there.mode() & 0o077 == 0 {
            return;
        }
        if fs::set_permissions(path, fs::Permissions::from_mode(there.mode() & 0o700)).is_ok() {
            tracing::warn!(file = %path.display(), "others could read this; now only its owner can");
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Creates an empty file at `path` unless something exists there.
pub fn create_file(path: &Path) -> io::Result<()> {
    match options().write(true).create_new(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Creates a folder and its missing parents.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn they_are_readable_by_the_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("state/deep");
        create_folder(&inner).unwrap();
        let file = inner.join("hob.db");
        create_file(&file).unwrap();
        std::fs::write(&file, "kept").unwrap();
        create_file(&file).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inner), mode(inner.parent().unwrap()), mode(&file)), (0o700, 0o700, 0o600));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
        // A file that others could read.
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o664)).unwrap();
        close(&file);
        assert_eq!(mode(&file), 0o600);
        close(&inner.join("nothing"));
        let before = mode(&inner);
        std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o755)).unwrap();
        close(&inner);
        assert_eq!((before, mode(&inner)), (0o700, 0o755), "what is no file stays as it is");
    }
}
