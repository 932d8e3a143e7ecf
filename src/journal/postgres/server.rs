//! The connections of a process to the server.

use std::sync::Arc;

use super::clock::ServerClock;
use super::listener::Listener;
use super::pool::Pool;

/// A connected server.
pub(super) struct Server {
    /// The store's name in messages.
    pub(super) name: Arc<str>,
    /// The schema of its tables.
    pub(super) schema: String,
    pub(super) pool: Pool,
    pub(super) listener: Listener,
    pub(super) clock: Arc<ServerClock>,
}
