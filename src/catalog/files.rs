//! The kinds of files in a connector's folder, identified by name. `build.rs` includes this file, so it has no
//! imports.

/// The kind of a file in a connector's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `connector.yaml`: the API itself.
    Connector,
    /// `events.yaml`: webhook events.
    Events,
    /// `versions.yaml`: what other versions of the API change.
    Versions,
    /// `overlay.yaml`: corrections that an import applies; not part of the catalog.
    Overlay,
    /// `sandbox.yaml`: how the sandbox simulates the API; not part of the catalog.
    Sandbox,
    /// Any other file: operations.
    Operations,
}

impl FileKind {
    /// The kind of the file at `path`. Case is ignored, and `.yml` is accepted.
    pub fn from_path(path: &str) -> Self {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
        match name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")) {
            Some("connector") => Self::Connector,
            Some("events") => Self::Events,
            Some("versions") => Self::Versions,
            Some("overlay") => Self::Overlay,
            Some("sandbox") => Self::Sandbox,
            _ => Self::Operations,
        }
    }
}
