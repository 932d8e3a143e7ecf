//! The journal in a PostgreSQL database, which any number of processes share. Each call is one
//! statement: a query, or a function of the store's own schema that does all of it in one transaction.
//! What many ask for at once goes into one call. Lost connections are made anew, and what was being
//! done is done again in a way that nothing is lost or done twice.

mod amend;
mod append;
mod claim;
mod clock;
mod export;
mod failure;
mod fingerprint;
mod group;
mod hold;
mod import;
mod lease;
mod limits;
mod link;
mod list;
mod listener;
mod patience;
mod poller;
mod pool;
mod presence;
mod recipe;
mod record;
mod row;
mod schema;
mod server;
mod session;
mod snapshot;
mod store;
mod target;
mod tls;
mod upkeep;
mod writes;

pub use store::Postgres;
