//! One moment of the database, held by a transaction that only reads.

use async_trait::async_trait;

use crate::journal::queries::{export, fingerprint};
use crate::journal::{Error, Page, Part, Snapshot};

use super::failure::Failure;
use super::server::Server;
use super::session::Session;

/// The reader may be as slow as the place that it writes to.
const BEGIN: &str = "SET idle_in_transaction_session_timeout = 0;
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SELECT count(*) FROM store";

/// A moment of a database.
pub(super) struct ReadSnapshot {
    session: Session,
}

impl ReadSnapshot {
    /// The present one.
    pub(super) async fn begin(server: &Server) -> Result<Self, Failure> {
        let session = server.pool.apart().await?;
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
        fingerprint::of(&self.session).await
    }
}
