//! A consistent snapshot of a store.

use async_trait::async_trait;

use super::{Error, Page, Part};

/// A consistent snapshot of a store. It costs the store space while it is open, so close it soon.
#[async_trait]
pub trait Snapshot: Send + Sync {
    /// Up to `limit` records of a part, in order, after the cursor `after`.
    async fn export(&self, part: Part, after: Option<&str>, limit: usize) -> Result<Page, Error>;

    /// A short text that changes whenever exported content changes.
    async fn fingerprint(&self) -> Result<String, Error>;
}
