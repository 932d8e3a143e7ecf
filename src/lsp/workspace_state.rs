//! What the server knows of a workspace: its settings, its catalog, and its recipes as far as they are checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

use super::whole_check::{self, WholeCheck, WholeChecked, shown};
use crate::catalog::{Catalog, FileKind};
use crate::check::{Checked, CheckedRecipe, WorkspaceInfo, check_across, check_alone};
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::secret::Redactor;
use crate::source::{SourceFile, Span};
use crate::workspace::{self, Dotenv, Error, FileRole, Opened, Workspace};

/// The catalog of texts outside workspaces.
static BUILT_IN: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(Catalog::built_in()));

/// Codes of mistakes that only the check of all recipes finds.
const ACROSS: [Code; 4] = [Code::DuplicateName, Code::RecipeCycle, Code::UnknownLink, Code::InsecureWebhook];

/// A workspace; also the texts that belong to none, whose recipes are checked one by one.
#[derive(Debug)]
pub struct WorkspaceState {
    /// Its folder.
    pub root: Option<PathBuf>,
    /// All operations.
    pub catalog: Arc<Catalog>,
    /// What the checker knows of its settings.
    pub info: WorkspaceInfo,
    /// Masks its secrets in what is shown.
    pub redactor: Redactor,
    /// Recipes without mistakes.
    pub sound: Vec<CheckedRecipe>,
    /// Names and files of the others.
    broken: Vec<(Option<String>, String)>,
    env: Map<String, Value>,
    /// Recipes that were read since they last changed.
    alone: BTreeMap<PathBuf, Arc<Checked>>,
    reports: BTreeMap<PathBuf, Report>,
    /// The connectors cannot be read, so that operations are unknown.
    is_incomplete: bool,
    generation: u64,
}

impl WorkspaceState {
    /// For texts outside workspaces.
    pub fn none() -> Self {
        Self {
            root: None,
            catalog: Arc::clone(&BUILT_IN),
            info: WorkspaceInfo::none(),
            redactor: Redactor::default(),
            sound: Vec::new(),
            broken: Vec::new(),
            env: Map::new(),
            alone: BTreeMap::new(),
            reports: BTreeMap::new(),
            is_incomplete: false,
            generation: 0,
        }
    }

    /// The workspace at `root`, with the text `settings` instead of its `hob.yaml` if that is open.
    pub fn open(root: &Path, settings: Option<&SourceFile>, variables: &BTreeMap<String, String>) -> Self {
        let mut state = Self { root: Some(root.to_path_buf()), ..Self::none() };
        state.reload(settings, variables);
        state
    }

    /// Reads connectors and settings again.
    pub fn reload(&mut self, settings: Option<&SourceFile>, variables: &BTreeMap<String, String>) {
        let Some(root) = self.root.clone() else { return };
        let is_settings =
            |path: &Path| !matches!(workspace::role(&root, path), Some(FileRole::Recipe | FileRole::Tests));
        self.reports.retain(|path, _| !is_settings(path));
        let catalog = workspace::catalog(&root).and_then(|catalog| {
            workspace::sandbox_scripts(&root)?;
            Ok(catalog)
        });
        self.is_incomplete = catalog.is_err();
        match catalog {
            Ok(catalog) => self.catalog = Arc::new(catalog),
            Err(error) => {
                self.reports.clear();
                self.tell(error);
            }
        }
        self.read_settings(settings, variables);
        self.forget_all();
    }

    /// Reads `hob.yaml` again.
    pub fn read_settings(&mut self, settings: Option<&SourceFile>, variables: &BTreeMap<String, String>) {
        let Some(root) = self.root.clone() else { return };
        let path = root.join(workspace::FILE);
        let mut all = BTreeMap::new();
        match workspace::dotenv(&root) {
            Ok(Dotenv { variables, report }) => {
                all = variables;
                self.reports.insert(root.join(report.file.name()), report);
            }
            Err(error) => self.tell(error),
        }
        all.extend(variables.clone());
        let file = match settings {
            Some(file) => file.clone(),
            None => match std::fs::read_to_string(&path) {
                Ok(text) => SourceFile::new(workspace::FILE, text),
                Err(error) => {
                    return self.tell(Error::Unreadable { path, reason: error.to_string() });
                }
            },
        };
        let Opened { workspace, report, redactor, .. } =
            Workspace::read(&root, file, Arc::clone(&self.catalog), &all);
        self.redactor = redactor;
        if !self.is_incomplete {
            self.reports.insert(path, report);
        }
        // A file with mistakes says nothing about connections; those known before are better than none.
        if let Some(workspace) = workspace {
            let info = workspace.info();
            self.env = workspace.env_values();
            if info != self.info {
                self.info = info;
                self.forget_all();
            }
        }
    }

    /// Notes the reports of an error.
    fn tell(&mut self, error: Error) {
        match error {
            Error::Connectors(reports) => {
                self.reports
                    .extend(reports.into_iter().map(|report| (PathBuf::from(report.file.name()), report)));
            }
            Error::Unreadable { path, reason } => {
                let message = format!("the file cannot be read: {reason}");
                let diagnostic = Diagnostic::new(Code::Syntax, Span::default(), message);
                let file = SourceFile::new(shown(&path, self.root.as_deref()), "");
                self.reports.insert(path, Report { file, diagnostics: vec![diagnostic] });
            }
        }
    }

