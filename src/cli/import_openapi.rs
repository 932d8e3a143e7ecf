//! `hob import openapi`: connector files from descriptions.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::replace_file::replace_file;
use super::table::table;
use super::{ExitCode, Failure, Format, Output, Session};
use crate::catalog::{Catalog, FileKind};
use crate::import::{Document, Error, Imported, MARK, Report, Treatment, import, name_for};
use crate::workspace::ConnectorFolder;

/// Make a connector from an API description
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// From OpenAPI 3.0 and 3.1 documents, JSON or YAML
    Openapi(Openapi),
}

/// Make a connector from OpenAPI 3.0 and 3.1 documents
#[derive(Debug, Args)]
#[command(
    after_help = "Writes into the workspace's connectors/NAME (--out chooses another folder): files of \
operations, which every import rewrites, and a connector.yaml for you to complete, which is written once. \
Put corrections into overlay.yaml beside them; the next import applies them to the description.\n\n\
Examples:\n  hob import openapi petshop.yaml\n  hob import openapi api/ --name shop --dry-run\n  \
hob import openapi petshop.json --report findings.json"
)]
pub struct Openapi {
    /// Documents, or folders of them; references between them are followed
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The connector's name, which the ids of its operations begin with [default: from the title]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The folder to write into [default: connectors/NAME of the workspace]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Corrections [default: overlay.yaml in the folder, if there is one]
    #[arg(long, value_name = "FILE")]
    overlay: Option<PathBuf>,
    /// Write every finding, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Show what would be written, but write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
}

impl Openapi {
    /// Imports.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let files = self.documents(session).map_err(Failure::usage)?;
        let documents: Vec<Document<'_>> = files.iter().map(|(path, text)| Document { path, text }).collect();
        let name = self.name(session, &documents)?;
        let out = self.folder(session, &name)?;
        let existing = ConnectorFolder::read(&out).map_err(Failure::usage)?;
        let overlay = self.overlay(session, &existing).map_err(Failure::usage)?;
        let imported = import(&documents, overlay.as_deref(), &name).map_err(failure)?;
        let folder = Folder::plan(&out, existing, &imported).map_err(Failure::problem)?;
        folder.check(&name).map_err(Failure::problem)?;
        if !self.dry_run {
            folder.write().map_err(Failure::unavailable)?;
        }
        if let Some(path) = &self.report {
            let text = format!("{:#}\n", json!(imported.report));
            let path = session.path(path);
            let context = || format!("cannot write {}", path.display());
            fs::write(&path, text).with_context(context).map_err(Failure::unavailable)?;
        }
        self.print_summary(session, &name, &imported, &folder)?;
        Ok(ExitCode::Fine)
    }

    /// Path as given and text of each document.
    fn documents(&self, session: &Session) -> anyhow::Result<Vec<(String, String)>> {
        let mut paths = BTreeSet::new();
        for file in &self.files {
            collect(&session.path(file), file.is_dir(), &mut paths)?;
        }
        if paths.is_empty() {
            bail!("no .json, .yaml or .yml files found");
        }
        paths.into_iter().map(|path| Ok((session.shown(&path), read(&path)?))).collect()
    }

    /// The name: from `--name`, the folder's existing connector, or the title.
    fn name(&self, session: &Session, documents: &[Document<'_>]) -> Result<String, Failure> {
        let existing = self.out.as_ref().map(|out| ConnectorFolder::read(&session.path(out)));
        let existing = existing.transpose().map_err(Failure::usage)?;
        let called = || existing.and_then(|folder| folder.connector());
        let name = match self.name.clone().or_else(called) {
            Some(name) => Some(name),
            None => name_for(documents).map_err(failure)?,
        };
        let Some(name) = name else {
            return Err(Failure::usage(anyhow!(
                "the documents have no title to name the connector after; give --name"
            )));
        };
        let first = name.starts_with(|c: char| c.is_ascii_lowercase());
        if !first || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
            let reason = format!("`{name}` cannot name a connector; use lower-case letters, digits and _");
            return Err(Failure::usage(anyhow!(reason)));
        }
        Ok(name)
    }

    fn folder(&self, session: &Session, name: &str) -> Result<PathBuf, Failure> {
        Ok(match (&self.out, session.root(&[])?) {
            (Some(out), _) => session.path(out),
            (None, Some(root)) => root.join("connectors").join(name),
            (None, None) => session.path(Path::new("connectors")).join(name),
        })
    }

    fn overlay(&self, session: &Session, existing: &ConnectorFolder) -> anyhow::Result<Option<String>> {
        match &self.overlay {
            Some(path) => read(&session.path(path)).map(Some),
            None => Ok(existing.file(FileKind::Overlay).map(|(_, text)| text.clone())),
        }
    }

    fn print_summary(
        &self,
        session: &mut Session,
        name: &str,
        imported: &Imported,
        folder: &Folder,
    ) -> Result<(), Failure> {
        let report = &imported.report;
        let shown = session.shown(&folder.path);
        if self.output.format == Format::Json {
            let files: Vec<&str> = folder.files.iter().map(|(name, _)| name.as_str()).collect();
            let told = json!({ "connector": name, "folder": shown, "written": !self.dry_run, "files": files,
                "removed": folder.stale, "report": report });
            session.streams.json(&told)?;
            return Ok(());
        }
        session.streams.show(format!(
            "{name}: {} operations from {} described in {}; {} pollers, {} derived by rule, {} of these with certainty",
            report.operations,
            report.described,
            counted(report.documents, "document"),
            report.pollers,
            report.pollers_derived,
            report.pollers_certain
        ))?;
        if !report.findings.is_empty() {
            session.streams.say("")?;
            session.streams.show(findings(report))?;
        }
        session.streams.say("")?;
        let word = if self.dry_run { "would write" } else { "wrote" };
        session.streams.say(format!("{word} {} into {shown}", counted(folder.files.len(), "file")))?;
        for gone in &folder.stale {
            let word = if self.dry_run { "would remove" } else { "removed" };
            session.streams.say(format!("{word} {gone}: the documents no longer describe any of it"))?;
        }
        if self.report.is_none() && !report.findings.is_empty() {
            session.streams.note("--report FILE writes every finding with its place");
        }
        Ok(())
    }
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Document { .. } => Failure::usage(error),
        Error::Overlay { .. } | Error::Patch { .. } => Failure::problem(error),
    }
}

