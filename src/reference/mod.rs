//! The reference pages: what there is to write in recipes, templates, workspaces and connectors, made
//! of the data that everything else reads. Nothing is said here that is not said there.

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

pub use operation::{kinds, operation, request_line};
pub use page::Page;
pub use pages::pages;
pub use snippet::snippets;
pub use sources::{Example, Metric, Metrics, Sources};
