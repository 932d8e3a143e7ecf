//! Listens and answers until told to stop.

use std::net::SocketAddr;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Server;

/// A server that cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be had.
    #[error("cannot listen at {address}: {source}; choose another address with --listen")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The socket broke.
    #[error("the server stopped: {0}")]
    Broken(#[from] std::io::Error),
}

/// Takes hold of an address; with port 0, of any free port.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Bind { address, source })
}

/// Answers requests until `stop` becomes true, then ends those under way.
pub async fn serve(
    server: &Server,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    let stopped = async move {
        // A sender that is gone means the same.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    // Answers are small: none is to wait for more to say.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection answers in larger pieces");
        }
    });
    axum::serve(listener, server.router()).with_graceful_shutdown(stopped).await?;
    Ok(())
}
