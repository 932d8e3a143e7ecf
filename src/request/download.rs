//! An answer that is a file: streamed to disk, never held in memory as a whole.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::read_error::ReadError;
use crate::private;

/// Callback for every chunk of a download, with the bytes so far and the total where it is known. Must return at
/// once.
#[derive(Clone)]
pub struct OnBytes(Arc<dyn Fn(u64, Option<u64>) + Send + Sync>);

impl OnBytes {
    /// Reports to `tell`.
    pub fn new(tell: impl Fn(u64, Option<u64>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl Default for OnBytes {
    fn default() -> Self {
        Self::new(|_, _| {})
    }
}

impl fmt::Debug for OnBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnBytes")
    }
}

/// Where a download is written.
#[derive(Debug)]
pub(super) enum Destination {
    /// This file.
    File(PathBuf),
    /// A file in a folder, named after the operation and a hash of the content: downloading the same file again
    /// replaces it, so polls that find nothing new do not fill the disk.
    ByContent {
        /// The folder.
        folder: PathBuf,
        /// Beginning of the file name.
        operation: String,
        /// File extension.
        extension: String,
    },
}

impl Destination {
    /// The destination of a download for which no file was named.
    pub(super) fn by_content(folder: &Path, operation: &str, media_type: &str) -> Self {
        let subtype = media_type.rsplit('/').next().unwrap_or_default();
        let extension: String = subtype.chars().take_while(char::is_ascii_alphanumeric).collect();
        let extension = if extension.is_empty() { "bin".into() } else { extension };
        Self::ByContent { folder: folder.to_owned(), operation: operation.to_owned(), extension }
    }

    fn folder(&self) -> Option<&Path> {
        let folder = match self {
            Destination::File(file) => file.parent()?,
            Destination::ByContent { folder, .. } => folder,
        };
        Some(folder).filter(|folder| !folder.as_os_str().is_empty())
    }

    /// Path of the file while it is being written.
    fn part(&self) -> PathBuf {
        match self {
            Destination::File(file) => {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                file.with_file_name(format!(".{name}.part"))
            }
            Destination::ByContent { folder, .. } => {
                folder.join(format!(".{}.part", Uuid::now_v7().simple()))
            }
        }
    }

