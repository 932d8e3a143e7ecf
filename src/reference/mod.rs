//! Generated reference pages about recipes, templates, workspaces and connectors, from the data that the program
//! itself uses.

mod codes;
mod connector;
mod events;
mod metrics;
mod operation;
mod page;
mod pages;
mod polls;
mod result;
mod schema;
mod shape;
mod snippet;
mod sources;
mod templates;

pub use codes::{Explanation, explanation};
pub use operation::{brief, input, kinds, operation, request_line};
pub use page::Page;
pub use pages::pages;
pub use shape::words;
pub use snippet::snippets;
pub use sources::{Example, Metric, Metrics, Sources};
