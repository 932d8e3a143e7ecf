//! How processes on one store learn that there is work: one connection of each listens, and tells the
//! others what this process has done. Telling is no part of the transactions that make work, for all
//! those of a server would then have to commit one after the other; what is told late or, because a
//! process dies in between, not at all, is found when the others look by themselves.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::journal::Access;
use crate::value::Backoff;

use super::address::Target;
use super::clock::{ASK, Asked, ServerClock};
use super::failure::Failure;
use super::runner_lock;
use super::session::{Driver, dial};

/// Pauses between attempts to listen again.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
/// How often the server is asked for its time.
const CLOCK_INTERVAL: Duration = Duration::from_secs(30);
/// What is to be told is told at most that often.
const NOTIFY_INTERVAL: Duration = Duration::from_millis(5);

/// The signal within this process, and the way to the others.
pub(super) struct Listener {
    /// Counts up whenever there may be new work.
    signal: Arc<watch::Sender<u64>>,
    /// Something is to be told.
    told: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Begins to listen.
    pub(super) async fn start(
        target: Arc<Target>,
        tls: MakeRustlsConnect,
        access: Access,
        clock: Arc<ServerClock>,
    ) -> Result<Self, Failure> {
        let params = ConnectParams { target, tls, access };
        let connection = ListenConnection::open(&params).await?;
        let (signal, told) = (Arc::new(watch::Sender::new(0)), Arc::new(Notify::new()));
        let notifications = Notifications { signal: Arc::clone(&signal), told: Arc::clone(&told), clock };
        let task = tokio::spawn(listen(connection, params, notifications));
        Ok(Self { signal, told, task })
    }

    /// This process has made work.
    pub(super) fn tell(&self) {
        bump(&self.signal);
        self.told.notify_one();
    }

    /// How often there was news.
    pub(super) fn count(&self) -> u64 {
        *self.signal.borrow()
    }

    /// Resolves once there is news after `count`.
    pub(super) async fn notifications(&self, count: u64) {
        // It ends with us, not before.
        let _ = self.signal.subscribe().wait_for(|now| *now > count).await;
    }

    /// Listens no more.
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

/// What is heard, and what is to be told.
struct Notifications {
    signal: Arc<watch::Sender<u64>>,
    told: Arc<Notify>,
    clock: Arc<ServerClock>,
}

/// Never ends by itself.
async fn listen(mut connection: ListenConnection, params: ConnectParams, notifications: Notifications) {
    let me = uuid::Uuid::now_v7().simple().to_string();
    loop {
        if let Err(failure) = connection.attend(&params.target, &me, &notifications).await {
            let error = failure.of(&params.target.name);
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
        // Something may have been told while nobody listened.
        bump(&notifications.signal);
    }
}

/// How the connection is made, and made anew.
struct ConnectParams {
    target: Arc<Target>,
    tls: MakeRustlsConnect,
    access: Access,
}

/// A connection that listens, and shows that a runner is there.
struct ListenConnection {
    client: Client,
    messages: mpsc::UnboundedReceiver<String>,
    _driver: Aborted,
}

impl ListenConnection {
    async fn open(params: &ConnectParams) -> Result<Self, Failure> {
        let (client, driver) = dial(&params.target, &params.tls).await?;
        let (inbox, messages) = mpsc::unbounded_channel();
        let _driver = Aborted(tokio::spawn(drive(driver, inbox)));
        if params.access == Access::Runner {
            client.batch_execute(&runner_lock::show(&params.target.schema)).await?;
        }
        client.batch_execute(&format!("LISTEN {}", params.target.channel())).await?;
        Ok(Self { client, messages, _driver })
    }

    /// Listens and tells, in the name of `me`, until the connection is lost.
    async fn attend(
        &mut self,
        target: &Target,
        me: &str,
        notifications: &Notifications,
    ) -> Result<(), Failure> {
        let tell = format!("NOTIFY {}, '{me}'", target.channel());
        let mut time = tokio::time::interval(CLOCK_INTERVAL);
        loop {
            tokio::select! {
                message = self.messages.recv() => match message {
                    Some(sender) if sender == me => {}
                    Some(_) => bump(&notifications.signal),
                    None => return Ok(()),
                },
                _ = time.tick() => {
                    let asked = Asked::now();
                    let rows = self.client.query(ASK, &[]).await?;
                    notifications.clock.answered(&asked, &rows)?;
                }
                () = notifications.told.notified() => {
                    if let Err(error) = self.client.batch_execute(&tell).await {
                        notifications.told.notify_one();
                        return Err(error.into());
                    }
                    tokio::time::sleep(NOTIFY_INTERVAL).await;
                }
            }
        }
    }
}

/// Passes on who told something.
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

/// A task that is aborted when this is dropped.
struct Aborted(JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}
