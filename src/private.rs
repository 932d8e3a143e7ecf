//! Files and folders that only their owner may read: stores, tokens, what is taken out of them.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::Path;

/// Options that make a file for its owner only. One that is there keeps its mode.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes an empty file at `path`, unless there is something.
pub fn create_file(path: &Path) -> io::Result<()> {
    match options().write(true).create_new(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Makes a folder and those above it, as far as they are missing.
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
    fn nobody_else_may_read_them() {
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
    }
}
