//! The target of a copy: a new file that is written atomically, or a stream. Never a device with other data, never a
//! database.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use tempfile::NamedTempFile;

/// The first bytes of every SQLite file.
const DATABASE: &[u8] = b"SQLite format 3\0";

/// An open target.
pub(super) enum Target {
    /// A file that is moved to its place when complete; only its owner may read it.
    File {
        /// The temporary file.
        file: NamedTempFile,
        /// The final path.
        place: PathBuf,
    },
    /// A pipe or a terminal, written directly.
    Stream(File),
}

impl Target {
    /// Opens the target at `place`. Links are followed.
    pub(super) fn open(place: &Path) -> anyhow::Result<Self> {
        let place = match fs::symlink_metadata(place) {
            Ok(there) if there.file_type().is_symlink() => fs::canonicalize(place)
                .with_context(|| format!("{} is a link that leads nowhere", place.display()))?,
            Ok(_) => place.to_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Self::beside(place),
            Err(error) => return Err(error).with_context(|| format!("cannot write {}", place.display())),
        };
        let kind =
            fs::metadata(&place).with_context(|| format!("cannot write {}", place.display()))?.file_type();
        if kind.is_file() {
            if is_database(&place)? {
                return Err(anyhow!("{} is a database; choose another file", place.display()));
            }
            return Self::beside(&place);
        }
        if is_stream(kind) {
            let file = OpenOptions::new().write(true).open(&place);
            return Ok(Self::Stream(file.with_context(|| format!("cannot write {}", place.display()))?));
        }
        let what = if kind.is_dir() { "a folder" } else { "no file" };
        Err(anyhow!("{} is {what}; choose another name", place.display()))
    }

    /// A temporary file in the folder of `place`.
    pub(super) fn beside(place: &Path) -> anyhow::Result<Self> {
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(folder)
            .with_context(|| format!("cannot write into {}", folder.display()))?;
        Ok(Self::File { file, place: place.to_owned() })
    }

    /// Moves the file to its place; with `over` it replaces an existing one.
    pub(super) fn finish(self, over: bool) -> anyhow::Result<()> {
        match self {
            Self::Stream(mut file) => Ok(file.flush()?),
            Self::File { file, place } => {
                let context = || format!("cannot write {}", place.display());
                file.as_file().sync_all().with_context(context)?;
                match over {
                    true => file.persist(&place).map_err(|error| error.error),
                    false => file.persist_noclobber(&place).map_err(|error| error.error),
                }
                .with_context(context)?;
                Ok(())
            }
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::File { file, .. } => file.write(bytes),
            Self::Stream(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::File { file, .. } => file.flush(),
            Self::Stream(file) => file.flush(),
        }
    }
}

fn is_database(place: &Path) -> anyhow::Result<bool> {
    let mut begin = Vec::new();
    match File::open(place) {
        Ok(file) => file.take(DATABASE.len() as u64).read_to_end(&mut begin)?,
        // An unreadable file is replaced if its folder allows it.
        Err(_) => return Ok(false),
    };
    Ok(begin == DATABASE)
}

#[cfg(unix)]
fn is_stream(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;
    kind.is_fifo() || kind.is_char_device()
}

#[cfg(not(unix))]
fn is_stream(_kind: FileType) -> bool {
    false
}
