//! A run: one event through one recipe. Its identity, states, entries, and the pure machine that decides the next
//! command. Nothing here sends, stores, or reads the clock.

mod backoff;
mod begun_again;
mod builtin;
mod changes;
mod command;
mod comparison;
mod compatibility;
mod difference;
pub mod echo;
mod entry;
mod intervention;
mod kept;
mod loop_limit;
mod machine;
mod model;
pub mod probe;
mod redact;
mod repeated;
mod state;
mod status;
mod step_result;
mod template_scope;
#[cfg(test)]
pub(crate) mod testing;
mod truncate;
pub mod unchanged;
mod unknown;
mod unknown_fields;
mod unsettled;
mod writes;

pub use changes::SeenBefore;
pub use command::{Command, Decision, Probe, StepCall};
pub use comparison::{BEFORE, CHANGED, Comparison};
pub use compatibility::incompatibility;
pub use difference::Difference;
pub use entry::{
    ChainLink, Entry, FoundLink, KnownBy, MirroredToken, StampedEntry, StepError, StepKey, WaitKind,
};
pub use intervention::{Intervened, InvalidIntervention, OperatorAction, plan_intervention};
pub use kept::differences;
pub use loop_limit::LoopLimit;
pub use machine::{Machine, result_of};
pub use model::{Accounts, Run, RunId};
pub use redact::redact_text;
pub use repeated::{Attempts, depends_on_other_writers, restore_first_answer, take_marks};
pub use state::RunState;
pub use status::{Phase, Started, Status, StepStatus};
pub use step_result::{Finding, StepResult};
pub use template_scope::{RunContext, about};
pub use unknown::step_reads;
pub use unknown_fields::UnknownFields;
pub use unsettled::Unsettled;
pub use writes::{Origin, ShownRecord, SourceRecord, Write, item_id, writes};
