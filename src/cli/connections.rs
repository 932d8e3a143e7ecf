//! `hob connections`: the accounts of a workspace, without their secrets.

use clap::Args;
use serde::Serialize;

use super::table::table;
use super::{ExitCode, Failure, Format, Output, Session};
use crate::workspace::Account;

/// List the workspace's connections
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hob connections\n  hob connections --format json")]
pub struct Connections {
    #[command(flatten)]
    output: Output,
}

/// A connection in the list.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    connector: String,
    base_url: Option<String>,
    settings: std::collections::BTreeMap<String, String>,
}

impl Connections {
    /// Prints the list.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace(&[])?;
        let rows: Vec<Row> = workspace.accounts.values().map(row).collect();
        match self.output.format {
            Format::Json => session.streams.json(&rows)?,
            Format::Text if rows.is_empty() => session.streams.note("hob.yaml has no connections"),
            Format::Text => {
                let cells = rows.into_iter().map(|row| {
                    let settings: Vec<String> =
                        row.settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
                    vec![row.name, row.connector, row.base_url.unwrap_or_default(), settings.join(" ")]
                });
                session.streams.say(table(&["NAME", "CONNECTOR", "ADDRESS", "SETTINGS"], cells))?;
            }
        }
        Ok(ExitCode::Fine)
    }
}

fn row(account: &Account) -> Row {
    Row {
        name: account.name.clone(),
        connector: account.connector.connector.clone(),
        base_url: account.base_url.clone().or_else(|| account.connector.base_url.clone()),
        settings: account.settings.clone(),
    }
}
