//! The layout of a workspace's folder.

use std::fs;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::Error;
use super::connectors as connector_files;
use crate::catalog::{Catalog, FileKind};
use crate::source::{SourceFile, parse};

/// Name of a workspace's file.
pub const FILE: &str = "hob.yaml";
/// Folder of a workspace's recipes.
const RECIPES: &str = "recipes";
/// Folder of a workspace's own connectors.
const CONNECTORS: &str = "connectors";
/// Folder of hob's state.
pub(super) const STATE: &str = "state";
/// Folder of OAuth tokens.
pub(super) const TOKENS: &str = "state/tokens";
/// Folders without recipes.
const OTHERS: [&str; 4] = [CONNECTORS, "schemas", STATE, "tests"];

/// The workspace that contains `from`.
pub fn find(from: &Path) -> Option<PathBuf> {
    from.ancestors().find(|folder| folder.join(FILE).is_file()).map(Path::to_path_buf)
}

/// The built-in catalog, extended or overridden by the workspace's connectors.
pub fn catalog(root: &Path) -> Result<Catalog, Error> {
    let mut catalog = Catalog::built_in();
    let mut mistakes = Vec::new();
    for ConnectorFolder { path, files } in connectors(root)? {
        if let Err(error) = catalog.add_folder(&path.display().to_string(), files.clone()) {
            mistakes.extend(connector_files::mistakes(&files, &error));
        }
    }
    if mistakes.is_empty() { Ok(catalog) } else { Err(Error::Connectors(mistakes)) }
}

/// The simulations of the workspace's own connectors: connector → text of its `sandbox.yaml`, if any.
pub fn sandbox_scripts(root: &Path) -> Result<IndexMap<String, String>, Error> {
    let mut scripts = IndexMap::new();
    let mut mistakes = Vec::new();
    for folder in connectors(root)? {
        if let Some((path, text)) = folder.file(FileKind::Sandbox) {
            mistakes.extend(connector_files::check(path, text));
            let named_after = || folder.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            scripts.insert(folder.connector().unwrap_or_else(named_after), text.clone());
        }
    }
    if mistakes.is_empty() { Ok(scripts) } else { Err(Error::Connectors(mistakes)) }
}

/// A folder with the files of one connector.
#[derive(Debug, Default)]
pub struct ConnectorFolder {
    path: PathBuf,
    /// Path and text of each file.
    pub files: Vec<(String, String)>,
}

impl ConnectorFolder {
    /// The folder at `path`; without files where there is none.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let paths = if path.is_dir() { entries(path)? } else { Vec::new() };
        let files = paths.into_iter().filter(|path| is_yaml(path) && is_readable(path));
        let files = files.map(|path| Ok((path.display().to_string(), read(&path)?)));
        Ok(Self { files: files.collect::<Result<_, Error>>()?, path: path.to_owned() })
    }

    /// Path and text of the file of this kind; the first, of operations.
    pub fn file(&self, kind: FileKind) -> Option<&(String, String)> {
        self.files.iter().find(|(path, _)| FileKind::from_path(path) == kind)
    }

    /// The connector's name, which may differ from the folder's.
    pub fn connector(&self) -> Option<String> {
        let (path, text) = self.file(FileKind::Connector)?;
        let root = parse(&SourceFile::new(path.as_str(), text.as_str())).node?;
        root.get("connector")?.as_text().map(str::to_owned)
    }
}

/// The folders of the workspace's own connectors.
pub fn connectors(root: &Path) -> Result<Vec<ConnectorFolder>, Error> {
    let folder = root.join(CONNECTORS);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let folders = entries(&folder)?.into_iter().filter(|path| path.is_dir());
    folders.map(|path| ConnectorFolder::read(&path)).collect()
}

/// The recipe files at `path`: itself, or all files below a folder, sorted by name. For a workspace's folder, those
/// in its `recipes`.
pub fn recipes(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = files(path)?;
    if path.is_dir() {
        found.retain(|file| !is_test_file(file));
    }
    Ok(found)
}

/// The files with tests of recipes at `path`: the file itself, or those below the folder.
pub fn tests(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = files(path)?;
    if path.is_dir() {
        found.retain(|file| is_test_file(file));
    }
    Ok(found)
}

