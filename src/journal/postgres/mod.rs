//! The journal in a PostgreSQL database, which any number of processes share. Each call is one
//! statement: a query, or a function of the store's own schema that does all of it in one transaction.
//! What many ask for at once goes into one call. Lost connections are made anew, and what was being
//! done is done again in a way that nothing is lost or done twice.

mod address;
mod amend;
mod append;
mod batcher;
mod clock;
mod dialect;
mod failure;
mod functions;
mod hold;
mod import;
mod lease;
mod limits;
mod listener;
mod maintenance;
mod poller;
mod pool;
mod retry;
mod row;
mod run_update;
mod runner_lock;
mod schema;
mod server;
mod session;
mod snapshot;
mod statements;
mod store;
mod tls;

pub use store::Postgres;
