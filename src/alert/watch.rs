//! Watches what is wrong, decides what is told, and sends it.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::decide::decide;
use super::observe::observe;
use super::outbox::{batches, settle};
use super::row::{Row, rows};
use super::send::Sender;
use super::watched::{WatchSettings, Watched};
use crate::journal::Error;
use crate::services::Services;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(5);
/// The name of the claim: one process tells.
const CLAIM: &str = "alerts";
/// How long the claim holds.
const TTL: Duration = Duration::from_secs(60);
/// After this part of it nothing is sent, because another process may have taken it over.
const CERTAIN: Duration = Duration::from_secs(20);
/// How long alerts are kept that have ended.
const KEPT: TimeDelta = TimeDelta::days(1);

/// Watches what is wrong.
pub struct AlertWatch {
    watched: Watched,
    sender: Sender,
    /// This process among those that share the store.
    owner: String,
}

/// The store was changed by another process meanwhile: nothing more is done until the next look.
struct Overtaken;

impl AlertWatch {
    /// Watches as the process `owner`.
    pub fn new(settings: WatchSettings, sender: Sender, owner: &str) -> Self {
        let Sender { services, recipes, .. } = sender.clone();
        let began = services.clock.now();
        let watched = Watched { settings, services, recipes, began };
        Self { watched, sender, owner: owner.to_owned() }
    }

    /// Looks again and again. Never returns.
    pub async fn regularly(&self) {
        if self.is_idle() {
            return std::future::pending().await;
        }
        loop {
            self.look().await;
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Looks once. What cannot be sent is tried again at the next look.
    pub async fn look(&self) {
        if self.is_idle() {
            return;
        }
        if let Err(error) = self.pass().await {
            tracing::debug!(%error, "alerts could not be looked for; it will be tried again");
        }
    }

    /// Whether there is nobody to be told.
    fn is_idle(&self) -> bool {
        self.watched.settings.alerts.to.is_empty()
    }

    async fn pass(&self) -> Result<(), Error> {
        let Services { journal, clock, .. } = &self.watched.services;
        let begun = clock.elapsed();
        if journal.is_shared() && journal.claim(CLAIM, &self.owner, clock.now(), TTL).await?.is_none() {
            return Ok(());
        }
        let mut known = rows(journal.alerts().await?);
        let now = clock.now();
        let seen = observe(&self.watched, now).await?;
        let changed = decide(&known, &seen, &self.watched.settings.alerts, now);
        if self.store(&mut known, changed).await?.is_err() {
            return Ok(());
        }
        self.deliver(&mut known, begun).await?;
        journal.forget_alerts(now - KEPT).await
    }

    /// Sends what is due, to all destinations at the same time.
    async fn deliver(&self, known: &mut BTreeMap<String, Row>, begun: Duration) -> Result<(), Error> {
        let clock = &self.watched.services.clock;
        let batches =
            batches(known, &self.watched.settings.alerts, self.watched.settings.url.as_deref(), clock.now());
        let mut sending: FuturesUnordered<_> = batches
            .into_iter()
            .filter(|_| clock.elapsed().saturating_sub(begun) < CERTAIN)
            .map(|mut batch| async {
                let notices = std::mem::take(&mut batch.notices);
                let sent = self.sender.send(batch.destination, &batch.id(), notices).await;
                (batch, sent)
            })
            .collect();
        while let Some((batch, sent)) = sending.next().await {
            let name = batch.destination.name.as_str();
            match &sent {
                Ok(()) => tracing::info!(destination = name, alerts = batch.parts.len(), "told alerts"),
                Err(reason) => {
                    tracing::warn!(
                        destination = name,
                        "alerts cannot be told: {reason}; it will be tried again"
                    );
                }
            }
            let changed = settle(known, name, &batch.parts, &sent, clock.now());
            if self.store(known, changed).await?.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Stores rows together.
    async fn store(
        &self,
        known: &mut BTreeMap<String, Row>,
        changed: Vec<Row>,
    ) -> Result<Result<(), Overtaken>, Error> {
        if changed.is_empty() {
            return Ok(Ok(()));
        }
        let Services { journal, clock, .. } = &self.watched.services;
        let now = clock.now();
        let next: Vec<_> = changed.iter().map(|row| row.next(now)).collect();
        if !journal.put_alerts(&next).await? {
            tracing::debug!("another process has changed alerts meanwhile");
            return Ok(Err(Overtaken));
        }
        for row in changed {
            known.insert(row.key.clone(), Row { version: row.version + 1, ..row });
        }
        Ok(Ok(()))
    }
}
