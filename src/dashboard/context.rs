//! What the dashboard is about.

use std::sync::Arc;

use crate::services::Services;
use crate::workspace::Workspace;

/// What the dashboard shows.
#[derive(Clone)]
pub struct DashboardContext {
    /// Journal, clock and connections.
    pub services: Services,
    /// The workspace.
    pub workspace: Arc<Workspace>,
    /// Whether it is the workspace's sandbox.
    pub sandbox: bool,
}
