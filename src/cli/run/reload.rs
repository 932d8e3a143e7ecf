//! Edited recipes, taken up while `hob run` is at work.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::check::CheckedRecipe;
use crate::diagnostic::Report;
use crate::workspace::is_yaml;

/// An editor that saves writes several times; this long nothing must happen.
const QUIET: Duration = Duration::from_millis(200);
/// Then it is looked anyway.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells when something below the recipes' folders was written.
pub(super) struct RecipeWatch {
    changes: mpsc::Receiver<()>,
    /// Watches until it is dropped. `None` where the system does not let it: then nothing changes.
    _watcher: Option<RecommendedWatcher>,
}

impl RecipeWatch {
    /// Watches folders, and the folders of files: editors replace a file rather than write into it.
    pub(super) fn start(paths: &[PathBuf]) -> Self {
        // One note is enough, however much happens.
        let (note, changes) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| matters(&event)) {
                note.try_send(()).ok();
            }
        })
        .and_then(|mut watcher| {
            for path in paths {
                let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
                let depth =
                    if path.is_dir() { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
                watcher.watch(folder, depth)?;
            }
            Ok(watcher)
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "recipes are not watched; a restart takes up edited ones");
        }
        Self { changes, _watcher: watcher.ok() }
    }

    /// Resolves after something was written and all is quiet again. Nothing is lost if it is dropped
    /// before.
    pub(super) async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            return std::future::pending().await;
        }
        let quiet =
            async { while let Ok(Some(())) = tokio::time::timeout(QUIET, self.changes.recv()).await {} };
        // Whoever writes without end does not keep others waiting.
        tokio::time::timeout(PATIENCE, quiet).await.ok();
    }
}

/// Reading the recipes is an event too, and must not lead to reading them again; nor must the store, which
/// may lie in the same folder.
fn matters(event: &Event) -> bool {
    // A folder that was moved has no ending.
    let recipe = |path: &PathBuf| path.extension().is_none() || is_yaml(path);
    !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(recipe)
}

/// What a reload comes to.
#[derive(Debug, Default)]
pub(super) struct Reloaded {
    /// The recipes from now on.
    pub(super) recipes: Vec<CheckedRecipe>,
    /// Names of recipes that came, went, or are others than before.
    pub(super) changed: Vec<String>,
    /// Names of recipes that stay what they were, because their file has mistakes now.
    pub(super) kept: Vec<String>,
}

/// The recipes from now on: those of sound files as they are, those of broken files as they were.
pub(super) fn reloaded(before: &[CheckedRecipe], sound: Vec<CheckedRecipe>, reports: &[Report]) -> Reloaded {
    let broken = |recipe: &&CheckedRecipe| {
        let file = recipe.recipe().file.name();
        reports.iter().any(|report| report.has_errors() && report.file.name() == file)
    };
    let taken = |recipe: &&CheckedRecipe| !sound.iter().any(|other| other.name() == recipe.name());
    let kept: Vec<CheckedRecipe> = before.iter().filter(broken).filter(taken).cloned().collect();
    let versions = |recipes: &[CheckedRecipe]| -> BTreeMap<String, String> {
        recipes.iter().map(|recipe| (recipe.name().to_owned(), recipe.version().to_owned())).collect()
    };
    let names = kept.iter().map(|recipe| recipe.name().to_owned()).collect();
    let recipes = [sound, kept].concat();
    let (old, new) = (versions(before), versions(&recipes));
    let mut changed: Vec<String> = new
        .iter()
        .filter(|(name, version)| old.get(*name) != Some(version))
        .map(|(name, _)| name.clone())
        .collect();
    changed.extend(old.into_keys().filter(|name| !new.contains_key(name)));
    Reloaded { recipes, changed, kept: names }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{AccessKind, ModifyKind};

    #[test]
    fn only_writing_recipes_matters() {
        let event = |kind, path: &str| Event::new(kind).add_path(path.into());
        let written = EventKind::Modify(ModifyKind::Any);
        assert!(matters(&event(written, "recipes/a.yaml")) && matters(&event(written, "recipes/more")));
        assert!(!matters(&event(written, "state/hob.db-wal")));
        assert!(!matters(&event(EventKind::Access(AccessKind::Any), "recipes/a.yaml")));
    }
}
