//! What an operator asks: which problems there are and why, and what a run did. Answers are typed and can be
//! serialized, so that the command line and pages show the same. Reads the journal and changes nothing.

mod budget_row;
mod cause;
mod history;
mod identifiers;
mod listed_run;
mod place;
mod poll_row;
mod problem;
mod problems;
mod runs_of_cause;
mod time;
mod timeline;
mod trace;
mod workspace_status;
mod written_field;

pub use budget_row::{BudgetRow, Burst, Daily};
pub use cause::Cause;
pub use history::history_page;
pub use identifiers::Identifiers;
pub use listed_run::{ListedRun, listed_runs};
pub use place::Place;
pub use poll_row::{PollRow, withheld_removals};
pub use problem::{Problem, ProblemKind};
pub use problems::{RunProblems, run_problems};
pub use runs_of_cause::{RunsOfCause, runs_of_cause};
pub use time::time;
pub use timeline::{Moment, Timeline, What, timeline};
pub use trace::{SpanKind, Trace, TraceSpan, TracedOutcome, TracedStep};
pub use workspace_status::{Known, PausedOn, RecipeRow, Subject, WorkspaceStatus};
pub use written_field::{FieldChange, WrittenField};
