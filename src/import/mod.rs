//! Turns OpenAPI 3.0 and 3.1 documents and an overlay into connector files.
//!
//! Only facts are taken over: paths, names, types, allowed values, formats, required marks, scopes,
//! versions and deprecation, never a sentence. What a description says wrongly or cannot say comes
//! from the overlay. No document makes this module panic or run away; everything dropped, guessed
//! or patched stands in the report. It reads and writes no files.

mod about;
mod defect;
mod derive;
mod document;
mod example;
mod facts;
mod listing;
mod names;
mod overlay;
mod parameters;
mod patch;
mod payload;
mod report;
mod schema;
mod survey;
#[cfg(test)]
mod tests;
mod transform;
mod write;

pub use about::name_for;
pub use defect::{Defect, Treatment};
pub use document::Document;
pub use overlay::{Overlay, OverlayOperation};
pub use report::{Finding, Report};
pub use transform::{Error, Imported, import};
pub use write::MARK;
