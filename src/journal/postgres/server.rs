//! What a process has of the server: connections to work with, and one to hear of others.

use std::sync::Arc;

use super::clock::ServerClock;
use super::listener::Listener;
use super::pool::Pool;

/// A server, connected to.
pub(super) struct Server {
    /// What messages call the store.
    pub(super) name: Arc<str>,
    /// Where its tables are.
    pub(super) schema: String,
    pub(super) pool: Pool,
    pub(super) listener: Listener,
    pub(super) clock: Arc<ServerClock>,
}
