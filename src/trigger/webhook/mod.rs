//! Webhook requests: who sent them, what they contain, and which connections they belong to.
//!
//! Pure, apart from keys that are read at the start: the server receives requests and the journal stores them.

mod absent;
mod body;
mod compression;
mod delivery_id;
mod form;
mod identify_event;
mod path;
mod received;
mod receiver;
mod routing;
mod unreadable;
mod verification_keys;
pub mod verify;

pub use absent::{GRACE, Listener};
pub use body::Delivery;
pub use identify_event::{IdentifiedEvent, identify_event};
pub use received::{Received, Refused};
pub use receiver::{AppSettings, Receiver, listeners};
pub use routing::{Owner, owner};
pub use unreadable::Unreadable;
pub use verification_keys::{keys, short_key, unusable_key};
pub use verify::Verifier;
