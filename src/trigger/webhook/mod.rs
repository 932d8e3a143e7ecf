//! Requests from outside: who sent them, what they say, whose they are.
//!
//! Pure, apart from keys read at the start: the server receives and the journal stores.

mod account;
mod key;
mod keys;
mod path;
mod receiver;
mod recognise;
pub mod verify;

pub use account::{Owner, owner};
pub use keys::keys;
pub use receiver::{AppSettings, Received, Receiver, Refused};
pub use recognise::{Recognised, recognise};
pub use verify::Verifier;