/// A table of findings with their counts.
fn findings(report: &Report) -> String {
    let mut counts: Vec<_> = report.counts().into_iter().collect();
    // The most important first.
    counts.sort_by_key(|(kind, count)| {
        let treatment = kind.treatment();
        (treatment == Treatment::Noted, treatment, std::cmp::Reverse(*count))
    });
    let rows = counts.into_iter().map(|(kind, count)| {
        let treatment = match kind.treatment() {
            Treatment::Dropped => "dropped",
            Treatment::Guessed => "guessed",
            Treatment::Patched => "patched",
            Treatment::Noted => "noted",
        };
        vec![treatment.to_owned(), count.to_string(), kind.name().to_owned()]
    });
    table(&["TREATED", "COUNT", "WHAT"], rows)
}

fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// The folder of a connector after an import.
struct Folder {
    path: PathBuf,
    /// Names and texts to write.
    files: Vec<(String, String)>,
    /// Files of an earlier import that are obsolete.
    stale: Vec<String>,
    /// Names and texts of files that stay.
    kept: Vec<(String, String)>,
}

impl Folder {
    /// Refuses to overwrite files that no import has written.
    fn plan(path: &Path, existing: ConnectorFolder, imported: &Imported) -> anyhow::Result<Self> {
        let mut folder =
            Self { path: path.to_path_buf(), files: imported.files.clone(), stale: vec![], kept: vec![] };
        let has_connector = existing.file(FileKind::Connector).is_some();
        for (file, text) in existing.files {
            let name = Path::new(&file).file_name().unwrap_or_default().to_string_lossy().into_owned();
            let rewritten = imported.files.iter().any(|(known, _)| *known == name);
            match (text.starts_with(MARK), rewritten) {
                (true, true) => {}
                (true, false) => folder.stale.push(name),
                (false, false) => folder.kept.push((name, text)),
                (false, true) => {
                    bail!("{file} was not written by an import; move it away, or import into another folder")
                }
            }
        }
        if !has_connector {
            folder.files.push((FileKind::Connector.to_string(), imported.connector.clone()));
        }
        Ok(folder)
    }

    /// Checks that the folder will load, before anything is written.
    fn check(&self, name: &str) -> anyhow::Result<()> {
        let shown =
            |(name, text): &(String, String)| (self.path.join(name).display().to_string(), text.clone());
        let files = self.files.iter().chain(&self.kept).map(shown).collect();
        let mut catalog = Catalog::built_in();
        catalog.add_folder(&self.path.display().to_string(), files)?;
        if catalog.connector(name).is_none() {
            bail!(
                "{}/{} is for another connector than `{name}`; import into another folder with --out",
                self.path.display(),
                FileKind::Connector
            );
        }
        Ok(())
    }

    /// Writes each file atomically.
    fn write(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.path).with_context(|| format!("cannot make {}", self.path.display()))?;
        for (name, text) in &self.files {
            let path = self.path.join(name);
            replace_file(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        for name in &self.stale {
            let path = self.path.join(name);
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }
}

/// `path`, or all documents below it.
fn collect(path: &Path, is_folder: bool, found: &mut BTreeSet<PathBuf>) -> anyhow::Result<()> {
    if !is_folder && !path.is_dir() {
        found.insert(path.to_path_buf());
        return Ok(());
    }
    let context = || format!("cannot read {}", path.display());
    for entry in fs::read_dir(path).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if path.is_dir() || ["json", "yaml", "yml"].contains(&ending) {
            collect(&path, path.is_dir(), found)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
