//! What hob answers over HTTP: webhooks, health and metrics.
//!
//! A webhook is answered `200` only when its event is durable, and `429` when it cannot be: senders
//! try again after nothing else.

mod answer;
mod cors;
mod health;
mod metrics;
mod request_id;
mod router;
mod serve;
mod state;
mod webhook;

pub use serve::{Error, bind, serve};
pub use state::{Server, Settings};
