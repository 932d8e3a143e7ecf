//! `hob connections`: the accounts of a workspace, without their secrets.

use clap::Args;
use serde::Serialize;

use super::recipes::Recipes;
use super::scopes::{NeededScope, NeededScopes, paragraph};
use super::store::open_existing;
use super::table::table;
use super::{ExitCode, Failure, Format, Output, Session, runtime};
use crate::clock::Clock;
use crate::journal::{Access, HeldConnection};
use crate::secret::shown_address;
use crate::workspace::{ConnectionConfig, Workspace};

/// List the workspace's connections
#[derive(Debug, Args)]
#[command(
    after_help = "CONNECTED is empty for connections that do not need `hob connect`. A connection whose credential is \
refused is held: its polls and runs wait until the credential works.\n\nExamples:\n  hob connections\n  \
hob connections --scopes\n  hob connections --format json"
)]
pub struct Connections {
    /// List what the recipes need of each connection's token: scopes, with the recipes and operations that need each
    #[arg(long)]
    scopes: bool,
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
    /// Whether a person has consented; null if not needed.
    connected: Option<bool>,
    /// Why it is held and since when, if its credential is refused.
    held: Option<HeldConnection>,
    /// What recipes need, with `--scopes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<NeededScope>>,
}

impl Connections {
    /// Prints the list.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace(&[])?;
        let clock = Clock::system();
        let held = held(session, &workspace)?;
        let needed = if self.scopes { Some(needed(session, &workspace)?) } else { None };
        let row = |account| row(account, &clock, &held, needed.as_ref());
        let rows: Vec<Row> = workspace.accounts.values().map(row).collect();
        match self.output.format {
            Format::Json => session.streams.json(&rows)?,
            Format::Text if rows.is_empty() => session.streams.note("hob.yaml has no connections"),
            Format::Text => {
                let lines: Vec<String> = rows.iter().filter_map(|row| row.held.as_ref().map(line)).collect();
                let scopes: Vec<String> = rows.iter().filter_map(scopes).collect();
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
                session.streams.show(table(&columns, cells))?;
                lines.into_iter().chain(scopes).try_for_each(|line| session.streams.show(line))?;
            }
        }
        Ok(ExitCode::Fine)
    }
}

/// Held connections according to the store; none if it is unreachable.
fn held(session: &mut Session, workspace: &Workspace) -> Result<Vec<HeldConnection>, Failure> {
    let asked = runtime::block_on(async {
        match open_existing(workspace, Access::Client).await? {
            Some(journal) => journal.held_connections().await.map_err(Failure::unavailable),
            None => Ok(Vec::new()),
        }
    })?;
    asked.or_else(|failure| {
        session.streams.note(format!("warning: whether a connection is held is not known: {failure}"));
        Ok(Vec::new())
    })
}

/// What the workspace's recipes need. Invalid recipes are reported, because their needs are unknown.
fn needed(session: &mut Session, workspace: &Workspace) -> Result<NeededScopes, Failure> {
    let recipes = Recipes::load(session, &[], &workspace.catalog, Some(workspace))?;
    for recipe in &recipes.broken {
        session.streams.note(format!("warning: left out: {recipe}; `hob validate` tells more"));
    }
    Ok(NeededScopes::collect(&recipes))
}

fn scopes(row: &Row) -> Option<String> {
    Some(paragraph(&row.name, &row.connector, row.scopes.as_ref()?))
}

fn line(held: &HeldConnection) -> String {
    format!("\n{} (since {})", held.reason, held.since.format("%Y-%m-%d %H:%M:%SZ"))
}

fn row(
    account: &ConnectionConfig,
    clock: &Clock,
    held: &[HeldConnection],
    needed: Option<&NeededScopes>,
) -> Row {
    Row {
        held: held.iter().find(|held| held.connection == account.name).cloned(),
        name: account.name.clone(),
        connector: account.connector.connector.clone(),
        base_url: account
            .base_url
            .as_ref()
            .or(account.connector.base_url.as_ref())
            .map(|url| shown_address(url)),
        settings: account.settings.clone(),
        connected: account.is_connected(clock),
        scopes: needed.map(|needed| needed.on(account)),
    }
}
