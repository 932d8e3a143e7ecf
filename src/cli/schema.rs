//! `hob schema`: JSON Schemas for editors, printed or kept up to date in a workspace.

use std::path::Path;

use clap::Subcommand;
use serde_json::Value;

use super::replace_file::replace_file;
use super::{ExitCode, Failure, Session};
use crate::catalog::Catalog;

/// Print a JSON Schema for editors
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:\n  hob schema recipe > schemas/recipe.schema.json\n\n\
Begin a recipe with this line, and editors with the YAML language server complete and check it:\n  \
# yaml-language-server: $schema=../schemas/recipe.schema.json")]
pub enum SchemaCommand {
    /// For recipes, with the inputs of every operation of this workspace
    Recipe,
    /// For hob.yaml
    Workspace,
    /// For a connector's files
    Connector,
    /// For tests of recipes
    Test,
}

impl SchemaCommand {
    /// Prints it.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let text = match self {
            SchemaCommand::Recipe => recipe(session.catalog()?.as_ref()),
            SchemaCommand::Workspace => text(crate::workspace::schema()),
            SchemaCommand::Connector => text(crate::catalog::schema()),
            SchemaCommand::Test => text(crate::recipe_test::schema()),
        };
        session.streams.output.write_all(text.as_bytes())?;
        Ok(ExitCode::Fine)
    }
}

/// Folder of a workspace's schemas.
const FOLDER: &str = "schemas";

/// The schemas of a workspace, each with the path by which its files refer to it.
pub(super) fn files(catalog: &Catalog) -> impl Iterator<Item = (String, String)> {
    [(path("recipe"), recipe(catalog))].into_iter().chain(small_files())
}

/// Those that are soon made.
fn small_files() -> [(String, String); 3] {
    let (workspace, connector) = (crate::workspace::schema(), crate::catalog::schema());
    let test = crate::recipe_test::schema();
    [(path("workspace"), text(workspace)), (path("connector"), text(connector)), (path("test"), text(test))]
}

fn path(name: &str) -> String {
    format!("{FOLDER}/{name}.schema.json")
}

/// Updates the schemas of the workspace at `root` if they are outdated. Only if the workspace uses them: the folder
/// exists, or hob.yaml refers to one in it. Errors are ignored, because editors can do without.
pub(super) fn refresh(root: &Path, catalog: &Catalog) {
    let named = || {
        let text = std::fs::read_to_string(root.join(crate::workspace::FILE)).unwrap_or_default();
        text.lines().take_while(|line| line.starts_with('#')).any(|line| line.contains("$schema=schemas/"))
    };
    if !root.join(FOLDER).is_dir() && !named() {
        return;
    }
    let written = |name: &str| std::fs::read_to_string(root.join(name)).unwrap_or_default();
    let is_current = written(&path("recipe")).starts_with(&crate::check::schema_head(catalog));
    let recipe = (!is_current).then(|| (path("recipe"), recipe(catalog)));
    for (name, content) in recipe.into_iter().chain(small_files()) {
        if written(&name) == content {
            continue;
        }
        let path = root.join(name);
        if let Err(error) = replace_file(&path, &content) {
            tracing::debug!(path = %path.display(), %error, "the schema for editors is not written");
        }
    }
}

/// The schema of recipes as stored in files.
fn recipe(catalog: &Catalog) -> String {
    crate::check::schema_text(catalog)
}

/// A schema as stored in files.
fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}
