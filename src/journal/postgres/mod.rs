//! The journal in a PostgreSQL database that any number of processes share. Each call is one statement: a query, or a
//! function of the store's schema that does the work in one transaction. Concurrent calls are batched. Lost
//! connections are reopened, and interrupted calls are repeated idempotently.

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
