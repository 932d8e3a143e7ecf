//! `hob connections`: the accounts of a workspace, without their secrets.

use chrono::{DateTime, Utc};
use clap::Args;
use indexmap::IndexMap;
use serde::Serialize;

use super::connection_budget::budgets;
use super::counters::counter_states;
use super::recipes::Recipes;
use super::scopes::{NeededScope, NeededScopes, paragraph};
use super::store::open_existing;
use super::table::table;
use super::{ExitCode, Failure, Format, Output, Session, runtime};
use crate::clock::Clock;
use crate::connection::CounterState;
use crate::event::Cursor;
use crate::journal::{Access, HeldConnection, Unfinished};
use crate::overview::BudgetRow;
use crate::secret::shown_address;
use crate::workspace::{ConnectionConfig, Workspace};

/// List the workspace's connections
#[derive(Debug, Args)]
#[command(
    after_help = "CONNECTED is empty for connections that do not need `hob connect`. A connection whose credential is \
refused is held: its polls and runs wait until the credential works.\n\nThe second table shows the requests a day, \
used and left, how many are kept for webhooks, schedules and manual runs (polls, backfills and their runs wait when no more are \
left), when they are reset, when they run dry at the rate of the day so far, the requests allowed at once, \
and the runs and polls that wait. It is as of the last write of a running hob, which counts some requests ahead.\n\nExamples:\n  hob connections\n  \
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
    /// Its limits, what is left of them, and what waits for it.
    budget: Option<BudgetRow>,
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
        let known = known(session, &workspace, clock.now())?;
        let needed = if self.scopes { Some(needed(session, &workspace)?) } else { None };
        let row = |account| row(account, &clock, &known, needed.as_ref());
        let rows: Vec<Row> = workspace.accounts.values().map(row).collect();
        match self.output.format {
            Format::Json => session.streams.json(&rows)?,
            Format::Text if rows.is_empty() => session.streams.note("hob.yaml has no connections"),
            Format::Text => {
                let lines: Vec<String> = rows.iter().filter_map(|row| row.held.as_ref().map(line)).collect();
                let scopes: Vec<String> = rows.iter().filter_map(scopes).collect();
                let known = rows.iter().filter_map(|row| Some((row.name.as_str(), row.budget.as_ref()?)));
                let budgets = budgets(known);
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
                session.streams.show(format!("\n{budgets}"))?;
                lines.into_iter().chain(scopes).try_for_each(|line| session.streams.show(line))?;
            }
        }
        Ok(ExitCode::Fine)
    }
}

/// What the store knows of connections.
#[derive(Default)]
struct Known {
    held: Vec<HeldConnection>,
    states: IndexMap<String, CounterState>,
    unfinished: Vec<Unfinished>,
    cursors: Vec<Cursor>,
    now: DateTime<Utc>,
}

/// What the store knows; only what hob.yaml says if it is unreachable.
fn known(session: &mut Session, workspace: &Workspace, now: DateTime<Utc>) -> Result<Known, Failure> {
    runtime::block_on(async {
        let read = read(workspace, now).await;
        if let Err(failure) = &read {
            let warning =
                format!("warning: what is used, and whether a connection is held, is not known: {failure}");
            session.streams.note(warning);
        }
        match read {
            Ok(known) => Ok(known),
            Err(_) => {
                Ok(Known { states: counter_states(workspace, None, now).await?, now, ..Known::default() })
            }
        }
    })?
}

async fn read(workspace: &Workspace, now: DateTime<Utc>) -> Result<Known, Failure> {
    let Some(journal) = open_existing(workspace, Access::Client).await? else {
        return Ok(Known { states: counter_states(workspace, None, now).await?, now, ..Known::default() });
    };
    Ok(Known {
        held: journal.held_connections().await.map_err(Failure::unavailable)?,
        states: counter_states(workspace, Some(journal.as_ref()), now).await?,
        unfinished: journal.unfinished(None).await.map_err(Failure::unavailable)?,
        cursors: journal.cursors().await.map_err(Failure::unavailable)?,
        now,
    })
}

impl Known {
    /// The budget of the connection `name`.
    fn budget(&self, name: &str) -> Option<BudgetRow> {
        let state = self.states.get(name)?;
        let shares = |(other, known): (&String, &CounterState)| {
            (other != name && known.account == state.account).then(|| other.clone())
        };
        let shared_with = self.states.iter().filter_map(shares).collect();
        Some(BudgetRow::new(name, state, shared_with, &self.unfinished, &self.cursors, self.now))
    }
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

fn row(account: &ConnectionConfig, clock: &Clock, known: &Known, needed: Option<&NeededScopes>) -> Row {
    Row {
        budget: known.budget(&account.name),
        held: known.held.iter().find(|held| held.connection == account.name).cloned(),
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
