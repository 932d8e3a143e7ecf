//! Sources of events: polled lists, webhooks, schedules, and events sent by hand.
//!
//! A trigger appends events and the runs they start to the journal. It never runs a step.

mod as_triggered;
mod backfill;
mod backfill_round;
mod claim_renewal;
mod claims;
mod compared_list;
mod comparison;
mod comparison_parents;
mod context;
pub mod detect;
pub mod manual;
mod new_run;
mod next_poll;
mod page_answer;
mod page_reader;
mod parent;
mod pause;
mod poll;
mod poll_requests;
mod poller;
mod progress;
mod readable_items;
mod reconcile;
mod schedule;
mod shared_list;
mod triggers;
mod watermark;
pub mod webhook;
mod window;

pub use as_triggered::as_triggered;
pub use backfill::{Backfill, BackfillError, BackfillOptions};
pub use claims::Claims;
pub use compared_list::{CompareError, ComparedList, Unseen};
pub use comparison::{ComparedPage, Comparison};
pub use context::TriggerContext;
pub use next_poll::{adapted, period};
pub use poll::Polled;
pub use poll_requests::{joins_early, reconciled_lists, request_key};
pub use poller::{Error, Poller};
pub use progress::{OnPage, PageRead};
pub use schedule::{OLDEST_MISSED, Schedule};
pub use triggers::{PollSummary, Triggers};
pub use window::PollWindow;