    /// What the file at `path` is here. Outside a workspace, that is taken from its text.
    pub fn role(&self, path: &Path, text: &str) -> Option<FileRole> {
        if let Some(root) = &self.root
            && path.starts_with(root)
        {
            return workspace::role(root, path);
        }
        let has = |key: &str| text.lines().any(|line| line.starts_with(key));
        if has("# yaml-language-server: $schema=") && text.contains("/connector.schema.json") {
            return None;
        }
        match workspace::is_test_file(path) {
            true => has("tests:").then_some(FileRole::Tests),
            false => {
                let is_recipe = (has("trigger:") && has("actions:")) || (has("sync:") && has("name:"));
                let says_so = has("# yaml-language-server: $schema=") && text.contains("recipe.schema.json");
                (is_recipe || says_so).then_some(FileRole::Recipe)
            }
        }
    }

    /// Checks the changed text of the file at `path`.
    pub fn check(&mut self, path: &Path, file: &SourceFile) {
        let report = match self.role(path, file.text()) {
            Some(FileRole::Recipe) => {
                let alone = Arc::new(check_alone(file, &self.catalog, &self.info));
                self.alone.insert(path.to_owned(), Arc::clone(&alone));
                if self.is_incomplete {
                    self.reports.remove(path);
                    return;
                }
                let across = check_across(vec![Checked::clone(&alone)], &self.catalog, &self.info);
                let Some(checked) = across.into_iter().next() else { return };
                let mut report = checked.report;
                report.diagnostics.extend(self.still_true(path, file, &report));
                Some(report)
            }
            Some(FileRole::Tests) if !self.is_incomplete => {
                let root = self.root.as_deref().unwrap_or(Path::new("/"));
                let mut report =
                    whole_check::tests(file, path, root, &self.catalog, &self.sound, &self.broken);
                if self.root.is_none() {
                    report.diagnostics.retain(|found| found.span != Span::default());
                }
                Some(report)
            }
            Some(FileRole::Connector(kind)) => {
                let kept = matches!(kind, FileKind::Overlay).then(Vec::new);
                let diagnostics = kept.or_else(|| {
                    let report = workspace::check_connector_file(&path.display().to_string(), file.text());
                    report.map(|report| report.diagnostics)
                });
                Some(Report { file: file.clone(), diagnostics: diagnostics.unwrap_or_default() })
            }
            _ => None,
        };
        match report {
            Some(report) => self.reports.insert(path.to_owned(), report),
            None if self.role(path, file.text()) == Some(FileRole::Settings) => return,
            None => self.reports.remove(path),
        };
    }

    /// Mistakes known from the last check of all recipes that this check cannot find, and whose text is still the same.
    fn still_true(&self, path: &Path, file: &SourceFile, report: &Report) -> Vec<Diagnostic> {
        let Some(before) = self.reports.get(path) else { return Vec::new() };
        let is_same = |found: &&Diagnostic| {
            let text = before.file.slice(found.span);
            ACROSS.contains(&found.code)
                && !text.is_empty()
                && file.slice(found.span) == text
                && !report.diagnostics.contains(found)
        };
        before.diagnostics.iter().filter(is_same).cloned().collect()
    }

    /// The text at `path`, which is in no workspace, is closed.
    pub fn close(&mut self, path: &Path) {
        self.alone.remove(path);
        self.reports.remove(path);
    }

    /// The text of a recipe has changed on disk.
    pub fn forget(&mut self, path: &Path) {
        self.alone.remove(path);
        // What a check that is running has read may be the text before.
        self.generation += 1;
    }

    /// What recipes may use has changed.
    fn forget_all(&mut self) {
        self.alone.clear();
        self.generation += 1;
    }

    /// The next check of all recipes; `None` without a workspace, or while its connectors cannot be read.
    pub fn whole_check(&mut self, open: BTreeMap<PathBuf, SourceFile>) -> Option<WholeCheck> {
        let root = self.root.clone().filter(|_| !self.is_incomplete)?;
        self.generation += 1;
        Some(WholeCheck {
            root,
            generation: self.generation,
            known: self.alone.clone(),
            open,
            catalog: Arc::clone(&self.catalog),
            info: self.info.clone(),
            env: self.env.clone(),
        })
    }

    /// Takes over the result of a check, unless a later one was started.
    pub fn apply(&mut self, checked: WholeChecked) {
        if checked.generation != self.generation {
            return;
        }
        let root = checked.root;
        let is_listed =
            |path: &Path| matches!(workspace::role(&root, path), Some(FileRole::Recipe | FileRole::Tests));
        self.reports.retain(|path, _| !is_listed(path) || checked.reports.contains_key(path));
        for (path, report) in checked.reports {
            // What was edited since is checked again soon.
            let (mine, theirs) = (self.alone.get(&path), checked.alone.get(&path));
            let is_current = mine.is_none_or(|mine| theirs.is_some_and(|theirs| Arc::ptr_eq(mine, theirs)));
            if is_current {
                self.reports.insert(path, report);
            }
        }
        for (path, alone) in checked.alone {
            self.alone.entry(path).or_insert(alone);
        }
        self.sound = checked.sound;
        self.broken = checked.broken;
    }

    /// The mistakes in all files.
    pub fn reports(&self) -> &BTreeMap<PathBuf, Report> {
        &self.reports
    }

    /// The recipe files on their own.
    pub fn recipes(&self) -> impl Iterator<Item = (&PathBuf, &Arc<Checked>)> {
        self.alone.iter()
    }

    /// The recipe file at `path` on its own.
    pub fn checked(&self, path: &Path) -> Option<&Arc<Checked>> {
        self.alone.get(path)
    }

    /// Names of all recipes.
    pub fn recipe_names(&self) -> impl Iterator<Item = &str> {
        let broken = self.broken.iter().filter_map(|(name, _)| name.as_deref());
        self.sound.iter().map(CheckedRecipe::name).chain(broken.filter(|name| !name.is_empty()))
    }
}
