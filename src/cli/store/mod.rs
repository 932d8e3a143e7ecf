//! `hob store`: what is stored, and moving it.

mod backup;
mod export;
mod import;
mod import_marker;
mod info;
mod migrate;
mod open;
mod target;
mod transfer;

pub use backup::Backup;
pub use export::Export;
pub use import::Import;
pub use info::Info;
pub use migrate::Migrate;
pub(super) use open::{open, open_existing, open_present};

use clap::Subcommand;

/// Inspect the store, back it up, move it
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Show what is stored, and how much of it
    Info(Info),
    /// Copy everything from another store into the workspace's store
    Migrate(Migrate),
    /// Write everything in the store to a file, one line of JSON per record
    Export(Export),
    /// Copy the store into a file that can take its place
    Backup(Backup),
    /// Load what `hob store export` wrote
    Import(Import),
}
