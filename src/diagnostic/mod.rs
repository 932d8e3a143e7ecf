//! What users read when something is wrong: one form for mistakes found while parsing, checking and
//! running, and its renderings for people, scripts and code hosts.

mod code;
mod model;
mod render;
mod report;
mod suggest;

pub use code::{Code, Severity};
pub use model::Diagnostic;
pub use render::{MOST, render};
pub use report::{Report, Row, to_github, to_json, to_sarif};
pub use suggest::{Suggestion, closest, some_of};
