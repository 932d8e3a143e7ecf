//! The durable record: events, runs and their entries, cursors, links and values. The only module with SQL.

mod accepted_removals;
mod access;
mod activity;
mod alert;
mod database;
mod encoding;
mod ended_alike;
mod event_row;
mod export_record;
mod format;
mod identifiers;
mod interface;
mod last_failure;
mod link_base;
mod model;
mod operator_act;
mod operator_session;
mod paused;
mod postgres;
mod queries;
mod row;
mod shared_queries;
mod slots;
mod snapshot;
mod sqlite;
mod turns;
mod unreadable_runs;

pub use accepted_removals::{accept_removals, accepted_removals, forget_accepted_removals};
pub use access::Access;
pub use activity::Activity;
pub use alert::StoredAlert;
pub use ended_alike::{EndedAlike, EndedIn};
pub use export_record::{Due, Page, Part, Record};
pub use format::{EntryError, read_entry, write_entry};
pub use identifiers::{IdentifierKey, IndexEntries, IndexProgress, Unindexed};
pub use interface::{Journal, Queries};
pub use link_base::{BaseValues, BaseWrite, LinkBase, WriteIntent};
pub use model::{
    Appended, Batch, Claim, Error, HeldConnection, Lease, LeasedRun, LimitState, LimitWrite, Link, LinkWrite,
    NewRun, Progress, Pruned, Queue, RecipeText, Retention, RunDetail, RunFilter, RunNeighbours, RunPlace,
    RunRow, RunUpdate, SeenCount, StoreInfo, Totals, Unfinished, Written,
};
pub use operator_act::{Act, ActFilter, OperatorAct};
pub use operator_session::OperatorSession;
pub use paused::{
    Pause, PauseSubject, Paused, RESERVED_PREFIX, all_paused, last_pause, pause, pause_reason, paused, resume,
};
pub use postgres::Postgres;
pub use slots::Slots;
pub use snapshot::Snapshot;
pub use sqlite::Sqlite;
