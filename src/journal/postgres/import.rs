//! Import in one transaction.

use crate::journal::queries::import::{Imported, records};
use crate::journal::{Error, Record};

use super::failure::Failure;
use super::retry::RetryBackoff;
use super::row::code;
use super::server::Server;

const COUNT: &str = "SELECT hob_count_vN($1, $2)";

/// Stores records, all or nothing. Idempotent.
pub(super) async fn import(server: &Server, all: &[Record]) -> Result<(), Error> {
    let mut backoff = RetryBackoff::new();
    let imported = loop {
        match attempt(server, all).await {
            Ok(imported) => break imported,
            Err(failure) => {
                backoff
                    .pause_before_retry(failure)
                    .await
                    .map_err(|failure| failure.into_error(&server.name))?;
            }
        }
    };
    if !imported.runs.is_empty() {
        server.listener.notify();
    }
    Ok(())
}

async fn attempt(server: &Server, all: &[Record]) -> Result<Imported, Failure> {
    let transaction = server.pool.begin().await?;
    match records(&transaction, all).await {
        Ok(imported) => {
            let mut whats: Vec<i32> = imported.runs.iter().copied().map(code).collect();
            let mut changes = vec![1_i64; whats.len()];
            whats.push(-1);
            changes.push(imported.events);
            transaction.session.query(COUNT, &[&whats, &changes]).await?;
            transaction.commit().await?;
            Ok(imported)
        }
        Err(error) => Err(transaction.failure().unwrap_or(Failure::Reported(error))),
    }
}