/// What a file of a workspace is, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRole {
    /// `hob.yaml`.
    Settings,
    /// A recipe.
    Recipe,
    /// Tests of a recipe.
    Tests,
    /// A file of one of its connectors.
    Connector(FileKind),
}

/// The role of the file at `path` in the workspace at `root`, if it has one.
pub fn role(root: &Path, path: &Path) -> Option<FileRole> {
    let inside = path.strip_prefix(root).ok()?;
    if inside == Path::new(FILE) {
        return Some(FileRole::Settings);
    }
    let parts: Vec<&str> = inside
        .iter()
        .map(|part| part.to_str().filter(|name| !name.starts_with('.')))
        .collect::<Option<_>>()?;
    match parts.as_slice() {
        _ if !is_yaml(path) => None,
        [CONNECTORS, _, file] => Some(FileRole::Connector(FileKind::from_path(file))),
        [RECIPES, folders @ .., _] if !folders.iter().any(|name| OTHERS.contains(name)) => {
            Some(if is_test_file(path) { FileRole::Tests } else { FileRole::Recipe })
        }
        _ => None,
    }
}

/// Whether a file contains tests: it is called `….test.yaml` or `….test.yml`, ignoring case.
pub fn is_test_file(path: &Path) -> bool {
    let stem = path.file_stem().map(Path::new).and_then(Path::extension);
    is_yaml(path) && stem.is_some_and(|ending| ending.eq_ignore_ascii_case("test"))
}

/// The YAML files at `path`: the file itself, or those below the folder.
fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let own = path.join(RECIPES);
    let folder = if path.join(FILE).is_file() { own } else { path.to_path_buf() };
    let mut found = Vec::new();
    if folder.is_dir() {
        collect(&folder, &mut Vec::new(), &mut found)?;
    }
    Ok(found)
}

/// `within`: the parent folders. A link back to one of them is not followed.
fn collect(folder: &Path, within: &mut Vec<PathBuf>, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    if within.contains(&real) {
        tracing::warn!(folder = %folder.display(), "left out: it is a link to a folder that it lies in");
        return Ok(());
    }
    within.push(real);
    for path in entries(folder)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            if !OTHERS.contains(&name) {
                collect(&path, within, found)?;
            }
        } else if is_yaml(&path) && name != FILE && !is_left_out(&path) {
            found.push(path);
        }
    }
    within.pop();
    Ok(())
}

/// Whether a file name has a YAML extension, ignoring case.
pub fn is_yaml(path: &Path) -> bool {
    let ending =
        |ending: &str| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending));
    ending("yaml") || ending("yml")
}

/// Whether it is a pipe, a socket or a device, whose end may never come.
pub fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Whether `path` is special, which is logged.
pub(super) fn is_left_out(path: &Path) -> bool {
    let special = is_special(path);
    if special {
        tracing::warn!(file = %path.display(), "left out: it is a pipe or a device, not a file");
    }
    special
}

/// Whether it is an ordinary file.
fn is_readable(path: &Path) -> bool {
    !is_left_out(path) && path.is_file()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let listed = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = listed.map_err(|error| Error::unreadable(folder, &error))?;
    paths.sort();
    Ok(paths)
}

pub(super) fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| Error::unreadable(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_roles_by_their_paths() {
        let role = |path: &str| role(Path::new("/w"), Path::new(path));
        assert_eq!(role("/w/hob.yaml"), Some(FileRole::Settings));
        assert_eq!(role("/w/recipes/a.yaml"), Some(FileRole::Recipe));
        assert_eq!(role("/w/recipes/b/a.test.YML"), Some(FileRole::Tests));
        assert_eq!(role("/w/connectors/club/events.yaml"), Some(FileRole::Connector(FileKind::Events)));
        for other in [
            "/w/a.yaml",
            "/w/recipes/a.json",
            "/w/recipes/.a.yaml",
            "/w/recipes/state/a.yaml",
            "/w/connectors/a.yaml",
            "/x/recipes/a.yaml",
        ] {
            assert_eq!(role(other), None, "{other}");
        }
    }
}
