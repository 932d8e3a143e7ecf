//! The HTTP server: webhooks, health and metrics.
//!
//! A webhook is answered `200` only when its event is durable, and `429` if it cannot be stored: senders retry after
//! nothing else.

mod answer;
mod body;
mod connection_slots;
mod cors;
mod exposition;
mod health;
mod local_caller;
mod metric_families;
mod metrics;
mod observed;
mod process;
mod recovery;
mod request_id;
mod router;
mod serve;
mod state;
mod webhook;

pub use exposition::{MAX_COMBINATIONS, OTHER};
pub use local_caller::{Ends, is_local_caller};
pub use metric_families::{FAMILIES, Family, Kind, Label, Merged};
pub use serve::{Error, bind, serve};
pub use state::{Server, Settings};
