//! The kinds of files in a connector's folder, identified by name. `build.rs` includes this file, so it has no
//! imports.

use std::fmt;

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

/// The kinds that have a name of their own, and their names without the ending.
const NAMES: [(FileKind, &str); 5] = [
    (FileKind::Connector, "connector"),
    (FileKind::Events, "events"),
    (FileKind::Versions, "versions"),
    (FileKind::Overlay, "overlay"),
    (FileKind::Sandbox, "sandbox"),
];

impl FileKind {
    /// The kind of the file at `path`. Case is ignored, and `.yml` is accepted.
    pub fn from_path(path: &str) -> Self {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
        let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
        let named = NAMES.iter().find(|(_, known)| stem == Some(known));
        named.map_or(Self::Operations, |(kind, _)| *kind)
    }
}

/// The usual name of such a file.
impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(kind, _)| kind == self).map_or("operations", |(_, name)| name);
        write!(f, "{name}.yaml")
    }
}
