//! Listens and serves until stopped. Slow and idle connections are closed, so that they do not block others.

use std::net::SocketAddr;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::connection_slots::{ConnectionSlots, Slot};
use super::local_caller::Ends;

/// Most connections, if the limit of open files allows it.
const MAX_CONNECTIONS: u64 = 1024;
/// The limit of open files that hob asks for.
const FILES: u64 = 65_536;
/// Time limit for the head of a request, and between two requests.
const HEAD: Duration = Duration::from_secs(10);
/// Most headers of a request.
const MAX_HEADERS: usize = 100;
/// Most bytes of a head, and of a read.
const BUFFER: usize = 64 << 10;
/// Pause after accepting failed, usually because too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be bound.
    #[error("cannot listen at {address}: {source}; choose another address with --listen")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The socket failed.
    #[error("the server stopped: {0}")]
    Broken(#[from] std::io::Error),
}

/// Binds an address; port 0 means any free port.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Bind { address, source })
}

/// Serves until `stop` becomes true, then completes requests in progress. Raises the soft limit of open files.
pub async fn serve(
    router: Router,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    let listening = listener.local_addr()?;
    let slots = ConnectionSlots::new(most_connections());
    let under_way = GracefulShutdown::new();
    let mut stopped = std::pin::pin!(async move {
        // A closed channel means stop, too.
        let _ = stop.wait_for(|stop| *stop).await;
    });
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = &mut stopped => break,
        };
        match accepted {
            Ok((stream, peer, slot)) => {
                let router =
                    router.clone().layer(Extension(Ends { listening, peer })).layer(Extension(slot.clone()));
                tokio::spawn(answer(router, stream, slot, &under_way));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection is not accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    under_way.shutdown().await;
    Ok(())
}

/// Half of the files: the rest is for requests to APIs and for the store.
fn most_connections() -> usize {
    let files = rlimit::increase_nofile_limit(FILES).unwrap_or_else(|error| {
        tracing::warn!(%error, "the limit of open files cannot be read; few connections are accepted at a time");
        2 * 64
    });
    // At most 1024.
    usize::try_from((files / 2).clamp(16, MAX_CONNECTIONS)).unwrap_or(16)
}

/// The next connection with its slot.
async fn accept(
    listener: &TcpListener,
    slots: &ConnectionSlots,
) -> std::io::Result<(TcpStream, SocketAddr, Slot)> {
    let (stream, peer) = listener.accept().await?;
    // Answers are small and must not be delayed.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection answers in larger pieces");
    }
    let slot = slots.take().await.ok_or_else(|| std::io::Error::other("there is no place for it"))?;
    Ok((stream, peer, slot))
}

/// Serves one connection.
fn answer(
    router: Router,
    stream: TcpStream,
    slot: Slot,
    under_way: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + use<> {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(MAX_HEADERS)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let connection = under_way.watch(connection);
    async move {
        tokio::select! {
            ended = connection => if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            },
            () = slot.close_requested() => tracing::debug!("a connection is closed to make room for another"),
        }
        slot.free();
    }
}
