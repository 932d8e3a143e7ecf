//! The journal in an SQLite file: one thread writes, in groups of whatever waits, and a few
//! connections read beside it. One process works on the file, others may look and add events.

mod amend;
mod append;
mod backup;
mod claim;
mod export;
mod failure;
mod fingerprint;
mod hold;
mod import;
mod info;
mod lease;
mod limits;
mod link;
mod list;
mod lock;
mod place;
#[cfg(test)]
mod plan;
mod poller;
mod prune;
mod reader;
mod recipe;
mod row;
mod schema;
mod snapshot;
mod store;
mod tally;
mod writer;
mod writes;

pub use store::Sqlite;
