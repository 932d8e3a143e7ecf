//! A workspace whose connections lead to a [`StandIn`], and what happened in it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{hob, hob_with};
use crate::stand_in::StandIn;

/// One pass over all triggers.
pub const ONCE: [&str; 4] = ["run", "--once", "--format", "json"];

/// A workspace with these recipes.
pub fn workspace(stand_in: &StandIn, recipes: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    let text = stand_in.workspace() + "server: { metrics: true }\n";
    fs::write(folder.path().join("hob.yaml"), text).unwrap();
    for (number, recipe) in recipes.iter().enumerate() {
        fs::write(folder.path().join(format!("recipes/{number}.yaml")), recipe).unwrap();
    }
    folder
}

/// All runs, the latest first.
pub fn runs(folder: &Path) -> Vec<Value> {
    hob(folder, &["runs", "list", "--format", "json"]).code(0).json().as_array().unwrap().clone()
}

/// Gives a recipe an event.
pub fn trigger(folder: &Path, recipe: &str, event: &Value) {
    hob_with(folder, &["trigger", recipe, "--event", "-"], &event.to_string()).code(0);
}
