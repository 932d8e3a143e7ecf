//! Where `hob run` listens for webhooks and shows its dashboard.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::cli::{Failure, Session};
use crate::server::bind;

/// The port where no address is set.
const PORT: u16 = 8787;

/// Listens at the address `set`, or at the usual one. Nobody has asked for the usual one: if it is taken, such as by another
/// `hob run`, the process works without. A sandbox never takes the place where senders expect the real one.
pub(super) async fn listener(
    set: Option<SocketAddr>,
    sandbox: bool,
    session: &mut Session,
) -> Result<Option<TcpListener>, Failure> {
    if let Some(address) = set {
        return bind(address).await.map(Some).map_err(Failure::unavailable);
    }
    let port = if sandbox { 0 } else { PORT };
    match bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) => {
            session
                .streams
                .note(format!("warning: no dashboard: {error}, or set `server.listen` in hob.yaml"));
            Ok(None)
        }
    }
}
