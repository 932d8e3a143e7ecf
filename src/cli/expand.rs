//! `hob expand`: the ordinary recipes that a sync stands for.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};

use super::recipes::{Recipes, meant, unknown_file_or_recipe};
use super::{ExitCode, Failure, Format, Session};
use crate::catalog::Catalog;
use crate::check::CheckedRecipe;
use crate::diagnostic::Report;
use crate::source::{SourceFile, parse};

/// Show the ordinary recipes that a sync stands for
#[derive(Debug, Args)]
#[command(
    after_help = "What is shown is what is checked and run. Put into files, each recipe on its own, it does the \
same, with the same history.\n\n\
Examples:\n  hob expand contacts\n  hob expand recipes/contacts.yaml\n  \
hob expand contacts/fitr-to-highlevel > recipes/fitr-to-highlevel.yaml"
)]
pub struct Expand {
    /// A recipe's file, - for standard input, or the name of a recipe of the workspace
    #[arg(value_name = "FILE|NAME")]
    recipe: PathBuf,
    /// Format of the output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

impl Expand {
    /// Prints the recipes.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let is_file = self.recipe.as_os_str() == "-" || session.path(&self.recipe).exists();
        let paths: &[PathBuf] = if is_file { std::slice::from_ref(&self.recipe) } else { &[] };
        let recipes = match session.root(paths)? {
            Some(_) => {
                let workspace = session.workspace(paths)?;
                Recipes::load(session, paths, &workspace.catalog, Some(&workspace))?
            }
            None if is_file => Recipes::load(session, paths, &Arc::new(Catalog::built_in()), None)?,
            None => {
                let reason =
                    "no such file, and no hob.yaml here or in a folder above whose recipes could be named";
                return Err(Failure::usage(anyhow!("{}: {reason}", self.recipe.display())));
            }
        };
        let name = self.recipe.to_string_lossy();
        let (sound, broken) = match is_file {
            true => (recipes.sound.iter().collect(), recipes.reports.iter().collect()),
            false => named(&recipes, &name),
        };
        if let Some(report) = broken.iter().find(|report| report.has_errors()) {
            session.show(report);
            return Err(Failure::problem(anyhow!("{} has mistakes", report.file.name())));
        }
        if sound.is_empty() {
            let known = recipes.sound.iter().map(|recipe| recipe.name());
            return Err(unknown_file_or_recipe(&name, known));
        }
        match self.format {
            Format::Json => session.streams.json(&sound.into_iter().map(tree).collect::<Value>())?,
            Format::Text => {
                let texts: Vec<&str> = sound.iter().map(|recipe| recipe.recipe().text()).collect();
                session.streams.print(&texts.join("---\n"))?;
            }
        }
        Ok(ExitCode::Fine)
    }
}

/// The recipes of the sync `name`, or that recipe; and the reports of files that may hold it.
fn named<'r>(recipes: &'r Recipes, name: &str) -> (Vec<&'r CheckedRecipe>, Vec<&'r Report>) {
    let meant = meant(name, recipes.sound.iter().map(CheckedRecipe::name));
    let is_meant = |recipe: &&CheckedRecipe| meant.contains(&recipe.name());
    let sound: Vec<&CheckedRecipe> = recipes.sound.iter().filter(is_meant).collect();
    let holds = |report: &&Report| {
        let tree = parse(&report.file).node;
        tree.and_then(|tree| Some(tree.get("name")?.as_text()? == name)).unwrap_or(false)
    };
    let broken = if sound.is_empty() { recipes.reports.iter().filter(holds).collect() } else { Vec::new() };
    (sound, broken)
}

/// A recipe as JSON.
fn tree(recipe: &CheckedRecipe) -> Value {
    let text = recipe.recipe().text();
    parse(&SourceFile::new(recipe.name(), text)).node.map_or(json!(null), |node| node.to_value())
}
