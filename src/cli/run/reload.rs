//! Hot reload: applies edits of recipes during `hob run`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::check::CheckedRecipe;
use crate::cli::recipes::BrokenRecipe;
use crate::trigger::webhook::{GRACE, listeners};
use crate::workspace::is_yaml;

/// Editors write several times when saving: changes are applied after this long without another.
const QUIET: Duration = Duration::from_millis(200);
/// Changes are applied after this long at the latest.
const MAX_DELAY: Duration = Duration::from_secs(2);

/// Detects changes in the recipes' folders.
pub(super) struct RecipeWatch {
    changes: mpsc::Receiver<()>,
    /// Watches until dropped. `None` if the system does not support it: then there is no hot reload.
    watcher: Option<RecommendedWatcher>,
    paths: Vec<PathBuf>,
}

impl RecipeWatch {
    /// Watches folders, and the folders of files, because editors replace files.
    pub(super) fn start(paths: Vec<PathBuf>) -> Self {
        // One notification is enough for any number of changes.
        let (note, changes) = mpsc::channel(1);
        let watched = paths.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| matters(&event, &watched)) {
                note.try_send(()).ok();
            }
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "recipes are not watched; a restart takes up edited ones");
        }
        let mut watch = Self { changes, watcher: watcher.ok(), paths };
        watch.look();
        watch
    }

    /// Watches the existing folders: one that was moved away and back is a different folder. Changes of parent
    /// folders trigger this.
    fn look(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        for path in &self.paths {
            let above = path.parent().unwrap_or(Path::new("."));
            let mut watched = watcher.watch(above, RecursiveMode::NonRecursive);
            if path.is_dir() {
                watched = watched.and(watcher.watch(path, RecursiveMode::Recursive));
            }
            if let Err(error) = watched {
                let path = path.display();
                tracing::warn!(%path, %error, "recipes are not watched here; a restart takes up edited ones");
            }
        }
    }

    /// Resolves after a change, once no more follow. Cancel safe.
    pub(super) async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            return std::future::pending().await;
        }
        let quiet =
            async { while let Ok(Some(())) = tokio::time::timeout(QUIET, self.changes.recv()).await {} };
        // Endless writes must not postpone a reload forever.
        tokio::time::timeout(MAX_DELAY, quiet).await.ok();
        self.look();
    }
}

/// Whether a change concerns recipes. Reading them also causes events, and must not cause another reload; nor must
/// writes to the store or the log in the same folders.
fn matters(event: &Event, watched: &[PathBuf]) -> bool {
    // A moved folder has no extension.
    let recipe = |path: &PathBuf| {
        (path.extension().is_none() || is_yaml(path))
            && watched.iter().any(|watched| path.starts_with(watched))
    };
    !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(recipe)
}

/// The result of a reload.
#[derive(Debug, Default)]
pub(super) struct Reloaded {
    /// The new recipes.
    pub(super) recipes: Vec<CheckedRecipe>,
    /// The changes.
    pub(super) changes: Vec<Change>,
    /// Names of recipes that stay unchanged because their file is now invalid.
    pub(super) kept: Vec<String>,
}

/// A changed recipe. Its name identifies it, also in another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// A new recipe.
    Added { recipe: String, file: String },
    /// A changed recipe.
    Changed { recipe: String, file: String },
    /// A recipe moved to another file.
    Moved { recipe: String, from: String, to: String },
    /// A deleted recipe.
    Removed { recipe: String, file: String, listens: bool },
}

impl Change {
    /// Logs the changes.
    pub(super) fn log(&self) {
        match self {
            Self::Added { recipe, file } => tracing::info!(recipe, file, "recipe added"),
            Self::Changed { recipe, file } => tracing::info!(recipe, file, "recipe changed"),
            Self::Moved { recipe, from, to } => tracing::info!(recipe, from, to, "recipe moved"),
            Self::Removed { recipe, file, listens: false } => tracing::info!(recipe, file, "recipe removed"),
            Self::Removed { recipe, file, listens: true } => {
                let minutes = GRACE.num_minutes();
                tracing::warn!(
                    recipe,
                    file,
                    "recipe removed; senders of its webhook are asked to try again for {minutes} minutes, in case it comes back"
                );
            }
        }
    }
}

/// The new recipes: valid files as they are now, broken ones as they were.
pub(super) fn reloaded(
    before: &[CheckedRecipe],
    sound: Vec<CheckedRecipe>,
    broken: &[BrokenRecipe],
) -> Reloaded {
    let is_broken = |recipe: &&CheckedRecipe| {
        broken.iter().any(|broken| match &broken.recipe {
            Some(name) => name == recipe.name(),
            None => broken.file == file(recipe),
        })
    };
    let taken = |recipe: &&CheckedRecipe| sound.iter().any(|other| other.name() == recipe.name());
    let kept: Vec<CheckedRecipe> =
        before.iter().filter(is_broken).filter(|recipe| !taken(recipe)).cloned().collect();
    let names = kept.iter().map(|recipe| recipe.name().to_owned()).collect();
    let recipes = [sound, kept].concat();
    Reloaded { changes: changes(before, &recipes), recipes, kept: names }
}

fn changes(before: &[CheckedRecipe], after: &[CheckedRecipe]) -> Vec<Change> {
    let find = |recipes: &'_ [CheckedRecipe], name: &str| {
        recipes.iter().find(|recipe| recipe.name() == name).cloned()
    };
    let mut changes = Vec::new();
    for recipe in after {
        let (name, now) = (recipe.name().to_owned(), file(recipe).to_owned());
        match find(before, &name) {
            None => changes.push(Change::Added { recipe: name, file: now }),
            Some(old) => {
                if file(&old) != now {
                    let (from, to) = (file(&old).to_owned(), now.clone());
                    changes.push(Change::Moved { recipe: name.clone(), from, to });
                }
                if old.version() != recipe.version() {
                    changes.push(Change::Changed { recipe: name, file: now });
                }
            }
        }
    }
    for recipe in before.iter().filter(|recipe| find(after, recipe.name()).is_none()) {
        changes.push(Change::Removed {
            recipe: recipe.name().to_owned(),
            file: file(recipe).to_owned(),
            listens: !listeners(recipe.trigger()).is_empty(),
        });
    }
    changes
}

fn file(recipe: &CheckedRecipe) -> &str {
    recipe.recipe().file.name()
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{AccessKind, ModifyKind};

    #[test]
    fn only_writing_recipes_matters() {
        let event = |kind, path: &str| Event::new(kind).add_path(path.into());
        let written = EventKind::Modify(ModifyKind::Any);
        let matters = |event: Event| matters(&event, &["recipes".into(), "one.yaml".into()]);
        for path in ["recipes", "recipes/a.yaml", "recipes/more", "one.yaml"] {
            assert!(matters(event(written, path)), "{path}");
        }
        for path in ["state/hob.db-wal", "recipes/hob.db-wal", "log", "two.yaml"] {
            assert!(!matters(event(written, path)), "{path}");
        }
        assert!(!matters(event(EventKind::Access(AccessKind::Any), "recipes/a.yaml")));
    }
}
