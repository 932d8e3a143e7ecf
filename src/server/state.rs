//! The server's state, and the swap of its receiver when recipes change.

use std::sync::{Arc, PoisonError, RwLock};

use super::body::Room;
use super::observed::{Counts, Names, Observed};
use super::recovery::Recovery;
use crate::clock::Clock;
use crate::journal::Journal;
use crate::trigger::webhook::Receiver;

/// How the server behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Largest body of a webhook, in bytes.
    pub largest_body: usize,
    /// Whether what is stored stays; of a dry run it does not, and senders are asked to send it again.
    pub keeps: bool,
    /// Whether everyone who can reach the address may read `/metrics` there.
    pub open_metrics: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { largest_body: 5 << 20, keeps: true, open_metrics: false }
    }
}

/// Answers requests from outside. Cheap to clone.
#[derive(Clone)]
pub struct Server(Arc<Shared>);

pub(super) struct Shared {
    pub journal: Arc<dyn Journal>,
    pub clock: Clock,
    pub observed: Observed,
    pub settings: Settings,
    pub counts: Counts,
    pub names: Names,
    pub room: Room,
    pub recovery: Recovery,
    receiver: RwLock<Arc<Receiver>>,
}

impl Server {
    /// A server that appends what `receiver` makes of requests to `journal`. Its metrics tell of what is
    /// `observed`.
    pub fn new(
        journal: Arc<dyn Journal>,
        receiver: Receiver,
        observed: Observed,
        clock: Clock,
        settings: Settings,
    ) -> Self {
        let receiver = RwLock::new(Arc::new(receiver));
        Self(Arc::new(Shared {
            journal,
            clock,
            observed,
            settings,
            receiver,
            counts: Counts::default(),
            names: Names::default(),
            room: Room::default(),
            recovery: Recovery::default(),
        }))
    }

    /// Receives for other recipes from now on. Requests under way end as they began; what nobody listens to
    /// any more is waited for some time.
    pub fn swap(&self, receiver: Receiver) {
        let mut present = self.0.receiver.write().unwrap_or_else(PoisonError::into_inner);
        *present = Arc::new(receiver.following(&present, self.0.clock.now()));
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0
    }
}

impl Shared {
    pub fn receiver(&self) -> Arc<Receiver> {
        Arc::clone(&self.receiver.read().unwrap_or_else(PoisonError::into_inner))
    }
}
