//! Finds test files, and the recipe that each tests.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::check::CheckedRecipe;
use crate::cli::recipes::Recipes;
use crate::cli::{Failure, Session};
use crate::diagnostic::{Code, Diagnostic, Report, closest};
use crate::recipe_test::{TestFile, parse};
use crate::source::{SourceFile, Span};
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
        let files = files(session, paths, workspace)?;
        let recipes = Recipes::load(session, &[], &workspace.catalog, Some(workspace))?;
        let mut suites = Self::default();
        for path in files {
            let folder = path.parent().unwrap_or(Path::new(".")).to_path_buf();
            let text = std::fs::read_to_string(&path);
            let text =
                text.with_context(|| format!("cannot read {}", path.display())).map_err(Failure::usage)?;
            let file = SourceFile::new(session.shown(&path), text);
            let (tests, mut diagnostics) = parse(&file, &workspace.catalog);
            let recipe = match diagnostics.is_empty() {
                true => recipe_of(&tests, &path, &recipes, session),
                false => Err(Vec::new()),
            };
            match recipe {
                Ok(recipe) => suites.suites.push(TestSuite { tests, recipe, folder }),
                Err(found) => {
                    diagnostics.extend(found);
                    suites.broken.push(Report { file, diagnostics });
                }
            }
        }
        suites.recipes = recipes.sound;
        suites.broken.extend(recipes.reports.into_iter().filter(Report::has_errors));
        Ok(suites)
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
fn recipe_of(
    tests: &TestFile,
    path: &Path,
    recipes: &Recipes,
    session: &Session,
) -> Result<CheckedRecipe, Vec<Diagnostic>> {
    if let Some(name) = &tests.recipe {
        if let Some(recipe) = recipes.sound.iter().find(|recipe| recipe.name() == name.value) {
            return Ok(recipe.clone());
        }
        let broken =
            recipes.broken.iter().any(|broken| broken.recipe.as_deref() == Some(name.value.as_str()));
        let message = match broken {
            true => format!("recipe `{}` has mistakes", name.value),
            false => format!("there is no recipe `{}`", name.value),
        };
        let near = closest(&name.value, recipes.sound.iter().map(CheckedRecipe::name)).filter(|_| !broken);
        let diagnostic = Diagnostic::new(Code::NotAllowed, name.span, message);
        return Err(vec![match near {
            Some(near) => diagnostic.help(near.to_string()),
            None => diagnostic,
        }]);
    }
    // `a.test.yaml` → `a.yaml`
    let own = path.with_extension("").with_extension(path.extension().unwrap_or_default());
    let shown = session.shown(&own);
    let here = |recipe: &&CheckedRecipe| recipe.recipe().file.name() == shown;
    let mut found = recipes.sound.iter().filter(here);
    let place = Span::new(0, 0);
    let message = match (found.next(), found.next()) {
        (Some(recipe), None) => return Ok(recipe.clone()),
        (Some(first), Some(second)) => format!(
            "{shown} stands for several recipes, such as `{}` and `{}`: name one under `recipe`",
            first.name(),
            second.name()
        ),
        _ if recipes.broken.iter().any(|broken| broken.file == shown) => format!("{shown} has mistakes"),
        _ => format!("there is no {shown}: name the recipe under `recipe`"),
    };
    Err(vec![Diagnostic::new(Code::MissingField, place, message)])
}
