//! `hob store`: what is stored, and moving it.

mod export;
mod import;
mod info;
mod mark;
mod migrate;
mod open;
mod transfer;

pub use export::Export;
pub use import::Import;
pub use info::Info;
pub use migrate::Migrate;
pub(super) use open::{open, open_existing, open_present};

use clap::Subcommand;

/// Look at the store, and move it
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Tell what is stored, and how much of it
    Info(Info),
    /// Move everything from another store into the workspace's
    Migrate(Migrate),
    /// Write everything that is stored, a line of JSON a record
    Export(Export),
    /// Take in what `export` wrote
    Import(Import),
}
