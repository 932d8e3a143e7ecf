//! The server's state, and the swap of its receiver when recipes change.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};

use super::body::Room;
use super::observed::{Counts, Names};
use super::recovery::Recovery;
use crate::engine::RunCounters;
use crate::services::Services;
use crate::trigger::webhook::Receiver;

/// Settings of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Largest body of a webhook, in bytes.
    pub largest_body: usize,
    /// Whether stored events are kept. Not in a dry run, so senders are asked to retry.
    pub keeps: bool,
    /// Whether `/metrics` is open to everyone.
    pub open_metrics: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { largest_body: 5 << 20, keeps: true, open_metrics: false }
    }
}

/// The server. Cheap to clone.
#[derive(Clone)]
pub struct Server(Arc<Shared>);

pub(super) struct Shared {
    pub services: Services,
    /// Counts of the engine.
    pub runs: Arc<RunCounters>,
    pub settings: Settings,
    pub counts: Counts,
    pub names: Names,
    pub room: Room,
    pub recovery: Recovery,
    /// When the server was made.
    pub began: DateTime<Utc>,
    receiver: RwLock<Arc<Receiver>>,
}

impl Server {
    /// A server that stores the events of `receiver` in the journal. `runs` is exposed as metrics.
    pub fn new(services: Services, receiver: Receiver, runs: Arc<RunCounters>, settings: Settings) -> Self {
        let receiver = RwLock::new(Arc::new(receiver));
        let began = services.clock.now();
        Self(Arc::new(Shared {
            services,
            began,
            runs,
            settings,
            receiver,
            counts: Counts::default(),
            names: Names::default(),
            room: Room::default(),
            recovery: Recovery::default(),
        }))
    }

    /// Replaces the receiver. Requests in progress end with the old one; addresses that are gone are absent for a
    /// while.
    pub fn swap(&self, receiver: Receiver) {
        let mut present = self.0.receiver.write().unwrap_or_else(PoisonError::into_inner);
        *present = Arc::new(receiver.following(&present, self.0.services.clock.now()));
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
