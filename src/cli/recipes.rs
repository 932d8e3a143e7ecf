//! Loads and checks the recipes of a command line.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::{Failure, Session};
use crate::catalog::Catalog;
use crate::check::{CheckedRecipe, ConnectionInfo, WorkspaceInfo, check_all};
use crate::clock::Clock;
use crate::diagnostic::{Code, Diagnostic, Report, closest};
use crate::printable;
use crate::recipe::Recipe;
use crate::source::{SourceFile, Span};
use crate::trigger::webhook::{Listener, keys, listeners, short_key, unusable_key};
use crate::workspace::{self, Webhooks, Workspace};

/// Recipes and their diagnostics.
#[derive(Debug, Default)]
pub(super) struct Recipes {
    /// Valid recipes.
    pub(super) sound: Vec<CheckedRecipe>,
    /// Recipes that cannot run.
    pub(super) broken: Vec<BrokenRecipe>,
    /// The number of recipes with a path that accepts no request, because its key is unusable.
    pub(super) closed_paths: usize,
    /// One report per file, including those without diagnostics.
    pub(super) reports: Vec<Report>,
}

/// A recipe that cannot run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct BrokenRecipe {
    /// Its name, if readable.
    pub(super) recipe: Option<String>,
    /// Its file.
    pub(super) file: String,
    /// Why.
    pub(super) reason: String,
    /// What it would listen to.
    #[serde(skip)]
    pub(super) listeners: Vec<Listener>,
}

impl BrokenRecipe {
    /// A broken file, with the readable parts of its recipe.
    fn read(file: &SourceFile, recipe: Option<&Recipe>) -> Self {
        Self {
            recipe: recipe.map(|recipe| recipe.name.value.clone()).filter(|name| !name.is_empty()),
            file: file.name().to_owned(),
            reason: "it has mistakes".to_owned(),
            listeners: recipe.map(|recipe| listeners(&recipe.trigger)).unwrap_or_default(),
        }
    }
}

