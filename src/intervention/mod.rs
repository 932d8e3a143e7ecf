//! What a person does about runs that failed or are parked: retry, skip, resolve. The command line and the dashboard
//! share it. It changes the journal only; a running engine notices by itself.

mod apply;
mod outcome_counts;

pub use apply::{Intervention, Outcome, Versions, apply};
pub use outcome_counts::{Continued, Left, OutcomeCounts};
