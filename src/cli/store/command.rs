//! The subcommands of `hob store`.

use clap::Subcommand;

use super::backup::Backup;
use super::export::Export;
use super::import::Import;
use super::info::Info;
use super::migrate::Migrate;

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
