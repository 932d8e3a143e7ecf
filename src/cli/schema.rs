//! `hob schema`: what editors check files against.

use clap::Subcommand;
use serde_json::Value;

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
}

impl SchemaCommand {
    /// Prints it.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let text = match self {
            SchemaCommand::Recipe => recipe(session.catalog()?.as_ref()),
            SchemaCommand::Workspace => text(crate::workspace::schema()),
            SchemaCommand::Connector => text(crate::catalog::schema()),
        };
        session.streams.output.write_all(text.as_bytes())?;
        Ok(ExitCode::Fine)
    }
}

/// The schema of recipes as it stands in files.
pub(super) fn recipe(catalog: &Catalog) -> String {
    crate::check::schema_text(catalog)
}

/// A schema as it stands in files.
pub(super) fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}
