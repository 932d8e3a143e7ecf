//! Model → checked recipe: everything that can be known before a recipe runs, by rules of which each
//! has a file. Nothing here touches disk, network or clock, and nothing after it checks again.

mod accounts;
mod checked;
mod context;
mod editor_schema;
mod facts;
mod judge;
mod operation_use;
mod place;
mod result_shape;
pub mod rules;
mod shared_path;
mod site;
mod step_reads;
mod surroundings;
mod verification_key;

pub use checked::CheckedRecipe;
pub use context::Context;
pub use editor_schema::{schema, schema_text};
pub use facts::{ConnectionFacts, Facts};
pub use judge::{Checked, check, check_all, check_begun};
pub use operation_use::{OperationUse, Purpose};
pub use rules::Rule;
pub use site::{Position, Site, StepPart};
pub use step_reads::StepReads;
pub use verification_key::weakness;
