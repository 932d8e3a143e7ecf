//! Answers in place of the network.

use std::fmt;
use std::sync::Arc;

use super::{PreparedRequest, Received};

type Respond = dyn Fn(&PreparedRequest) -> Received + Send + Sync;

/// Answers every request of a client, so that none is sent.
#[derive(Clone)]
pub struct Responder(Arc<Respond>);

impl Responder {
    /// Answers with `respond`, which must return at once.
    pub fn new(respond: impl Fn(&PreparedRequest) -> Received + Send + Sync + 'static) -> Self {
        Self(Arc::new(respond))
    }

    /// The answer to `request`.
    pub(super) fn respond(&self, request: &PreparedRequest) -> Received {
        (self.0)(request)
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responder")
    }
}
