//! A workspace with this test's recipes, whose connections lead to a stand-in.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::stand_in::StandIn;

/// The recipes by file name.
pub const RECIPES: [(&str, &str); 3] = [
    ("form.yaml", include_str!("recipes/form.yaml")),
    ("task.yaml", include_str!("recipes/task.yaml")),
    ("welcome.yaml", include_str!("recipes/welcome.yaml")),
];

/// A workspace in a temporary folder.
pub struct Workspace {
    folder: TempDir,
}

impl Workspace {
    /// A workspace on `stand_in`. `store` is the `store:` of hob.yaml; `None` for the default.
    pub fn new(stand_in: &StandIn, store: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("recipes")).unwrap();
        for (name, text) in RECIPES {
            fs::write(folder.path().join("recipes").join(name), text).unwrap();
        }
        let store = store.map(|store| format!("store: \"{store}\"\n")).unwrap_or_default();
        fs::write(folder.path().join("hob.yaml"), stand_in.workspace() + &store).unwrap();
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The file with the output of all processes.
    pub fn log_path(&self) -> PathBuf {
        self.path().join("hob.log")
    }

    /// The log, opened to append.
    pub fn log(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap()
    }

    /// Leaves the folder in place, to be looked into.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}
