//! Which recipes are run, loaded at the start and after edits.

use std::path::PathBuf;

use crate::cli::recipes::Recipes;
use crate::cli::{Failure, Session};
use crate::workspace::{self, Workspace};

/// The recipes to run.
#[derive(Debug, Clone)]
pub(super) struct RecipeSelection {
    /// Files or folders, or a workspace; empty for all recipes of the workspace.
    pub(super) paths: Vec<PathBuf>,
    /// Connections lead to a sandbox, so no variable is missing.
    pub(super) sandbox: bool,
    /// Webhooks can be received.
    pub(super) receives: bool,
}

impl RecipeSelection {
    /// Loads the current recipes.
    pub(super) fn load(&self, session: &mut Session, workspace: &Workspace) -> Result<Recipes, Failure> {
        let mut recipes = Recipes::load(session, &self.paths, &workspace.catalog, Some(workspace))?;
        if !self.sandbox {
            recipes.leave_out_unset(workspace);
        }
        if self.receives {
            recipes.warn_of_unusable_keys(workspace);
        }
        Ok(recipes)
    }

    /// The paths to watch for edits.
    pub(super) fn watched(&self, session: &Session, workspace: &Workspace) -> Vec<PathBuf> {
        let given = self.paths.iter().filter(|path| path.as_os_str() != "-").map(|path| session.path(path));
        let folder = |path: PathBuf| {
            // Only the recipes of a workspace.
            let is_workspace = path.join(workspace::FILE).is_file();
            if is_workspace { path.join("recipes") } else { path }
        };
        match self.paths.is_empty() {
            true => vec![folder(workspace.root.clone())],
            false => given.map(folder).collect(),
        }
    }
}
