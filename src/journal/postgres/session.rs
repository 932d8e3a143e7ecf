//! One connection to the server, with its prepared statements.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Connection, Row, Socket, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::journal::database::{Database, Param};
use crate::journal::{self, Error};

use super::address::Target;
use super::dialect::PostgresDialect;
use super::failure::Failure;
use super::row::{read_all, values};
use super::statements;

/// Values of a statement.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The future that drives a connection.
pub(super) type Driver = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Time limit for connecting, over all hosts and addresses.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Session settings. Statements are written to read ranges of indexes; `enable_seqscan` is off because a plan made
/// for a small table would be kept when the table has grown. Commits are synchronous whatever the server's default.
const SETTINGS: &str = "
    SET default_transaction_isolation = 'read committed';
    SET lock_timeout = '30s';
    SET idle_in_transaction_session_timeout = '60s';
    SET client_min_messages = 'warning';
    SET jit = off;
    SET enable_seqscan = off;
    SET enable_bitmapscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;
    SET enable_material = off;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Connects. The connection makes progress only while its driver is polled.
pub(super) async fn dial(target: &Target, tls: &MakeRustlsConnect) -> Result<(Client, Driver), Failure> {
    let dialled = timeout(ANSWER_TIMEOUT, target.config.connect(tls.clone())).await;
    Ok(dialled.map_err(|_| Failure::ConnectTimeout)??)
}

/// A connection that is set up.
pub(super) struct Session {
    /// The store's name in messages.
    name: Arc<str>,
    client: Client,
    statements: Mutex<HashMap<String, Statement>>,
}

impl Database for Session {
    type Dialect = PostgresDialect;

    fn name(&self) -> &str {
        &self.name
    }

    async fn query(&self, sql: &str, params: Vec<Param>) -> Result<Vec<journal::row::Row>, Error> {
        let found = self.query(sql, &values(&params)).await;
        found.and_then(|rows| read_all(&rows)).map_err(|failure| failure.into_error(&self.name))
    }

    async fn execute(&self, sql: &str, params: Vec<Param>) -> Result<Vec<journal::row::Row>, Error> {
        Database::query(self, sql, params).await
    }
}

impl Session {
    /// Opens a connection.
    pub(super) async fn open(target: &Target, tls: &MakeRustlsConnect) -> Result<Self, Failure> {
        let (client, driver) = dial(target, tls).await?;
        tokio::spawn(async move {
            // Callers waiting for an answer get the error as well.
            if let Err(error) = driver.await {
                tracing::debug!(%error, "a connection to the store has ended");
            }
        });
        let settings = format!("SET search_path = \"{}\";{SETTINGS}", target.schema);
        client.batch_execute(&settings).await?;
        Ok(Self { name: Arc::clone(&target.name), client, statements: Mutex::default() })
    }

    /// Whether the connection has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Executes one statement.
    pub(super) async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Failure> {
        let known = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        let statement = match known {
            Some(statement) => statement,
            None => {
                let statement = self.client.prepare(&statements::expand(sql)).await?;
                let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
                statements.insert(sql.to_owned(), statement.clone());
                statement
            }
        };
        Ok(self.client.query(&statement, params).await?)
    }

    /// Executes statements without parameters.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Failure> {
        Ok(self.client.batch_execute(sql).await?)
    }
}
