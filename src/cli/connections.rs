//! `hob connections`: the accounts of a workspace, without their secrets.

use clap::Args;
use serde::Serialize;

use super::table::table;
use super::{ExitCode, Failure, Format, Output, Session};
use crate::clock::Clock;
use crate::workspace::Account;

/// List the workspace's connections
#[derive(Debug, Args)]
#[command(
    after_help = "CONNECTED is empty for connections that do not need `hob connect`.\n\nExamples:\n  hob connections\n  hob connections --format json"
)]
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
    /// Whether somebody has consented; null where nobody needs to.
    connected: Option<bool>,
}

impl Connections {
    /// Prints the list.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace(&[])?;
        let clock = Clock::system();
        let rows: Vec<Row> = workspace.accounts.values().map(|account| row(account, &clock)).collect();
        match self.output.format {
            Format::Json => session.streams.json(&rows)?,
            Format::Text if rows.is_empty() => session.streams.note("hob.yaml has no connections"),
            Format::Text => {
                let cells = rows.into_iter().map(|row| {
                    let settings: Vec<String> =
                        row.settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
                    let connected = match row.connected {
                        None => "",
                        Some(true) => "yes",
                        Some(false) => "no",
                    };
                    let address = row.base_url.unwrap_or_default();
                    vec![row.name, row.connector, connected.into(), address, settings.join(" ")]
                });
                let columns = ["NAME", "CONNECTOR", "CONNECTED", "ADDRESS", "SETTINGS"];
                session.streams.say(table(&columns, cells))?;
            }
        }
        Ok(ExitCode::Fine)
    }
}

fn row(account: &Account, clock: &Clock) -> Row {
    Row {
        name: account.name.clone(),
        connector: account.connector.connector.clone(),
        base_url: account.base_url.clone().or_else(|| account.connector.base_url.clone()),
        settings: account.settings.clone(),
        connected: account.is_connected(clock),
    }
}
