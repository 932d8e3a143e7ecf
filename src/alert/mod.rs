//! Tells people when something is wrong, and when it is over: once for each cause, however many runs it has.
//!
//! What was told and what is still to be told is decided and stored together, before anything is sent, so that neither a
//! crash nor a destination that is down loses or repeats an alert. Runs never wait for any of this.

mod about;
mod decide;
mod destination_failure;
mod http;
mod mail;
mod message;
mod model;
mod notice;
mod observation;
mod observe;
mod outbox;
mod row;
mod send;
mod silence;
mod test_notice;
#[cfg(test)]
mod tests;
mod watch;
mod watched;

pub use about::About;
pub use destination_failure::unreached_destinations;
pub use model::{Alert, Delivery, End, EndReason, Told};
pub use notice::Notice;
pub use row::{Row, rows};
pub use send::Sender;
pub use test_notice::test_notice;
pub use watch::AlertWatch;
pub use watched::WatchSettings;
