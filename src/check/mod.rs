//! From model to checked recipe: everything that can be known before a recipe runs, one file per rule. Uses no disk,
//! network or clock, and nothing downstream checks again.

mod accounts;
mod allowances;
mod builtin_shapes;
mod checked;
mod checker;
mod context;
mod cycles;
mod editor_schema;
mod event_reads;
mod feedback;
mod input_mismatch;
mod link_names;
mod locate;
mod meaning;
mod operation_use;
mod proven;
mod record_read;
mod result_shape;
pub mod rules;
mod shared_path;
mod starts;
mod step_reads;
mod template_site;
mod verification_key;
mod workspace_info;

pub use checked::{CheckedAction, CheckedRecipe};
pub use checker::{Checked, check, check_across, check_all, check_alone, check_begun};
pub use context::Context;
pub use editor_schema::{schema, schema_head, schema_text};
pub use event_reads::EventReads;
pub use feedback::{Feedback, Resource, event_names, writing_steps};
pub use operation_use::{OperationUse, Purpose};
pub use record_read::record_read;
pub use rules::Rule;
pub use step_reads::StepReads;
pub use template_site::{Position, StepPart, TemplateSite};
pub use verification_key::weakness;
pub use workspace_info::{ConnectionInfo, WorkspaceInfo};
