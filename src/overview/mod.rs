//! What an operator asks: which problems there are and why, and what a run did. Answers are typed and can be
//! serialized, so that the command line and pages show the same. Reads the journal and changes nothing.

mod cause;
mod identifiers;
mod place;
mod problem;
mod problems;
mod runs_of_cause;
mod timeline;
mod trace;

pub use cause::Cause;
pub use identifiers::Identifiers;
pub use place::Place;
pub use problem::{Problem, ProblemKind};
pub use problems::{RunProblems, run_problems};
pub use runs_of_cause::{RunsOfCause, runs_of_cause};
pub use timeline::{Moment, Timeline, What, WrittenField, timeline};
pub use trace::{SpanKind, Trace, TraceSpan, TracedOutcome, TracedStep};
