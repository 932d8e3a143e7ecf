//! An answer that is a file: streamed to disk, never held whole.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::client::Unread;

/// Told of every piece of a download: bytes so far, and of how many where that is known. Must return at
/// once.
#[derive(Clone)]
pub struct OnBytes(Arc<dyn Fn(u64, Option<u64>) + Send + Sync>);

impl OnBytes {
    /// Calls `tell`.
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

/// Where a download goes that nobody named a file for.
pub(super) fn place(folder: &Path, operation: &str, media_type: &str) -> PathBuf {
    let subtype = media_type.rsplit('/').next().unwrap_or_default();
    let extension: String = subtype.chars().take_while(char::is_ascii_alphanumeric).collect();
    let extension = if extension.is_empty() { "bin".into() } else { extension };
    folder.join(format!("{operation}-{}.{extension}", Uuid::now_v7().simple()))
}

/// Writes the answer's body to `file`, which appears whole or not at all.
pub(super) async fn save(
    response: reqwest::Response,
    file: &Path,
    media_type: &str,
    on_bytes: &OnBytes,
) -> Result<Value, Unread> {
    let disk = |error: std::io::Error| Unread::Unusable(format!("cannot write {}: {error}", file.display()));
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        tokio::fs::create_dir_all(folder).await.map_err(disk)?;
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let part = file.with_file_name(format!(".{name}.part"));
    let written = write(response, &part, &disk, on_bytes).await;
    if written.is_err() {
        // What is left of it is of no use; the first failure is the one to tell.
        let _ = tokio::fs::remove_file(&part).await;
    }
    let bytes = written?;
    tokio::fs::rename(&part, file).await.map_err(disk)?;
    Ok(json!({ "file": file.display().to_string(), "bytes": bytes, "media_type": media_type }))
}

async fn write(
    response: reqwest::Response,
    part: &Path,
    disk: &impl Fn(std::io::Error) -> Unread,
    on_bytes: &OnBytes,
) -> Result<u64, Unread> {
    let mut out = tokio::fs::File::create(part).await.map_err(disk)?;
    let length = response.content_length();
    let mut stream = response.bytes_stream();
    let mut bytes = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(Unread::BrokeOff)?;
        bytes += chunk.len() as u64;
        out.write_all(&chunk).await.map_err(disk)?;
        (on_bytes.0)(bytes, length);
    }
    out.sync_all().await.map_err(disk)?;
    Ok(bytes)
}
