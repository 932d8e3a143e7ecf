//! A workspace with the recipes of this test, whose connections lead to a stand-in.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::stand_in::StandIn;

/// The recipes, by the names of their files.
pub const RECIPES: [(&str, &str); 3] = [
    ("form.yaml", include_str!("recipes/form.yaml")),
    ("task.yaml", include_str!("recipes/task.yaml")),
    ("welcome.yaml", include_str!("recipes/welcome.yaml")),
];

/// A workspace in a folder of its own.
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// A workspace on `stand_in`. `store` is the line of hob.yaml, where it is not the usual one.
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

    /// Where everything goes that the programs say.
    pub fn log_path(&self) -> PathBuf {
        self.path().join("hob.log")
    }

    /// The log, to add to.
    pub fn log(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap()
    }

    /// Leaves the folder where it is, for somebody to look into.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}
