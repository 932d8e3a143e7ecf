//! One connection to the server, with the statements it has prepared.

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

/// What drives a connection.
pub(super) type Driver = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Longest time until a server lets us in, all its hosts and addresses taken together.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How a session is set up. Our statements are written to read ranges of indexes; the planner is kept
/// from taking a small table's whole for that, as it would have to think again when the table has
/// grown. What is answered has to be on disk, whatever the server's default is.
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

/// Makes a connection. Nothing happens on it unless its driver is polled.
pub(super) async fn dial(target: &Target, tls: &MakeRustlsConnect) -> Result<(Client, Driver), Failure> {
    let dialled = timeout(ANSWER_TIMEOUT, target.config.connect(tls.clone())).await;
    Ok(dialled.map_err(|_| Failure::Silent)??)
}

/// A connection, set up.
pub(super) struct Session {
    /// What messages call the store.
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
        found.and_then(|rows| read_all(&rows)).map_err(|failure| failure.of(&self.name))
    }

    async fn execute(&self, sql: &str, params: Vec<Param>) -> Result<Vec<journal::row::Row>, Error> {
        Database::query(self, sql, params).await
    }
}

impl Session {
    /// Makes one.
    pub(super) async fn open(target: &Target, tls: &MakeRustlsConnect) -> Result<Self, Failure> {
        let (client, driver) = dial(target, tls).await?;
        tokio::spawn(async move {
            // Callers that wait for an answer get the error; nobody else needs it.
            if let Err(error) = driver.await {
                tracing::debug!(%error, "a connection to the store has ended");
            }
        });
        let settings = format!("SET search_path = \"{}\";{SETTINGS}", target.schema);
        client.batch_execute(&settings).await?;
        Ok(Self { name: Arc::clone(&target.name), client, statements: Mutex::default() })
    }

    /// Whether it has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Does one statement.
    pub(super) async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Failure> {
        let known = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        let statement = match known {
            Some(statement) => statement,
            None => {
                let statement = self.client.prepare(&statements::filled(sql)).await?;
                let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
                statements.insert(sql.to_owned(), statement.clone());
                statement
            }
        };
        Ok(self.client.query(&statement, params).await?)
    }

    /// Does statements without values.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Failure> {
        Ok(self.client.batch_execute(sql).await?)
    }
}
