//! Reads connector folders into a `Catalog`.

use std::sync::Arc;

use include_dir::{Dir, include_dir};
use indexmap::IndexMap;
use serde::Deserialize;

use super::{Connector, EventType, Operation};

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas/connectors");

/// File in a connector's folder that describes the API itself.
const CONNECTOR_FILE: &str = "connector.yaml";
/// File in a connector's folder that lists its webhook events.
const EVENTS_FILE: &str = "events.yaml";
/// Files in a connector's folder that are not part of the catalog: they steer the import and the
/// sandbox.
const OTHER_FILES: [&str; 2] = ["overlay.yaml", "sandbox.yaml"];

/// A connector folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is not what the format asks for.
    #[error("{file}: {reason}")]
    Invalid {
        /// Path of the file.
        file: String,
        /// What is wrong, with line and column where known.
        reason: String,
    },
    /// Two files describe the same operation.
    #[error("{file}: operation `{id}` is described twice; ids are unique in the whole catalog")]
    Duplicate {
        /// Path of the second file.
        file: String,
        /// The operation's id.
        id: String,
    },
    /// A folder has no description of the API.
    #[error("{folder}: no {CONNECTOR_FILE}; a connector's folder needs one")]
    NoConnector {
        /// The folder.
        folder: String,
    },
}

/// One file of operations.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationsFile {
    operations: IndexMap<String, Operation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsFile {
    events: IndexMap<String, EventType>,
}

/// All operations of all connectors.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    connectors: IndexMap<String, Arc<Connector>>,
    operations: IndexMap<String, Arc<Operation>>,
}

impl Catalog {
    /// The catalog that is part of the program.
    ///
    /// # Panics
    /// Never in a released program: a test reads every file.
    pub fn built_in() -> Self {
        let mut catalog = Self::default();
        for folder in BUILT_IN.dirs() {
            let files = folder.files().map(|file| {
                (
                    file.path().display().to_string(),
                    file.contents_utf8().expect("schemas are UTF-8").to_owned(),
                )
            });
            catalog
                .add_folder(&folder.path().display().to_string(), files.collect())
                .expect("built-in connectors load");
        }
        catalog
    }

    /// Text of a file in a built-in connector's folder.
    pub fn built_in_file(connector: &str, name: &str) -> Option<&'static str> {
        BUILT_IN.get_file(format!("{connector}/{name}"))?.contents_utf8()
    }

    /// Adds a connector from its files (path and text). An operation that exists already is an
    /// error; a connector that exists already is replaced whole, so that a workspace can adapt one.
    pub fn add_folder(&mut self, folder: &str, mut files: Vec<(String, String)>) -> Result<(), Error> {
        files.sort();
        let named = |path: &str, name: &str| path.rsplit(['/', '\\']).next() == Some(name);
        let mut connector: Connector = match files.iter().find(|(path, _)| named(path, CONNECTOR_FILE)) {
            Some((path, text)) => read(path, text)?,
            None => return Err(Error::NoConnector { folder: folder.to_owned() }),
        };
        if self.connectors.contains_key(&connector.connector) {
            self.operations.retain(|_, operation| operation.connector != connector.connector);
        }
        for (path, text) in &files {
            if !path.ends_with(".yaml")
                || named(path, CONNECTOR_FILE)
                || OTHER_FILES.iter().any(|name| named(path, name))
            {
                continue;
            }
            if named(path, EVENTS_FILE) {
                connector.events = read::<EventsFile>(path, text)?.events;
                continue;
            }
            for (id, mut operation) in read::<OperationsFile>(path, text)?.operations {
                operation.id.clone_from(&id);
                operation.connector.clone_from(&connector.connector);
                if self.operations.insert(id.clone(), Arc::new(operation)).is_some() {
                    return Err(Error::Duplicate { file: path.clone(), id });
                }
            }
        }
        self.connectors.insert(connector.connector.clone(), Arc::new(connector));
        Ok(())
    }

    /// The operation called `id`.
    pub fn operation(&self, id: &str) -> Option<&Arc<Operation>> {
        self.operations.get(id)
    }

    /// All operations, connector by connector, in the order of their files.
    pub fn operations(&self) -> impl Iterator<Item = &Arc<Operation>> {
        self.operations.values()
    }

    /// The connector called `name`.
    pub fn connector(&self, name: &str) -> Option<&Arc<Connector>> {
        self.connectors.get(name)
    }

    /// All connectors.
    pub fn connectors(&self) -> impl Iterator<Item = &Arc<Connector>> {
        self.connectors.values()
    }
}

fn read<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, Error> {
    let document = serde_yaml::Deserializer::from_str(text);
    serde_path_to_error::deserialize(document).map_err(|error| {
        let reason = format!("at {}: {}", error.path(), error.inner());
        Error::Invalid { file: file.to_owned(), reason }
    })
}
