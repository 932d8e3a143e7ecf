//! The recipes that a command line means: read, checked, and what is wrong with them.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};

use super::{Failure, Session};
use crate::catalog::Catalog;
use crate::check::{CheckedRecipe, ConnectionFacts, Facts, check_all};
use crate::clock::Clock;
use crate::diagnostic::{Diagnostic, Report};
use crate::recipe::{Recipe, parse};
use crate::source::SourceFile;
use crate::trigger::webhook::keys;
use crate::workspace::{self, Workspace};

/// Recipes and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Recipes {
    /// Those without mistakes.
    pub(super) sound: Vec<CheckedRecipe>,
    /// One report per file, those without complaints included.
    pub(super) reports: Vec<Report>,
}

impl Recipes {
    /// Reads and checks the recipes at `paths`, or those of the workspace when there are none; `-` is
    /// standard input.
    pub(super) fn load(
        session: &mut Session,
        paths: &[PathBuf],
        catalog: &Arc<Catalog>,
        workspace: Option<&Workspace>,
    ) -> Result<Self, Failure> {
        let files = sources(session, paths, workspace.map(|workspace| workspace.root.as_path()))?;
        Ok(Self::check(files, catalog, &workspace.map_or_else(Facts::none, facts)))
    }

    fn check(files: Vec<SourceFile>, catalog: &Arc<Catalog>, facts: &Facts) -> Self {
        let mut recipes: Vec<Recipe> = Vec::new();
        let mut complaints: Vec<Vec<Diagnostic>> = Vec::new();
        // Where each recipe's file stands in the list of files.
        let mut places: Vec<usize> = Vec::new();
        for file in &files {
            let parsed = parse(file);
            if let Some(recipe) = parsed.recipe {
                places.push(complaints.len());
                recipes.push(recipe);
            }
            complaints.push(parsed.diagnostics);
        }
        let mut sound = Vec::new();
        for (checked, place) in check_all(recipes, catalog, facts).into_iter().zip(places) {
            complaints[place].extend(checked.diagnostics);
            sound.extend(checked.recipe);
        }
        let reports = files.into_iter().zip(complaints).map(|(file, mut diagnostics)| {
            diagnostics.sort_by_key(|diagnostic| diagnostic.span);
            Report { file, diagnostics }
        });
        Self { sound, reports: reports.collect() }
    }

    /// Names of all of them, also of those with mistakes, as far as they can be read.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let sound = self.sound.iter().map(|recipe| recipe.name().to_owned());
        let broken = self.reports.iter().filter(|report| report.has_errors());
        let broken = broken.filter_map(|report| Some(parse(&report.file).recipe?.name.value));
        sound.chain(broken).collect()
    }

    /// The recipes, all of which must be sound: their mistakes are shown, warnings too.
    pub(super) fn all_sound(self, session: &mut Session) -> Result<Vec<CheckedRecipe>, Failure> {
        self.reports.iter().for_each(|report| session.show(report));
        let broken = self.reports.iter().filter(|report| report.has_errors()).count();
        if broken > 0 {
            return Err(Failure::problem(anyhow!(
                "{broken} of {} recipes have mistakes",
                self.reports.len()
            )));
        }
        Ok(self.sound)
    }
}

/// Hides the keys by which the workspace's recipes know their senders, too: for what shows the history.
pub(super) fn hide_webhook_keys(session: &mut Session, workspace: &Workspace) -> Result<(), Failure> {
    let recipes = Recipes::load(session, &[], &workspace.catalog, Some(workspace))?.sound;
    session.streams.hide(keys(&recipes, &workspace.env_values(), Clock::system().now()));
    Ok(())
}

/// What the checker may know of a workspace.
pub(super) fn facts(workspace: &Workspace) -> Facts {
    let connections = workspace.accounts.values().map(|account| {
        let settings = account.settings.keys().cloned().collect();
        let (connector, version) = (account.connector.connector.clone(), account.version.clone());
        (account.name.clone(), ConnectionFacts { connector, settings, version })
    });
    Facts { known: true, connections: connections.collect(), env: workspace.listed.clone() }
}

fn sources(
    session: &mut Session,
    paths: &[PathBuf],
    root: Option<&Path>,
) -> Result<Vec<SourceFile>, Failure> {
    let mut files = Vec::new();
    let own: Vec<PathBuf> = root.map(Path::to_path_buf).into_iter().collect();
    let given: Vec<PathBuf> = paths.iter().map(|path| session.path(path)).collect();
    for (path, given) in if paths.is_empty() { own.iter().zip(&own) } else { given.iter().zip(paths) } {
        if given.as_os_str() == "-" {
            let mut text = String::new();
            session
                .streams
                .input
                .read_to_string(&mut text)
                .context("cannot read standard input")
                .map_err(Failure::usage)?;
            files.push(SourceFile::new("<stdin>", text));
            continue;
        }
        for file in workspace::recipes(path).map_err(Failure::usage)? {
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()));
            files.push(SourceFile::new(session.shown(&file), text.map_err(Failure::usage)?));
        }
    }
    Ok(files)
}
