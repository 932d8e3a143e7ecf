//! The check of a whole workspace, which runs beside the editing: the rules that concern several recipes, and tests,
//! which need the checked recipes. Only files that have changed are read again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::catalog::Catalog;
use crate::check::{Checked, CheckedRecipe, WorkspaceInfo, check_across, check_alone};
use crate::clock::Clock;
use crate::diagnostic::Report;
use crate::recipe_test::{beside, parse};
use crate::source::SourceFile;
use crate::trigger::webhook::{short_key, unusable_key};
use crate::workspace;

/// What is to be checked.
#[derive(Debug)]
pub struct WholeCheck {
    /// The folder of the workspace.
    pub root: PathBuf,
    /// Counts the checks of the workspace.
    pub generation: u64,
    /// Recipes that were read since they last changed.
    pub known: BTreeMap<PathBuf, Arc<Checked>>,
    /// Texts that replace files.
    pub open: BTreeMap<PathBuf, SourceFile>,
    /// All operations.
    pub catalog: Arc<Catalog>,
    /// What the checker knows of the workspace.
    pub info: WorkspaceInfo,
    /// The values of `env`, for keys of webhooks.
    pub env: Map<String, Value>,
}

/// What was found.
#[derive(Debug)]
pub struct WholeChecked {
    /// The folder of the workspace.
    pub root: PathBuf,
    /// Of the `WholeCheck`.
    pub generation: u64,
    /// Each recipe's file on its own.
    pub alone: BTreeMap<PathBuf, Arc<Checked>>,
    /// The mistakes in recipes and tests.
    pub reports: BTreeMap<PathBuf, Report>,
    /// Recipes without mistakes.
    pub sound: Vec<CheckedRecipe>,
    /// Names and files of the others.
    pub broken: Vec<(Option<String>, String)>,
}

impl WholeCheck {
    /// Reads what has changed, and applies the rules for several recipes.
    pub fn run(self) -> WholeChecked {
        let paths = workspace::recipes(&self.root).unwrap_or_default();
        let mut alone: BTreeMap<PathBuf, Arc<Checked>> = BTreeMap::new();
        let is_recipe = |path: &Path| workspace::role(&self.root, path) == Some(workspace::FileRole::Recipe);
        let open = self.open.keys().filter(|path| is_recipe(path)).cloned();
        for path in paths.into_iter().chain(open) {
            let known = self.known.get(&path).cloned();
            let read = || {
                let file = self.text(&path)?;
                Some(Arc::new(check_alone(&file, &self.catalog, &self.info)))
            };
            if let Some(checked) = known.or_else(read) {
                alone.insert(path, checked);
            }
        }
        let all = alone.values().map(|checked| Checked::clone(checked)).collect();
        let all = check_across(all, &self.catalog, &WorkspaceInfo { whole: true, ..self.info.clone() });
        let (mut sound, mut broken, mut reports) = (Vec::new(), Vec::new(), BTreeMap::new());
        let now = Clock::system().now();
        for (path, checked) in alone.keys().zip(all) {
            let Checked { mut report, recipes, broken: mistaken } = checked;
            for recipe in &recipes {
                let key = unusable_key(recipe, &self.env, now).or_else(|| short_key(recipe, &self.env, now));
                report.diagnostics.extend(key);
            }
            let name = |recipe: &crate::recipe::Recipe| Some(recipe.name.value.clone());
            broken.extend(mistaken.iter().map(|recipe| (name(recipe), report.file.name().to_owned())));
            if recipes.is_empty() && mistaken.is_empty() {
                broken.push((None, report.file.name().to_owned()));
            }
            sound.extend(recipes);
            reports.insert(path.clone(), report);
        }
        let open = self
            .open
            .keys()
            .filter(|path| workspace::role(&self.root, path) == Some(workspace::FileRole::Tests));
        for path in workspace::tests(&self.root).unwrap_or_default().iter().chain(open) {
            if let Some(file) = self.text(path) {
                reports.insert(path.clone(), tests(&file, path, &self.root, &self.catalog, &sound, &broken));
            }
        }
        // Operations are parsed when they are first looked up, which would delay the first completion.
        self.catalog.operations().for_each(drop);
        WholeChecked { root: self.root, generation: self.generation, alone, reports, sound, broken }
    }

    fn text(&self, path: &Path) -> Option<SourceFile> {
        let read = || {
            let text = std::fs::read_to_string(path).ok()?;
            Some(SourceFile::new(shown(path, Some(&self.root)), text))
        };
        self.open.get(path).cloned().or_else(read)
    }
}

/// The mistakes in a file of tests.
pub fn tests(
    file: &SourceFile,
    path: &Path,
    root: &Path,
    catalog: &Catalog,
    sound: &[CheckedRecipe],
    broken: &[(Option<String>, String)],
) -> Report {
    let (tests, mut diagnostics) = parse(file, catalog);
    if diagnostics.is_empty() {
        let broken: Vec<(Option<&str>, &str)> =
            broken.iter().map(|(name, file)| (name.as_deref(), file.as_str())).collect();
        let beside = shown(&beside(path), Some(root));
        diagnostics = tests.mistakes(|tests| tests.tested_recipe(&beside, sound, &broken));
    }
    Report { file: file.clone(), diagnostics }
}

/// The name of the file at `path` in messages.
pub fn shown(path: &Path, root: Option<&Path>) -> String {
    let inside = root.and_then(|root| path.strip_prefix(root).ok());
    inside.unwrap_or(path).display().to_string()
}
