//! Converts OpenAPI 3.0 and 3.1 documents and an overlay into connector files.
//!
//! Only facts are imported: paths, names, types, allowed values, formats, required marks, scopes, versions and
//! deprecation; never sentences. What descriptions state wrongly or cannot state comes from the overlay. No document
//! can make this module panic or run without bounds; everything dropped, guessed or patched is in the report. It
//! reads and writes no files.

mod body;
mod connector_file;
mod cross_checks;
mod described;
mod document;
mod error;
mod example;
mod finding;
mod importer;
mod infer;
mod listing;
mod names;
mod operation;
mod overlay;
mod parameters;
mod patch;
mod report;
mod schema;
#[cfg(test)]
mod tests;
mod write;

pub use connector_file::name_for;
pub use document::Document;
pub use error::Error;
pub use finding::{FindingKind, Treatment};
pub use importer::{Imported, import};
pub use overlay::{Overlay, OverlayOperation};
pub use report::{Finding, Report};
pub use write::MARK;