impl fmt::Display for BrokenRecipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.recipe {
            Some(name) => write!(f, "{} ({}): {}", printable::line(name, 200), self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

impl Recipes {
    /// Loads and checks the recipes at `paths`, or those of the workspace if empty; `-` is standard input.
    pub(super) fn load(
        session: &mut Session,
        paths: &[PathBuf],
        catalog: &Arc<Catalog>,
        workspace: Option<&Workspace>,
    ) -> Result<Self, Failure> {
        let root = workspace.map(|workspace| workspace.root.as_path());
        let files = sources(session, paths, root)?;
        let mut info = workspace.map_or_else(WorkspaceInfo::none, workspace_info);
        info.whole = root.is_some_and(|root| paths.is_empty() || paths.iter().any(|path| path == root));
        Ok(Self::check(files, catalog, &info))
    }

    fn check(files: Vec<Source>, catalog: &Arc<Catalog>, workspace_info: &WorkspaceInfo) -> Self {
        let (files, unreadable): (Vec<SourceFile>, Vec<Option<Diagnostic>>) =
            files.into_iter().map(|source| (source.file, source.unreadable)).unzip();
        let mut recipes = Self::default();
        for (checked, unreadable) in check_all(&files, catalog, workspace_info).into_iter().zip(unreadable) {
            let mut report = checked.report;
            if let Some(unreadable) = unreadable {
                report.diagnostics = vec![unreadable];
            }
            if checked.recipes.is_empty() && checked.broken.is_empty() {
                recipes.broken.push(BrokenRecipe::read(&report.file, None));
            }
            let broken = checked.broken.iter().map(|recipe| BrokenRecipe::read(&report.file, Some(recipe)));
            recipes.broken.extend(broken);
            recipes.sound.extend(checked.recipes);
            recipes.reports.push(report);
        }
        recipes
    }

    /// The valid recipe of this name; shows the mistakes of broken files if there is none.
    pub(super) fn find(&self, name: &str, session: &mut Session) -> Result<CheckedRecipe, Failure> {
        if let Some(recipe) = self.sound.iter().find(|recipe| recipe.name() == name) {
            return Ok(recipe.clone());
        }
        let broken: Vec<_> = self.reports.iter().filter(|report| report.has_errors()).collect();
        broken.iter().for_each(|report| session.show(report));
        let reason = match closest(name, self.sound.iter().map(CheckedRecipe::name)) {
            Some(suggestion) => anyhow!("no recipe `{name}`; {suggestion}"),
            None if broken.is_empty() => anyhow!("no recipe `{name}` in this workspace"),
            None => anyhow!("no recipe `{name}` without mistakes"),
        };
        Err(Failure::usage(reason))
    }

    /// The readable names of all recipes, including broken ones.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let sound = self.sound.iter().map(|recipe| recipe.name().to_owned());
        sound.chain(self.broken.iter().filter_map(|broken| broken.recipe.clone())).collect()
    }

    /// Excludes recipes on connections with unset variables: requests without a credential would only fail.
    pub(super) fn leave_out_unset(&mut self, workspace: &Workspace) {
        let (sound, unset) = std::mem::take(&mut self.sound)
            .into_iter()
            .partition(|recipe: &CheckedRecipe| unset_variables(recipe, workspace).is_none());
        self.sound = sound;
        let unset: Vec<CheckedRecipe> = unset;
        self.broken.extend(unset.iter().map(|recipe| BrokenRecipe {
            recipe: Some(recipe.name().to_owned()),
            file: recipe.recipe().file.name().to_owned(),
            reason: unset_variables(recipe, workspace).unwrap_or_default(),
            listeners: listeners(recipe.trigger()),
        }));
    }

    /// Warns of recipes with unset or weak webhook keys. Their paths reject requests; the recipes stay, for runs in
    /// progress.
    pub(super) fn warn_of_unusable_keys(&mut self, workspace: &Workspace) {
        let (env, now) = (workspace.env_values(), Clock::system().now());
        for recipe in &self.sound {
            let unusable = unusable_key(recipe, &env, now);
            self.closed_paths += usize::from(unusable.is_some());
            let Some(unusable) = unusable.or_else(|| short_key(recipe, &env, now)) else { continue };
            let name = recipe.recipe().file.name();
            if let Some(report) = self.reports.iter_mut().find(|report| report.file.name() == name) {
                report.diagnostics.push(unusable);
                report.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
            }
        }
    }

    /// Shows all diagnostics, including warnings.
    pub(super) fn show(&self, session: &mut Session) {
        self.reports.iter().for_each(|report| session.show(report));
    }
}

/// A connection of `recipe` with unset variables, if there is one.
pub(super) fn unset_variables(recipe: &CheckedRecipe, workspace: &Workspace) -> Option<String> {
    let names = recipe.accounts().iter().flat_map(|accounts| accounts.values());
    let mut accounts = names.filter_map(|name| workspace.accounts.get(name));
    let account = accounts.find(|account| !account.unset.is_empty())?;
    let names: BTreeSet<&str> = account.unset.iter().map(String::as_str).collect();
    let names: Vec<&str> = names.into_iter().collect();
    Some(format!("its connection `{}` needs {}, not set", account.name, names.join(", ")))
}

/// Redacts the recipes' webhook keys as well, for commands that show the history.
pub(super) fn hide_webhook_keys(session: &mut Session, workspace: &Workspace) -> Result<(), Failure> {
    let recipes = Recipes::load(session, &[], &workspace.catalog, Some(workspace))?.sound;
    session.streams.hide(keys(&recipes, &workspace.env_values(), Clock::system().now()));
    Ok(())
}

/// What the checker knows of a workspace.
pub(super) fn workspace_info(workspace: &Workspace) -> WorkspaceInfo {
    let connections = workspace.accounts.values().map(|account| {
        let settings = account.settings.keys().cloned().collect();
        let (connector, version) = (account.connector.connector.clone(), account.version.clone());
        (account.name.clone(), ConnectionInfo { connector, settings, version })
    });
    let says = |webhooks: &Webhooks| webhooks.unverified.is_some() || webhooks.signatures.is_some();
    let verified = workspace.webhooks.iter().filter(|(_, webhooks)| says(webhooks));
    let verified = verified.map(|(connector, _)| connector.clone()).collect();
    let files = Some((workspace.root.clone(), workspace.files.clone()));
    WorkspaceInfo {
        known: true,
        connections: connections.collect(),
        env: workspace.env_allowlist.clone(),
        whole: false,
        verified,
        files,
    }
}

/// A recipe file.
struct Source {
    file: SourceFile,
    /// Why it is unreadable, if so.
    unreadable: Option<Diagnostic>,
}

impl Source {
    fn readable(file: SourceFile) -> Self {
        Self { file, unreadable: None }
    }

    /// A file found in a folder rather than named: an unreadable one does not stop the others.
    fn found(name: String, read: std::io::Result<Vec<u8>>) -> Option<Self> {
        let reason = match read.map(String::from_utf8) {
            Ok(Ok(text)) => return Some(Self::readable(SourceFile::new(name, text))),
            Ok(Err(_)) => "it is not UTF-8; save it in that encoding".to_owned(),
            // Moved since it was found.
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => error.to_string(),
        };
        let message = format!("the file cannot be read: {reason}");
        let unreadable = Some(Diagnostic::new(Code::Syntax, Span::default(), message));
        Some(Self { file: SourceFile::new(name, String::new()), unreadable })
    }
}

fn sources(session: &mut Session, paths: &[PathBuf], root: Option<&Path>) -> Result<Vec<Source>, Failure> {
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
            files.push(Source::readable(SourceFile::new("<stdin>", text)));
            continue;
        }
        for file in workspace::recipes(path).map_err(Failure::usage)? {
            let name = session.shown(&file);
            if file != *path {
                files.extend(Source::found(name, std::fs::read(&file)));
                continue;
            }
            if workspace::is_special(&file) && !is_handed_over(&file) {
                let reason = anyhow!("{name} is a pipe or a device, not a file; `-` reads standard input");
                return Err(Failure::usage(reason));
            }
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()));
            files.push(Source::readable(SourceFile::new(name, text.map_err(Failure::usage)?)));
        }
    }
    Ok(files)
}

/// Whether a shell opened it for the command (`hob validate <(…)`), so that a process writes to it.
fn is_handed_over(path: &Path) -> bool {
    ["/dev/fd", "/dev/stdin", "/proc/self/fd"].iter().any(|place| path.starts_with(place))
}
