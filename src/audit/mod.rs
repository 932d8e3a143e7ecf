//! Compares what the apps have with what hob did: records that no event exists for, and records whose last run did not
//! do what the recipe says. It only reads, unless it is asked to make the missing events; it runs nothing and decides
//! nothing that is a person's.

mod finding;
mod options;
mod records;
mod report;
mod source;
mod target_read;
mod targets;
mod unseen;
mod written_fields;

pub use finding::{Finding, What};
pub use options::Options;
pub use report::{ListAudit, RecipeAudit, Report};
pub use source::{Error, audit_source};
pub use targets::{TargetAudit, Targets};
