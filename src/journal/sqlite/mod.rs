//! The journal in an SQLite file. One thread writes, in groups; a few connections read concurrently. One process runs
//! recipes on the file, others may read and add events.

mod amend;
mod append;
mod backup;
mod claim;
mod clear;
mod coalesce;
mod counters;
mod dialect;
mod failure;
mod file_identity;
mod grant;
mod hold;
mod lease;
mod limits;
mod lock;
mod poller;
mod prune;
#[cfg(test)]
mod query_plan_tests;
mod reader;
mod row;
mod schema;
mod snapshot;
mod store;
mod writer;
mod writes;

pub use store::Sqlite;
