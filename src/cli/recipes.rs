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
use crate::check::{CheckedRecipe, WorkspaceInfo, check_all};
use crate::clock::Clock;
use crate::diagnostic::{Code, Diagnostic, Report, Suggestion, closest};
use crate::printable;
use crate::recipe::Recipe;
use crate::source::{SourceFile, Span};
use crate::sync::stands_for;
use crate::trigger::webhook::{Listener, keys, listeners, short_key, unusable_key};
use crate::workspace::{self, Workspace};

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
        let mut info = workspace.map_or_else(WorkspaceInfo::none, Workspace::info);
        info.whole = root.is_some_and(|root| paths.is_empty() || paths.iter().any(|path| path == root));
        Ok(Self::check(files, catalog, &info))
    }

    /// Loads and checks what a command line names: files and folders, or recipes of the workspace by their names.
    pub(super) fn load_chosen(
        session: &mut Session,
        chosen: &[PathBuf],
        catalog: &Arc<Catalog>,
        workspace: &Workspace,
    ) -> Result<Self, Failure> {
        if !are_names(session, chosen) {
            return Self::load(session, chosen, catalog, Some(workspace));
        }
        let all = Self::load(session, &[], catalog, Some(workspace))?;
        let names = named(chosen, &all.names())?;
        let mut recipes = Self { sound: all.sound, broken: all.broken, ..Self::default() };
        recipes.sound.retain(|recipe| names.contains(recipe.name()));
        recipes.broken.retain(|broken| broken.recipe.as_ref().is_some_and(|name| names.contains(name)));
        let files: BTreeSet<&str> = recipes.broken.iter().map(|broken| broken.file.as_str()).collect();
        recipes.reports =
            all.reports.into_iter().filter(|report| files.contains(report.file.name())).collect();
        Ok(recipes)
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

    /// The valid recipe called `name`; shows the mistakes of broken files if there is none. A sync stands for several
    /// recipes, and is refused.
    pub(super) fn find(&self, name: &str, session: &mut Session) -> Result<CheckedRecipe, Failure> {
        let mut found = self.find_all(name, session)?;
        if found.len() == 1 {
            return Ok(found.remove(0));
        }
        let names: Vec<String> = found.iter().map(|recipe| format!("`{}`", recipe.name())).collect();
        let reason =
            format!("`{name}` is a sync, which stands for several recipes: name one of {}", names.join(", "));
        Err(Failure::usage(anyhow!(reason)))
    }

    /// The valid recipes that `name` means: the one called so, or those of the sync called so; shows the mistakes of
    /// broken files if there are none.
    pub(super) fn find_all(&self, name: &str, session: &mut Session) -> Result<Vec<CheckedRecipe>, Failure> {
        let meant = meant(name, self.sound.iter().map(CheckedRecipe::name));
        if !meant.is_empty() {
            let is_meant = |recipe: &&CheckedRecipe| meant.contains(&recipe.name());
            return Ok(self.sound.iter().filter(is_meant).cloned().collect());
        }
        let broken: Vec<_> = self.reports.iter().filter(|report| report.has_errors()).collect();
        broken.iter().for_each(|report| session.show(report));
        let near = near(name, self.sound.iter().map(CheckedRecipe::name));
        Err(Failure::usage(match near {
            Some(near) => anyhow!("no recipe `{name}`; {near}"),
            None if broken.is_empty() => anyhow!("no recipe `{name}` in this workspace"),
            None => anyhow!("no recipe `{name}` without mistakes"),
        }))
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

/// Those of the recipes `known` that `name` means: the one called so, or those that the sync `name` stands for.
pub(super) fn meant<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let known: Vec<&str> =
        known.into_iter().filter(|known| *known == name || stands_for(name, known)).collect();
    match known.iter().find(|known| **known == name) {
        Some(exactly) => vec![exactly],
        None => known,
    }
}

/// The error that no recipe of `known` is called `name`.
pub(super) fn unknown_recipe<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Failure {
    Failure::usage(match near(name, known) {
        Some(suggestion) => anyhow!("no recipe `{name}`; {suggestion}"),
        None => anyhow!("no recipe `{name}` in this workspace"),
    })
}

/// The error that there is neither a file nor a recipe of `known` that is called `name`.
pub(super) fn unknown_file_or_recipe<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Failure {
    let near = near(name, known).map(|near| format!("; {near}")).unwrap_or_default();
    Failure::usage(anyhow!("no file and no recipe is called `{name}`{near}"))
}

/// The name of a recipe or sync that `name` is near to.
fn near<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<Suggestion> {
    let mut names = BTreeSet::new();
    for known in known {
        names.insert(known);
        // A sync is called like what comes before a `/` in the names of its recipes.
        names.extend(known.match_indices('/').map(|(at, _)| &known[..at]));
    }
    closest(name, names)
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

/// The recipes of the workspace, for commands that show the history; redacts their webhook keys as well.
pub(super) fn hide_webhook_keys(session: &mut Session, workspace: &Workspace) -> Result<Recipes, Failure> {
    let recipes = Recipes::load(session, &[], &workspace.catalog, Some(workspace))?;
    session.streams.hide(keys(&recipes.sound, &workspace.env_values(), Clock::system().now()));
    Ok(recipes)
}

/// Whether words of a command line are names of recipes, because none of them is a file, a folder or standard input.
pub(super) fn are_names(session: &Session, words: &[PathBuf]) -> bool {
    let is_path = |word: &PathBuf| word.as_os_str() == "-" || session.path(word).exists();
    !words.is_empty() && !words.iter().any(is_path)
}

/// The recipes of `known` that `words` of a command line name.
pub(super) fn named(words: &[PathBuf], known: &BTreeSet<String>) -> Result<BTreeSet<String>, Failure> {
    let known = || known.iter().map(String::as_str);
    let mut names = BTreeSet::new();
    for word in words.iter().map(|word| word.to_string_lossy()) {
        let meant = meant(&word, known());
        if meant.is_empty() {
            return Err(unknown_file_or_recipe(&word, known()));
        }
        names.extend(meant.into_iter().map(str::to_owned));
    }
    Ok(names)
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
                files.extend(Source::found(name, session.read(&file)));
                continue;
            }
            if workspace::is_special(&file) && !is_handed_over(&file) {
                let reason = anyhow!("{name} is a pipe or a device, not a file; `-` reads standard input");
                return Err(Failure::usage(reason));
            }
            let text = session.read_text(&file).with_context(|| format!("cannot read {}", file.display()));
            files.push(Source::readable(SourceFile::new(name, text.map_err(Failure::usage)?)));
        }
    }
    Ok(files)
}

/// Whether a shell opened it for the command (`hob validate <(…)`), so that a process writes to it.
fn is_handed_over(path: &Path) -> bool {
    ["/dev/fd", "/dev/stdin", "/proc/self/fd"].iter().any(|place| path.starts_with(place))
}
