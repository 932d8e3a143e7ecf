//! Which recipes are run, and how they are read: at the start, and again when they are edited.

use std::path::PathBuf;

use crate::cli::recipes::Recipes;
use crate::cli::{Failure, Session};
use crate::workspace::{self, Workspace};

/// The recipes to run.
#[derive(Debug, Clone)]
pub(super) struct RecipeSelection {
    /// Files or folders, or a workspace; none: all recipes of the workspace.
    pub(super) paths: Vec<PathBuf>,
    /// Connections lead to a sandbox, and lack nothing.
    pub(super) sandbox: bool,
    /// Webhooks may be received for them.
    pub(super) receives: bool,
}

impl RecipeSelection {
    /// The recipes as they are now.
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

    /// Where they may be edited.
    pub(super) fn watched(&self, session: &Session, workspace: &Workspace) -> Vec<PathBuf> {
        let given = self.paths.iter().filter(|path| path.as_os_str() != "-").map(|path| session.path(path));
        let folder = |path: PathBuf| {
            // Of a workspace, its recipes.
            let is_workspace = path.join(workspace::FILE).is_file();
            if is_workspace { path.join("recipes") } else { path }
        };
        match self.paths.is_empty() {
            true => vec![folder(workspace.root.clone())],
            false => given.map(folder).collect(),
        }
    }
}
