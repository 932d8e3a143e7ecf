//! Who watches what.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::topic::Topic;
use crate::dashboard::page_error::PageError;

/// Most pages that watch at the same time; the others ask now and then.
const MOST: usize = 100;

/// The fingerprint that was seen last; none before the first look, and of what is gone.
type Seen = Option<String>;

/// What is watched. Cheap to clone.
#[derive(Clone)]
pub(in crate::dashboard) struct Watchers {
    watched: Arc<Mutex<HashMap<Topic, watch::Sender<Seen>>>>,
    places: Arc<Semaphore>,
}

/// A page that watches. Its place is free again when it is dropped.
pub(super) struct Watcher {
    pub(super) seen: watch::Receiver<Seen>,
    _place: OwnedSemaphorePermit,
}

impl Default for Watchers {
    fn default() -> Self {
        Self { watched: Arc::default(), places: Arc::new(Semaphore::new(MOST)) }
    }
}

impl Watchers {
    /// Another page that watches `topic`, unless there are too many. The first one begins to `look` at its fingerprint.
    pub(super) fn add<F>(&self, topic: &Topic, look: impl Fn() -> F + Send + 'static) -> Option<Watcher>
    where
        F: Future<Output = Result<Seen, PageError>> + Send + 'static,
    {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = match watched.get(topic) {
            Some(known) => known.subscribe(),
            None => {
                let (sender, seen) = watch::channel(None);
                watched.insert(topic.clone(), sender);
                tokio::spawn(self.clone().watch(topic.clone(), look));
                seen
            }
        };
        Some(Watcher { seen, _place: place })
    }

    /// Looks until nobody watches any more.
    async fn watch<F>(self, topic: Topic, look: impl Fn() -> F + Send)
    where
        F: Future<Output = Result<Seen, PageError>> + Send + 'static,
    {
        while self.is_watched(&topic) {
            match look().await {
                Ok(seen) => self.tell(&topic, seen),
                // It tells so itself where it is not told elsewhere.
                Err(PageError::Journal(error)) => {
                    tracing::debug!(%error, "open pages cannot be kept up to date")
                }
                Err(error) => tracing::error!(%error, "open pages cannot be kept up to date"),
            }
            tokio::time::sleep(topic.interval()).await;
        }
    }

    fn tell(&self, topic: &Topic, seen: Seen) {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = watched.get(topic) {
            sender.send_if_modified(|known| {
                let changed = *known != seen;
                *known = seen;
                changed
            });
        }
    }

    /// Whether somebody watches; if not, `topic` is forgotten.
    fn is_watched(&self, topic: &Topic) -> bool {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let is_watched = watched.get(topic).is_some_and(|sender| sender.receiver_count() > 0);
        if !is_watched {
            watched.remove(topic);
        }
        is_watched
    }
}
