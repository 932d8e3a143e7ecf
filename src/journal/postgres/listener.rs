//! How processes on one store notify each other of work, by LISTEN and NOTIFY on a connection of each process. NOTIFY
//! is not part of the writing transactions, because PostgreSQL would then serialize their commits. A notification
//! that is late, or lost because a process ends, only delays the work until the others poll.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::journal::Access;
use crate::value::Backoff;

use super::address::Target;
use super::clock::{ClockQuery, QUERY, ServerClock};
use super::failure::Failure;
use super::runner_lock;
use super::session::{Driver, dial};

/// Delays between attempts to reconnect.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
/// How often the server's clock is queried.
const CLOCK_INTERVAL: Duration = Duration::from_secs(30);
/// The shortest interval between two notifications.
const NOTIFY_INTERVAL: Duration = Duration::from_millis(5);

/// Notifies this process and the others of new work.
pub(super) struct Listener {
    /// Incremented whenever there may be new work.
    signal: Arc<watch::Sender<u64>>,
    /// Wakes the task that sends NOTIFY.
    outgoing: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Connects and listens.
    pub(super) async fn start(
        target: Arc<Target>,
        tls: MakeRustlsConnect,
        access: Access,
        clock: Arc<ServerClock>,
    ) -> Result<Self, Failure> {
        let params = ConnectParams { target, tls, access };
        let connection = ListenConnection::open(&params).await?;
        let (signal, outgoing) = (Arc::new(watch::Sender::new(0)), Arc::new(Notify::new()));
        let notifications =
            Notifications { signal: Arc::clone(&signal), outgoing: Arc::clone(&outgoing), clock };
        let task = tokio::spawn(listen(connection, params, notifications));
        Ok(Self { signal, outgoing, task })
    }

    /// Notifies this process and the others of new work.
    pub(super) fn notify(&self) {
        bump(&self.signal);
        self.outgoing.notify_one();
    }

    /// The number of notifications so far.
    pub(super) fn count(&self) -> u64 {
        *self.signal.borrow()
    }

    /// Resolves once there are more than `count` notifications.
    pub(super) async fn notifications(&self, count: u64) {
        // Fails only once the sender is dropped, and we hold it.
        let _ = self.signal.subscribe().wait_for(|now| *now > count).await;
    }

    /// Stops listening.
    pub(super) fn close(&self) {
        self.task.abort();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.close();
    }
}

fn bump(signal: &watch::Sender<u64>) {
    signal.send_modify(|count| *count += 1);
}

/// Received and pending notifications.
struct Notifications {
    signal: Arc<watch::Sender<u64>>,
    outgoing: Arc<Notify>,
    clock: Arc<ServerClock>,
}

/// Never returns; reconnects forever.
async fn listen(mut connection: ListenConnection, params: ConnectParams, notifications: Notifications) {
    let me = uuid::Uuid::now_v7().simple().to_string();
    loop {
        if let Err(failure) = connection.serve(&params.target, &me, &notifications).await {
            let error = failure.into_error(&params.target.name);
            tracing::debug!(%error, "nothing is heard of other processes for a moment");
        }
        let mut failures = 1;
        connection = loop {
            tokio::time::sleep(BACKOFF.pause(failures)).await;
            match ListenConnection::open(&params).await {
                Ok(connection) => break connection,
                Err(_) => failures += 1,
            }
        };
        // A notification may have been missed while disconnected.
        bump(&notifications.signal);
    }
}

/// The parameters of the connection.
struct ConnectParams {
    target: Arc<Target>,
    tls: MakeRustlsConnect,
    access: Access,
}

/// A connection that listens and holds the runner lock.
struct ListenConnection {
    client: Client,
    messages: mpsc::UnboundedReceiver<String>,
    _driver: AbortOnDrop,
}

impl ListenConnection {
    async fn open(params: &ConnectParams) -> Result<Self, Failure> {
        let (client, driver) = dial(&params.target, &params.tls).await?;
        let (inbox, messages) = mpsc::unbounded_channel();
        let _driver = AbortOnDrop(tokio::spawn(drive(driver, inbox)));
        if params.access == Access::Runner {
            client.batch_execute(&runner_lock::acquire(&params.target.schema)).await?;
        }
        client.batch_execute(&format!("LISTEN {}", params.target.channel())).await?;
        Ok(Self { client, messages, _driver })
    }

    /// Receives and sends notifications as the session `me` until the connection is lost.
    async fn serve(
        &mut self,
        target: &Target,
        me: &str,
        notifications: &Notifications,
    ) -> Result<(), Failure> {
        let notify = format!("NOTIFY {}, '{me}'", target.channel());
        let mut time = tokio::time::interval(CLOCK_INTERVAL);
        loop {
            tokio::select! {
                message = self.messages.recv() => match message {
                    Some(sender) if sender == me => {}
                    Some(_) => bump(&notifications.signal),
                    None => return Ok(()),
                },
                _ = time.tick() => {
                    let query = ClockQuery::now();
                    let rows = self.client.query(QUERY, &[]).await?;
                    notifications.clock.set_from(&query, &rows)?;
                }
                () = notifications.outgoing.notified() => {
                    if let Err(error) = self.client.batch_execute(&notify).await {
                        notifications.outgoing.notify_one();
                        return Err(error.into());
                    }
                    tokio::time::sleep(NOTIFY_INTERVAL).await;
                }
            }
        }
    }
}

/// Forwards the sender of each notification.
async fn drive(mut driver: Driver, inbox: mpsc::UnboundedSender<String>) {
    loop {
        match std::future::poll_fn(|context| driver.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(notification))) => {
                if inbox.send(notification.payload().to_owned()).is_err() {
                    return;
                }
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return,
        }
    }
}

/// A task that is aborted on drop.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
