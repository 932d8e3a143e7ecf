//! Replaces files as a whole.

use std::fs::{self, Permissions};
use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

/// Replaces the file at `path` atomically, or makes it, with its folder. It keeps its permissions, and a link stays one.
pub(super) fn replace_file(path: &Path, content: &str) -> std::io::Result<()> {
    let target = fs::canonicalize(path);
    let path = target.as_deref().unwrap_or(path);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(content.as_bytes())?;
    let kept = fs::metadata(path).map(|known| known.permissions()).ok();
    if let Some(permissions) = kept.or_else(usual) {
        file.as_file().set_permissions(permissions)?;
    }
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Temporary files are private; these must not be.
#[cfg(unix)]
fn usual() -> Option<Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(0o644))
}

#[cfg(not(unix))]
fn usual() -> Option<Permissions> {
    None
}