    /// Final path of the file.
    fn file(self, sha256: &str) -> PathBuf {
        match self {
            Destination::File(file) => file,
            Destination::ByContent { folder, operation, extension } => {
                folder.join(format!("{operation}-{}.{extension}", sha256.get(..32).unwrap_or(sha256)))
            }
        }
    }
}

/// The file that `file` links to, so that writing does not replace a symbolic link.
async fn resolve_link(file: &Path) -> std::io::Result<PathBuf> {
    match tokio::fs::symlink_metadata(file).await {
        Ok(there) if there.is_symlink() => tokio::fs::canonicalize(file).await,
        _ => Ok(file.to_owned()),
    }
}

/// Whether the file is a pipe or a device, which is written to and never replaced.
async fn is_stream(file: &Path) -> bool {
    tokio::fs::metadata(file).await.is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Writes the answer's body, at most `largest` bytes, to a file. The file appears only when it is complete.
pub(super) async fn save(
    response: reqwest::Response,
    destination: Destination,
    media_type: &str,
    largest: u64,
    on_bytes: &OnBytes,
) -> Result<Value, ReadError> {
    if response.content_length().is_some_and(|length| length > largest) {
        return Err(too_large(largest));
    }
    let place = destination.part();
    let disk =
        |error: std::io::Error| ReadError::Unusable(format!("cannot write {}: {error}", place.display()));
    if let Some(folder) = destination.folder() {
        private::create_folder(folder).map_err(disk)?;
    }
    let destination = match destination {
        Destination::File(file) => Destination::File(resolve_link(&file).await.map_err(disk)?),
        by_content => by_content,
    };
    if let Destination::File(file) = &destination
        && is_stream(file).await
    {
        let out = tokio::fs::OpenOptions::new().write(true).open(file).await.map_err(disk)?;
        let written = write(response, out, &disk, largest, on_bytes).await?;
        return Ok(written.result(file, media_type));
    }
    let part = destination.part();
    // Downloads hold personal data, as the store does: readable by the owner only.
    let out = tokio::fs::OpenOptions::from(private::options())
        .write(true)
        .create(true)
        .truncate(true)
        .open(&part)
        .await
        .map_err(disk)?;
    let written = write(response, out, &disk, largest, on_bytes).await;
    if written.is_err() {
        // A partial file is useless. If removing it fails as well, the first error is the one to report.
        let _ = tokio::fs::remove_file(&part).await;
    }
    let written = written?;
    let file = destination.file(&written.sha256);
    tokio::fs::rename(&part, &file).await.map_err(disk)?;
    Ok(written.result(&file, media_type))
}

/// Result of writing a download.
struct Written {
    bytes: u64,
    /// SHA-256 of the content, in hexadecimal.
    sha256: String,
}

impl Written {
    fn result(&self, file: &Path, media_type: &str) -> Value {
        let Self { bytes, sha256 } = self;
        json!({ "file": file.display().to_string(), "bytes": bytes, "media_type": media_type, "sha256": sha256 })
    }
}

fn too_large(largest: u64) -> ReadError {
    ReadError::Unusable(format!("the file is larger than {} MiB", largest >> 20))
}

async fn write(
    response: reqwest::Response,
    mut out: tokio::fs::File,
    disk: &impl Fn(std::io::Error) -> ReadError,
    largest: u64,
    on_bytes: &OnBytes,
) -> Result<Written, ReadError> {
    let length = response.content_length();
    let mut stream = response.bytes_stream();
    let mut bytes = 0;
    let mut hash = Sha256::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(ReadError::BrokeOff)?;
        bytes += chunk.len() as u64;
        if bytes > largest {
            return Err(too_large(largest));
        }
        hash.update(&chunk);
        out.write_all(&chunk).await.map_err(disk)?;
        (on_bytes.0)(bytes, length);
    }
    out.flush().await.map_err(disk)?;
    // A pipe cannot be synced.
    if out.metadata().await.map_err(disk)?.is_file() {
        out.sync_all().await.map_err(disk)?;
    }
    Ok(Written { bytes, sha256: hex::encode(hash.finalize()) })
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    use super::*;

    #[cfg(unix)]
    #[tokio::test]
    async fn pipes_and_devices_are_written_and_never_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let save = async |file: PathBuf| {
            let response = reqwest::Response::from(axum::http::Response::new("content"));
            super::save(response, Destination::File(file), "text/plain", 100, &OnBytes::default()).await
        };
        std::fs::write(path("real"), "old").unwrap();
        std::os::unix::fs::symlink(path("real"), path("link")).unwrap();
        std::os::unix::fs::symlink(path("nowhere"), path("dangling")).unwrap();
        assert!(save(path("link")).await.is_ok());
        assert!(std::fs::symlink_metadata(path("link")).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(path("real")).unwrap(), "content");
        assert!(save(path("fresh/deep/file")).await.is_ok());
        let mode = |name: &str| std::fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("fresh"), mode("fresh/deep/file")), (0o700, 0o600));
        assert!(save(path("dangling")).await.is_err());
        assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        let pipe = path("pipe");
        let reader = tokio::task::spawn_blocking(move || std::fs::read_to_string(pipe).unwrap());
        assert!(save(path("pipe")).await.is_ok());
        assert_eq!(reader.await.unwrap(), "content");
        assert!(save(PathBuf::from("/dev/null")).await.is_ok());
        let response = || reqwest::Response::from(axum::http::Response::new("content"));
        for (largest, fits) in [(7, true), (6, false)] {
            let saved = super::save(
                response(),
                Destination::File(path("new")),
                "text/plain",
                largest,
                &OnBytes::default(),
            )
            .await;
            assert_eq!((saved.is_ok(), path("new").exists()), (fits, fits));
            let _ = std::fs::remove_file(path("new"));
        }
        let by_content = || Destination::by_content(&path("all"), "calls.get", "audio/x-wav");
        let mut saved = Vec::new();
        for _ in 0..2 {
            saved.push(super::save(response(), by_content(), "audio/x-wav", 100, &OnBytes::default()).await);
        }
        let [Ok(first), Ok(second)] = &saved[..] else { panic!("not saved") };
        assert_eq!(first, second, "the same file is the same file");
        assert_eq!(std::fs::read_dir(path("all")).unwrap().count(), 1);
        assert!(!path(".new.part").exists());
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    }
}
