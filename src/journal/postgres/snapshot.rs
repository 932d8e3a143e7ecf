//! A snapshot, held by a read-only transaction.

use async_trait::async_trait;

use crate::journal::queries::{export, fingerprint};
use crate::journal::{Error, Page, Part, Snapshot};

use super::failure::Failure;
use super::server::Server;
use super::session::Session;

/// The reader may be slow, so idle transactions must not time out.
const BEGIN: &str = "SET idle_in_transaction_session_timeout = 0;
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SELECT count(*) FROM store";

/// A snapshot.
pub(super) struct ReadSnapshot {
    session: Session,
}

impl ReadSnapshot {
    /// Starts a snapshot now.
    pub(super) async fn begin(server: &Server) -> Result<Self, Failure> {
        let session = server.pool.dedicated().await?;
        session.batch(BEGIN).await?;
        Ok(Self { session })
    }
}

#[async_trait]
impl Snapshot for ReadSnapshot {
    async fn export(&self, part: Part, after: Option<&str>, limit: usize) -> Result<Page, Error> {
        export::page(&self.session, part, after, limit).await
    }

    async fn fingerprint(&self) -> Result<String, Error> {
        fingerprint::compute(&self.session).await
    }
}
