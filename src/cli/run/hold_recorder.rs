//! Records in the store which connections are held, for other commands and the next start.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::cli::Failure;
use crate::clock::Clock;
use crate::connection::{Connection, HoldChange};
use crate::journal::{Error, HeldConnection, Journal};
use crate::secret::Redactor;
use crate::services::Services;

/// Pause while the store is unreachable.
const STORE_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// How often to check for a new consent by `hob connect`, while a connection waits for it.
const CONSENT_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Records every start and end of a hold.
pub(super) struct HoldRecorder(mpsc::UnboundedSender<HoldEvent>);

enum HoldEvent {
    Change(HoldChange),
    /// No more events; answered once all are recorded.
    End(oneshot::Sender<()>),
}

impl HoldRecorder {
    /// Starts with no holds: after a restart, credentials are tried again, and runs that wait for them are due.
    pub(super) async fn start(services: &Services) -> Result<Self, Failure> {
        let Services { journal, connections, redactor, clock, .. } = services.clone();
        for held in journal.held_connections().await.map_err(Failure::unavailable)? {
            journal.release_hold(&held.connection).await.map_err(Failure::unavailable)?;
        }
        let (tell, mut news) = mpsc::unbounded_channel();
        for connection in connections.values() {
            let tell = tell.clone();
            // Without a receiver the process is ending.
            connection.hold.on_change(move |change| drop(tell.send(HoldEvent::Change(change))));
        }
        tokio::spawn(watch_consent(connections.values().cloned().collect(), tell.clone()));
        tokio::spawn(async move {
            while let Some(news) = news.recv().await {
                match news {
                    HoldEvent::Change(change) => note(journal.as_ref(), change, &redactor, &clock).await,
                    HoldEvent::End(noted) => {
                        let _ = noted.send(());
                        return;
                    }
                }
            }
        });
        Ok(Self(tell))
    }

    /// Waits until all is recorded.
    pub(super) async fn end(&self) {
        let (tell, noted) = oneshot::channel();
        if self.0.send(HoldEvent::End(tell)).is_ok() {
            // Without an answer it has ended as well.
            let _ = noted.await;
        }
    }
}

/// Ends holds of connections with a new consent, until the receiver is closed.
async fn watch_consent(connections: Vec<Arc<Connection>>, heard: mpsc::UnboundedSender<HoldEvent>) {
    while !heard.is_closed() {
        tokio::time::sleep(CONSENT_CHECK_INTERVAL).await;
        for connection in &connections {
            if connection.hold.reason().is_some() && connection.is_reconnected() {
                connection.hold.renew(&connection.name);
            }
        }
    }
}

async fn note(journal: &dyn Journal, change: HoldChange, redactor: &Redactor, clock: &Clock) {
    let HoldChange { connection, reason } = change;
    // The same text as in the waiting runs.
    let reason = reason.map(|reason| redactor.text(&reason));
    match &reason {
        Some(reason) => {
            tracing::warn!(connection, "{reason}; its polls and runs wait until the credential works");
        }
        None => tracing::info!(connection, "the credential works again; its polls and runs go on"),
    }
    let held =
        reason.map(|reason| HeldConnection { connection: connection.clone(), reason, since: clock.now() });
    loop {
        let noted = match &held {
            Some(held) => journal.hold(held).await,
            None => journal.release_hold(&connection).await.map(drop),
        };
        match noted {
            Err(Error::Unavailable { .. }) => tokio::time::sleep(STORE_RETRY_INTERVAL).await,
            Err(error) => {
                return tracing::error!(connection, %error, "it cannot be noted that the connection is held");
            }
            Ok(()) => return,
        }
    }
}
