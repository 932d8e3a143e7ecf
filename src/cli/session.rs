//! The start of every subcommand: global options, environment, streams and workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;

use super::{Environment, Failure, Global, StoreChoice, Streams};
use crate::catalog::Catalog;
use crate::diagnostic::{Report, render};
use crate::printable;
use crate::source::SourceFile;
use crate::workspace::{self, Dotenv, Opened, Store, Workspace};

/// Most characters of a displayed path; systems allow 4096 bytes.
const MAX_PATH: usize = 4096;

/// The session of one command line.
pub struct Session {
    /// Global options.
    pub global: Global,
    /// The environment, read by `main`.
    pub environment: Environment,
    /// Streams for results and notes.
    pub streams: Streams,
    /// Remarks about the workspace's secrets, for long-running commands.
    pub remarks: Vec<Report>,
    /// Texts of recipes and tests that count instead of those in the files.
    pub(super) texts: BTreeMap<PathBuf, String>,
}

impl Session {
    pub(super) fn new(global: Global, environment: Environment, streams: Streams) -> Self {
        Self { global, environment, streams, remarks: Vec::new(), texts: BTreeMap::new() }
    }

    /// Whether standard output is coloured.
    pub fn colour(&self) -> bool {
        self.streams.output_is_terminal && self.colours()
    }

    /// Whether standard error is coloured.
    pub fn colour_on_errors(&self) -> bool {
        self.streams.errors_is_terminal && self.colours()
    }

    fn colours(&self) -> bool {
        !self.global.no_color && self.environment.get("NO_COLOR").is_none()
    }

    /// `path`, relative to the working directory.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.environment.directory.join(path)
    }

    /// The bytes of the recipe or test at `path`.
    pub(super) fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        match self.texts.get(path) {
            Some(text) => Ok(text.clone().into_bytes()),
            None => std::fs::read(path),
        }
    }

    /// The text of the recipe or test at `path`.
    pub(super) fn read_text(&self, path: &Path) -> std::io::Result<String> {
        match self.texts.get(path) {
            Some(text) => Ok(text.clone()),
            None => std::fs::read_to_string(path),
        }
    }

    /// The workspace's folder: from `--workspace`, or the nearest one above the first of `paths` or the working
    /// directory.
    pub fn root(&self, paths: &[PathBuf]) -> Result<Option<PathBuf>, Failure> {
        if let Some(folder) = &self.global.workspace {
            let folder = self.path(folder);
            if !folder.join(workspace::FILE).is_file() {
                let reason = anyhow!("no {} in {}", workspace::FILE, folder.display());
                return Err(Failure::usage(reason));
            }
            return Ok(Some(folder));
        }
        let from = match paths.first().filter(|path| path.as_os_str() != "-") {
            Some(path) => self.path(path),
            None => self.environment.directory.clone(),
        };
        Ok(workspace::find(&from))
    }

    /// The catalog, including the workspace's connectors.
    pub fn catalog(&self) -> Result<Arc<Catalog>, Failure> {
        let catalog = match self.root(&[])? {
            Some(root) => {
                workspace::catalog(&root).map_err(|error| Failure::problem(self.as_shown(error)))?
            }
            None => Catalog::built_in(),
        };
        Ok(Arc::new(catalog))
    }

    /// Opens the workspace at `root`; its mistakes are in the report.
    pub fn open(&mut self, root: &Path) -> Result<Opened, Failure> {
        let shown = self.shown(&root.join(workspace::FILE));
        let Dotenv { variables, report: dotenv } = self.variables(root)?;
        let mut opened = Workspace::open(root, &shown, &variables)
            .map_err(|error| Failure::workspace(self.as_shown(error)))?;
        opened.remarks.push(dotenv);
        // Secrets learned later by its connections are redacted everywhere, too.
        opened.redactor.include(&self.streams.redactor);
        self.streams.redactor = opened.redactor.clone();
        self.streams.hide([]);
        Ok(opened)
    }

    /// The workspace, which must exist and be valid; its mistakes are shown.
    pub fn workspace(&mut self, paths: &[PathBuf]) -> Result<Workspace, Failure> {
        let Some(root) = self.root(paths)? else {
            let reason = match workspace::is_special(&self.environment.directory.join(workspace::FILE)) {
                true => "hob.yaml is a pipe or a device, not a file",
                false => {
                    "no hob.yaml here or in a folder above; `hob init` makes a workspace, --workspace names one"
                }
            };
            return Err(Failure::usage(anyhow!(reason)));
        };
        let Opened { workspace, report, remarks, .. } = self.open(&root)?;
        self.remarks = remarks;
        match workspace {
            Some(workspace) => Ok(workspace),
            None => {
                self.show(&report);
                Err(Failure::problem(anyhow!("{} has mistakes", report.file.name())))
            }
        }
    }

    /// The workspace, or its sandbox.
    pub fn workspace_or_its_sandbox(
        &mut self,
        paths: &[PathBuf],
        choice: StoreChoice,
    ) -> Result<Workspace, Failure> {
        let workspace = self.workspace(paths)?;
        Ok(if choice.sandbox { workspace.in_sandbox() } else { workspace })
    }

    /// The sandbox of the workspace, or a sandbox without a workspace.
    pub fn workspace_or_sandbox(&mut self, paths: &[PathBuf]) -> Result<Workspace, Failure> {
        match self.root(paths)? {
            Some(_) => self.workspace(paths).map(Workspace::in_sandbox),
            None => {
                let bare = Workspace::bare(&self.environment.directory, Arc::new(Catalog::built_in()));
                Ok(bare.in_sandbox())
            }
        }
    }

    /// The store named by `text` in the syntax of `store:` in hob.yaml; `${NAME}` is a variable.
    pub fn store(&mut self, text: &str, root: &Path) -> Result<Store, Failure> {
        let named = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let text = match named {
            None => text.to_owned(),
            Some(name) => self
                .variables(root)?
                .variables
                .remove(name)
                .ok_or_else(|| Failure::usage(anyhow!("the variable `{name}` is not set")))?,
        };
        let store = Store::parse(&text, root).map_err(Failure::usage)?;
        self.streams.hide(store.secrets());
        Ok(store)
    }

    /// Shows diagnostics as notes.
    pub fn show(&mut self, report: &Report) {
        if !report.diagnostics.is_empty() {
            let text = render(&report.file, &report.diagnostics, self.colour_on_errors());
            self.streams.note_coloured(&format!("{text}\n"));
        }
    }

    /// The error with file names as displayed.
    pub fn as_shown(&self, error: workspace::Error) -> workspace::Error {
        let workspace::Error::Connectors(reports) = error else { return error };
        let shown = reports.into_iter().map(|Report { file, diagnostics }| {
            let file = SourceFile::new(self.shown(Path::new(file.name())), file.text());
            Report { file, diagnostics }
        });
        workspace::Error::Connectors(shown.collect())
    }

    /// `path` as displayed: relative if below the working directory.
    pub fn shown(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.environment.directory).unwrap_or(path);
        printable::line(&relative.display().to_string(), MAX_PATH)
    }

    /// The environment, with defaults from the workspace's `.env`.
    fn variables(&self, root: &Path) -> Result<Dotenv, Failure> {
        let mut dotenv = workspace::dotenv(root).map_err(Failure::usage)?;
        dotenv.variables.extend(self.environment.variables.clone());
        let Report { file, diagnostics } = dotenv.report;
        let file = file.called(self.shown(&root.join(file.name())));
        Ok(Dotenv { report: Report { file, diagnostics }, ..dotenv })
    }
}
