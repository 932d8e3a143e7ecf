//! Where `hob run` listens for webhooks and shows its dashboard.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use super::service::ServiceOptions;
use crate::cli::{Failure, Session};
use crate::server::bind;
use crate::workspace::Workspace;

/// The address where none is set.
const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8787);

/// Listens at the address that is set, or at the usual one. Nobody has asked for the usual one: if it is taken, such as by
/// another `hob run`, the process works without. A dry run listens only where it is told to.
pub(super) async fn listener(
    options: &ServiceOptions,
    session: &mut Session,
    workspace: &Workspace,
) -> Result<Option<TcpListener>, Failure> {
    if let Some(address) = options.listen.or(workspace.listen) {
        return bind(address).await.map(Some).map_err(Failure::unavailable);
    }
    if options.dry_run {
        return Ok(None);
    }
    match bind(DEFAULT).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) => {
            session
                .streams
                .note(format!("warning: no dashboard: {error}, or set `server.listen` in hob.yaml"));
            Ok(None)
        }
    }
}
