//! Limits the number of open connections. Beyond it, the oldest connection without a verified request is closed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Slots for connections. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct ConnectionSlots {
    free: Arc<Semaphore>,
    unverified: Arc<Mutex<UnverifiedSlots>>,
}

/// Connections that may be closed, oldest first.
#[derive(Debug, Default)]
struct UnverifiedSlots {
    next: u64,
    waiting: BTreeMap<u64, Arc<Notify>>,
}

/// The slot of one connection. A clone can protect the connection from being closed.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    unverified: Arc<Mutex<UnverifiedSlots>>,
    place: Arc<Mutex<u64>>,
    close_requested: Arc<Notify>,
    _permit: Arc<OwnedSemaphorePermit>,
}

/// Protects the connection from being closed until dropped.
#[derive(Debug)]
pub(super) struct Protected(Slot);

impl ConnectionSlots {
    pub(super) fn new(most: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(most)), unverified: Arc::default() }
    }

    /// Takes a slot for a new connection.
    pub(super) async fn take(&self) -> Option<Slot> {
        let permit = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                self.close_oldest();
                // The semaphore is never closed.
                Arc::clone(&self.free).acquire_owned().await.ok()?
            }
        };
        let slot = Slot {
            unverified: Arc::clone(&self.unverified),
            place: Arc::default(),
            close_requested: Arc::default(),
            _permit: Arc::new(permit),
        };
        slot.queue();
        Some(slot)
    }

    fn close_oldest(&self) {
        let mut unverified = self.unverified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, oldest)) = unverified.waiting.pop_first() {
            oldest.notify_one();
        }
    }
}

impl Slot {
    fn queue(&self) {
        let mut unverified = self.unverified.lock().unwrap_or_else(PoisonError::into_inner);
        let place = unverified.next;
        unverified.next += 1;
        unverified.waiting.insert(place, Arc::clone(&self.close_requested));
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }

    fn leave_queue(&self) {
        let place = *self.place.lock().unwrap_or_else(PoisonError::into_inner);
        self.unverified.lock().unwrap_or_else(PoisonError::into_inner).waiting.remove(&place);
    }

    /// Protects the connection after its request was verified.
    pub(super) fn protect(&self) -> Protected {
        self.leave_queue();
        Protected(self.clone())
    }

    /// Resolves once the connection must be closed.
    pub(super) async fn close_requested(&self) {
        self.close_requested.notified().await;
    }

    /// Releases the slot.
    pub(super) fn free(self) {
        self.leave_queue();
    }
}

impl Drop for Protected {
    fn drop(&mut self) {
        self.0.queue();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn the_oldest_that_has_proved_nothing_makes_room() {
        let slots = ConnectionSlots::new(3);
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(slots.take().await.unwrap());
        }
        let protected = held[0].protect();
        let mut fourth = std::pin::pin!(slots.take());
        assert!(fourth.as_mut().now_or_never().is_none(), "there is no place yet");
        assert!(held[0].close_requested().now_or_never().is_none());
        assert!(held[2].close_requested().now_or_never().is_none());
        assert!(held[1].close_requested().now_or_never().is_some());
        held.remove(1).free();
        let _fourth = fourth.await.unwrap();
        // A verified connection goes to the end of the queue.
        drop(protected);
        assert!(slots.take().now_or_never().is_none());
        assert!(held[0].close_requested().now_or_never().is_none());
        assert!(held[1].close_requested().now_or_never().is_some());
    }

    #[tokio::test]
    async fn one_that_ended_is_asked_nothing() {
        let slots = ConnectionSlots::new(1);
        slots.take().await.unwrap().free();
        let second = slots.take().now_or_never().flatten().unwrap();
        assert!(slots.take().now_or_never().is_none());
        assert!(second.close_requested().now_or_never().is_some());
    }
}
