//! What makes events: lists read every so often, webhooks received, set times, and people.
//!
//! A trigger appends events, and the runs they cause, to the journal. It never runs a step.

mod claim_keeper;
mod claims;
pub mod detect;
mod due;
pub mod manual;
mod new_run;
mod page_answer;
mod poller;
mod progress;
mod reading;
mod reconcile;
mod resting;
mod scan;
mod schedule;
mod shared_list;
mod sift;
mod surroundings;
mod triggers;
mod watermark;
pub mod webhook;

pub use claims::Claims;
pub use poller::{Error, Poller};
pub use progress::{OnPage, PageRead};
pub use scan::Polled;
pub use schedule::{OLDEST_MISSED, Schedule};
pub use surroundings::Surroundings;
pub use triggers::{Taken, Triggers};
