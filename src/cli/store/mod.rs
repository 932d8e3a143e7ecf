//! `hob store`: inspects, copies and moves stores.

mod backup;
mod command;
mod export;
mod import;
mod import_marker;
mod info;
mod migrate;
mod open;
mod target;
mod transfer;

pub use command::StoreCommand;
pub(super) use open::{open, open_existing, open_present};
