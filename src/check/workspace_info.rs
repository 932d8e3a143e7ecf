//! What the checker knows of the workspace: connections and environment variables.

use std::path::PathBuf;

use indexmap::IndexMap;

/// What the checker knows of the workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkspaceInfo {
    /// Whether there is a workspace; without one, connections and `env` are not checked.
    pub known: bool,
    /// Connections of `hob.yaml` by name.
    pub connections: IndexMap<String, ConnectionInfo>,
    /// Names that recipes may read as `env.NAME`.
    pub env: Vec<String>,
    /// The workspace's folder, and the folders whose files recipes may send.
    pub files: Option<(PathBuf, Vec<PathBuf>)>,
    /// Whether all its recipes are checked at once, so that what none of them has is nowhere.
    pub whole: bool,
    /// Connectors whose verification is configured, or disabled, in `hob.yaml`.
    pub verified: Vec<String>,
}

/// What the checker knows of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// Its connector.
    pub connector: String,
    /// Names of its settings besides the credential, such as `location`.
    pub settings: Vec<String>,
    /// The version of the API it asks for.
    pub version: Option<String>,
}

impl WorkspaceInfo {
    /// For a recipe without a workspace.
    pub fn none() -> Self {
        Self::default()
    }

    /// Names of the connections on `connector`.
    pub fn on<'a>(&'a self, connector: &'a str) -> impl Iterator<Item = &'a str> {
        let fits =
            move |(_, workspace_info): &(&String, &ConnectionInfo)| workspace_info.connector == connector;
        self.connections.iter().filter(fits).map(|(name, _)| name.as_str())
    }
}
