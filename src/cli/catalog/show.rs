//! `hob catalog show`: all about one operation.

use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};

use crate::catalog::Operation;
use crate::cli::{ExitCode, Failure, Format, Output, Session};
use crate::diagnostic::closest;
use crate::reference;

/// Show an operation: inputs, scopes, paging, result, notes, a recipe to start from
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hob catalog show contacts.upsert\n  \
hob catalog show contacts.upsert --format json")]
pub struct Show {
    /// The operation's id
    #[arg(value_name = "OP")]
    operation: String,
    #[command(flatten)]
    output: Output,
}

impl Show {
    /// Prints the page.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let catalog = session.catalog()?;
        let Some(operation) = catalog.operation(&self.operation) else {
            let known = catalog.operations().map(|operation| operation.id.as_str());
            return Err(Failure::usage(unknown(&self.operation, known)));
        };
        match self.output.format {
            Format::Text => session.streams.print(&reference::operation(operation, &catalog))?,
            Format::Json => session.streams.json(&whole(operation))?,
        }
        Ok(ExitCode::Fine)
    }
}

/// The error for an unknown operation.
pub fn unknown<'a>(id: &str, known: impl IntoIterator<Item = &'a str>) -> anyhow::Error {
    match closest(id, known) {
        Some(suggestion) => anyhow!("no operation `{id}`; {suggestion}"),
        None => anyhow!("no operation `{id}`; `hob catalog list WORDS` finds one"),
    }
}

fn whole(operation: &Operation) -> Value {
    let mut value = json!({ "id": operation.id, "connector": operation.connector });
    if let (Some(all), Ok(Value::Object(own))) = (value.as_object_mut(), serde_json::to_value(operation)) {
        all.extend(own);
        all.insert("recipes".into(), json!(reference::snippets(operation)));
    }
    value
}
