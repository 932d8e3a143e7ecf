//! `hob catalog list`: operations, all or by a few words.

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::catalog::{Operation, OperationKind};
use crate::cli::table::table;
use crate::cli::{ExitCode, Failure, Format, Output, Session};
use crate::reference::{kinds, request_line};

/// List operations, or those that match a few words
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hob catalog list\n  hob catalog list contact tag\n  \
hob catalog list invoice --kind action\n  hob catalog list --kind poller --format json")]
pub struct List {
    /// Words that must all occur in id, title, summary or path
    query: Vec<String>,
    /// Only those that a trigger can poll, or that a recipe can do
    #[arg(long, value_enum)]
    kind: Option<KindName>,
    /// Only those of this connector
    #[arg(long, value_name = "NAME")]
    connector: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// A kind of operation, as the command line writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KindName {
    /// Allowed after `poll:`.
    Poller,
    /// Allowed after `do:`.
    Action,
}

/// An operation in the list. Scripts rely on these fields.
#[derive(Debug, Serialize)]
struct Row<'a> {
    id: &'a str,
    title: &'a str,
    connector: &'a str,
    kinds: &'a [OperationKind],
    method: Option<&'a str>,
    path: Option<&'a str>,
    version: Option<&'a str>,
    scopes: &'a [String],
    deprecated: bool,
}

impl List {
    /// Prints the list.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let catalog = session.catalog()?;
        let found: Vec<&Operation> =
            catalog.operations().map(AsRef::as_ref).filter(|operation| self.wants(operation)).collect();
        match self.output.format {
            Format::Json => {
                let rows: Vec<Row<'_>> = found.into_iter().map(row).collect();
                session.streams.json(&rows)?;
            }
            Format::Text if found.is_empty() => session.streams.note("no operation matches"),
            Format::Text => {
                let cells = found.iter().map(|operation| {
                    vec![
                        operation.id.clone(),
                        kinds(operation),
                        request_line(operation),
                        operation.title.clone(),
                    ]
                });
                session.streams.show(table(&["ID", "KINDS", "REQUEST", "TITLE"], cells))?;
            }
        }
        Ok(ExitCode::Fine)
    }

    fn wants(&self, operation: &Operation) -> bool {
        let kind = match self.kind {
            None => true,
            Some(KindName::Poller) => operation.is_poller(),
            Some(KindName::Action) => operation.is_action(),
        };
        let Operation { id, title, summary, path, .. } = operation;
        let text = format!("{id} {title} {summary} {path}").to_lowercase();
        let words = self.query.iter().flat_map(|query| query.split_whitespace());
        kind && self.connector.as_ref().is_none_or(|name| *name == operation.connector)
            && words.into_iter().all(|word| text.contains(&word.to_lowercase()))
    }
}

fn row(operation: &Operation) -> Row<'_> {
    Row {
        id: &operation.id,
        title: &operation.title,
        connector: &operation.connector,
        kinds: &operation.kinds,
        method: Some(operation.method.as_str()).filter(|method| !method.is_empty()),
        path: Some(&*operation.path).filter(|path| !path.is_empty()),
        version: operation.version.as_deref(),
        scopes: &operation.scopes,
        deprecated: operation.deprecated,
    }
}
