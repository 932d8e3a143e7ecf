//! What a person does about runs that failed or are parked: retry, skip, resolve. The command line and the dashboard
//! share it. It changes the journal only; a running engine notices by itself.

mod apply;
mod tally;

pub use apply::{Intervention, Outcome, apply};
pub use tally::{Left, Tally};
