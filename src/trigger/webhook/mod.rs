//! Requests from outside: who sent them, what they say, whose they are.
//!
//! Pure, apart from keys read at the start: the server receives and the journal stores.

mod key;
pub mod verify;

pub use verify::Verifier;
