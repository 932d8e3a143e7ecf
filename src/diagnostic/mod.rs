//! Diagnostics: one form for mistakes found while parsing, checking and running, rendered for people, scripts and
//! code hosts.

mod causes;
mod code;
mod fix;
mod model;
mod render;
mod report;
mod suggest;

pub use causes::with_causes;
pub use code::{Code, Severity};
pub use fix::{Applicability, Edit, Fix, apply};
pub use model::Diagnostic;
pub use render::{MAX_SHOWN, render};
pub use report::{Report, Row, to_github, to_json, to_sarif};
pub use suggest::{Suggestion, closest, list_some};
