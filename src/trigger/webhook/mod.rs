//! Requests from outside: who sent them, what they say, whose they are.
//!
//! Pure, apart from keys read at the start: the server receives and the journal stores.

mod absent;
mod account;
mod body;
mod compression;
mod delivery_id;
mod form;
mod keys;
mod path;
mod receiver;
mod recognise;
pub mod verify;

pub use absent::{GRACE, Listener};
pub use account::{Owner, owner};
pub use body::{Delivery, Unreadable};
pub use keys::{keys, short_key, unusable_key};
pub use receiver::{AppSettings, Received, Receiver, Refused, listeners};
pub use recognise::{Recognised, recognise};
pub use verify::Verifier;
