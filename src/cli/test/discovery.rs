//! Finds test files, and the recipe that each tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};

use crate::catalog::Catalog;
use crate::check::CheckedRecipe;
use crate::cli::recipes::{Recipes, are_names, named};
use crate::cli::{Failure, Session};
use crate::diagnostic::{Diagnostic, Report};
use crate::recipe_test::{NoRecipe, TestFile, beside, mismatches, parse};
use crate::source::SourceFile;
use crate::workspace::{self, Workspace, is_test_file};

/// A test file with its recipe.
pub(super) struct TestSuite {
    pub(super) tests: TestFile,
    pub(super) recipe: CheckedRecipe,
    /// Its folder, to which file names in it are relative.
    pub(super) folder: PathBuf,
}

/// The tests of a command line.
#[derive(Default)]
pub(super) struct Suites {
    pub(super) suites: Vec<TestSuite>,
    /// Test files with mistakes, and recipes with mistakes.
    pub(super) broken: Vec<Report>,
    /// All valid recipes of the workspace.
    pub(super) recipes: Vec<CheckedRecipe>,
}

impl Suites {
    /// The tests at `paths`, or those of the workspace if empty. The path of a recipe stands for its tests.
    pub(super) fn load(
        session: &mut Session,
        paths: &[PathBuf],
        workspace: &Workspace,
    ) -> Result<Self, Failure> {
        let recipes = Recipes::load(session, &[], &workspace.catalog, Some(workspace))?;
        let chosen = Chosen::read(session, paths, &recipes, workspace)?;
        let mut suites = Self::default();
        for path in chosen.files {
            let folder = path.parent().unwrap_or(Path::new(".")).to_path_buf();
            let (tests, diagnostics) = read(session, &path, &workspace.catalog)?;
            if !diagnostics.is_empty() {
                suites.broken.push(Report { file: tests.file, diagnostics });
                continue;
            }
            let mut mistakes = Vec::new();
            let file = tests.file.clone();
            for tests in tests.by_recipe() {
                let (recipe, diagnostics) = match recipe_of(&tests, &path, &recipes, session) {
                    Ok(recipe) => (Some(recipe.clone()), mismatches(&tests, recipe)),
                    Err(none) => (None, vec![none.diagnostic]),
                };
                let is_other = |name: &str| chosen.named.as_ref().is_some_and(|named| !named.contains(name));
                let states = tests.recipe.as_ref().map(|name| name.as_str());
                if recipe.as_ref().map(CheckedRecipe::name).or(states).is_some_and(is_other) {
                    continue;
                }
                match recipe.filter(|_| diagnostics.is_empty()) {
                    Some(recipe) => suites.suites.push(TestSuite { tests, recipe, folder: folder.clone() }),
                    None => mistakes.extend(diagnostics),
                }
            }
            if !mistakes.is_empty() {
                suites.broken.push(Report { file, diagnostics: mistakes });
            }
        }
        suites.recipes = recipes.sound;
        suites.broken.extend(recipes.reports.into_iter().filter(Report::has_errors));
        Ok(suites)
    }
}

/// The test files at `paths`, each with its mistakes. Without a workspace, their recipes are not known.
pub(in crate::cli) fn check_tests(
    session: &mut Session,
    paths: &[PathBuf],
    catalog: &Arc<Catalog>,
    workspace: Option<&Workspace>,
) -> Result<Vec<Report>, Failure> {
    let mut files = Vec::new();
    for path in paths.iter().filter(|path| path.as_os_str() != "-").map(|path| session.path(path)) {
        if path.is_dir() || is_test_file(&path) {
            files.extend(workspace::tests(&path).map_err(Failure::usage)?);
        }
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let recipes =
        workspace.map(|workspace| Recipes::load(session, &[], catalog, Some(workspace))).transpose()?;
    let mut reports = Vec::new();
    for path in files {
        let (tests, mut diagnostics) = read(session, &path, catalog)?;
        let file = tests.file.clone();
        if let Some(recipes) = recipes.as_ref().filter(|_| diagnostics.is_empty()) {
            diagnostics = tests.mistakes(|tests| recipe_of(tests, &path, recipes, session));
        }
        reports.push(Report { file, diagnostics });
    }
    Ok(reports)
}

/// The tests in the file at `path`, and the mistakes in them.
fn read(session: &Session, path: &Path, catalog: &Catalog) -> Result<(TestFile, Vec<Diagnostic>), Failure> {
    let text = session.read_text(path);
    let text = text.with_context(|| format!("cannot read {}", path.display())).map_err(Failure::usage)?;
    Ok(parse(&SourceFile::new(session.shown(path), text), catalog))
}

/// The test files of a command line.
struct Chosen {
    files: Vec<PathBuf>,
    /// The recipes whose tests are meant, if they are chosen by name.
    named: Option<BTreeSet<String>>,
}

impl Chosen {
    fn read(
        session: &Session,
        words: &[PathBuf],
        recipes: &Recipes,
        workspace: &Workspace,
    ) -> Result<Self, Failure> {
        if !are_names(session, words) {
            return Ok(Self { files: files(session, words, workspace)?, named: None });
        }
        let named = named(words, &recipes.names())?;
        Ok(Self { files: files(session, &[], workspace)?, named: Some(named) })
    }
}

fn files(session: &Session, paths: &[PathBuf], workspace: &Workspace) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let given = paths.iter().map(|path| session.path(path));
    let own = paths.is_empty().then(|| workspace.root.clone());
    for path in given.chain(own) {
        if path.is_dir() || is_test_file(&path) {
            files.extend(workspace::tests(&path).map_err(Failure::usage)?);
            continue;
        }
        let tests = ["test.yaml", "test.yml"].map(|ending| path.with_extension(ending));
        match tests.into_iter().find(|tests| tests.is_file()) {
            Some(tests) if workspace::is_yaml(&path) => files.push(tests),
            _ => {
                let shown = session.shown(&path);
                let reason = match path.is_file() {
                    true => anyhow!(
                        "{shown} has no tests: there is no {}",
                        session.shown(&path.with_extension("test.yaml"))
                    ),
                    false => anyhow!("{shown}: no such file or folder"),
                };
                return Err(Failure::usage(reason));
            }
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// The recipe that `tests`, the file at `path`, are for, or why there is none.
fn recipe_of<'r>(
    tests: &TestFile,
    path: &Path,
    recipes: &'r Recipes,
    session: &Session,
) -> Result<&'r CheckedRecipe, NoRecipe> {
    let broken: Vec<(Option<&str>, &str)> =
        recipes.broken.iter().map(|broken| (broken.recipe.as_deref(), broken.file.as_str())).collect();
    tests.tested_recipe(&session.shown(&beside(path)), &recipes.sound, &broken)
}
