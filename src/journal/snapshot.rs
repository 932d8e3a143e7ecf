//! A store as it was at one moment.

use async_trait::async_trait;

use super::{Error, Page, Part};

/// A store as it was at one moment, whatever is written meanwhile. Holding it costs the store space, so it is
/// not kept longer than needed.
#[async_trait]
pub trait Snapshot: Send + Sync {
    /// Up to `limit` records of a part of the store, in order, after those that led to `after`.
    async fn export(&self, part: Part, after: Option<&str>, limit: usize) -> Result<Page, Error>;

    /// A short text that changes whenever anything that is exported changes.
    async fn fingerprint(&self) -> Result<String, Error>;
}
