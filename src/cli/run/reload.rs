//! Hot reload: recipes that are edited while `hob run` works.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::check::CheckedRecipe;
use crate::cli::recipes::BrokenRecipe;
use crate::trigger::webhook::{GRACE, listeners};
use crate::workspace::is_yaml;

/// An editor that saves writes several times; this long nothing must happen.
const QUIET: Duration = Duration::from_millis(200);
/// Then it is looked anyway.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells when something below the recipes' folders was written.
pub(super) struct RecipeWatch {
    changes: mpsc::Receiver<()>,
    /// Watches until it is dropped. `None` where the system does not let it: then nothing changes.
    watcher: Option<RecommendedWatcher>,
    paths: Vec<PathBuf>,
}

impl RecipeWatch {
    /// Watches folders, and the folders of files: editors replace a file rather than write into it.
    pub(super) fn start(paths: Vec<PathBuf>) -> Self {
        // One note is enough, however much happens.
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

    /// Watches what is there now: a folder that was moved away and back is another one. The folders above
    /// tell of that.
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

    /// Resolves after something was written and all is quiet again. Nothing is lost if it is dropped
    /// before.
    pub(super) async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            return std::future::pending().await;
        }
        let quiet =
            async { while let Ok(Some(())) = tokio::time::timeout(QUIET, self.changes.recv()).await {} };
        // Endless writes do not postpone a reload for ever.
        tokio::time::timeout(PATIENCE, quiet).await.ok();
        self.look();
    }
}

/// Reading the recipes is an event too, and must not lead to reading them again; nor must the store or the log, which
/// may lie in the same folder or beside it.
fn matters(event: &Event, watched: &[PathBuf]) -> bool {
    // A folder that was moved has no ending.
    let recipe = |path: &PathBuf| {
        (path.extension().is_none() || is_yaml(path))
            && watched.iter().any(|watched| path.starts_with(watched))
    };
    !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(recipe)
}

/// What a reload comes to.
#[derive(Debug, Default)]
pub(super) struct Reloaded {
    /// The recipes from now on.
    pub(super) recipes: Vec<CheckedRecipe>,
    /// What is not as before.
    pub(super) changes: Vec<Change>,
    /// Names of recipes that stay what they were, because their file has mistakes now.
    pub(super) kept: Vec<String>,
}

/// A recipe that is not as before. Its name is what it is known by: in another file it is the same recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// It was not there.
    Added { recipe: String, file: String },
    /// It is another one.
    Changed { recipe: String, file: String },
    /// It is in another file.
    Moved { recipe: String, from: String, to: String },
    /// It no longer exists.
    Removed { recipe: String, file: String, listens: bool },
}

impl Change {
    /// Says so in the log.
    pub(super) fn tell(&self) {
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

/// The recipes from now on: those of sound files as they are, those that cannot run now as they were.
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
