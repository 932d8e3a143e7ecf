//! `hob alerts list`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use crate::alert::{Alert, Delivery, rows};
use crate::cli::store::open_existing;
use crate::cli::table::table;
use crate::cli::{ExitCode, Failure, Format, Output, Session, runtime};
use crate::journal::Access;
use crate::overview::time;
use crate::workspace::AlertKind;

/// List open alerts, who was told of them, and what is still to be told
#[derive(Debug, Args)]
#[command(
    after_help = "Shows what a running hob has last found; `hob status` looks anew. TOLD are those who know of the alert, \
WAITING those to whom something is still to be sent: during quiet hours, or because they cannot be reached.\n\n\
Examples:\n  hob alerts list\n  hob alerts list --format json"
)]
pub struct List {
    #[command(flatten)]
    output: Output,
}

/// An alert. Scripts rely on these fields.
#[derive(Debug, Serialize)]
struct AlertRow {
    id: String,
    kind: AlertKind,
    summary: String,
    recipe: Option<String>,
    connections: Vec<String>,
    /// The most runs that it had at once.
    runs: u64,
    opened: DateTime<Utc>,
    /// When it ended; null while it is open.
    ended: Option<DateTime<Utc>>,
    /// When each destination was last told.
    told: BTreeMap<String, DateTime<Utc>>,
    /// What is still to be told.
    waiting: Vec<Delivery>,
}

impl AlertRow {
    fn new(alert: Alert) -> Self {
        Self {
            id: alert.id,
            kind: alert.kind,
            summary: alert.about.summary,
            recipe: alert.about.recipe,
            connections: alert.about.connections,
            runs: alert.runs,
            opened: alert.opened,
            ended: alert.ended.map(|end| end.at),
            told: alert.told,
            waiting: alert.deliveries,
        }
    }

    fn cells(&self) -> Vec<String> {
        let names = |names: Vec<&str>| if names.is_empty() { "-".to_owned() } else { names.join(", ") };
        let told = names(self.told.keys().map(String::as_str).collect());
        let waiting = names(self.waiting.iter().map(|delivery| delivery.to.as_str()).collect());
        let runs = if self.runs == 0 { "-".to_owned() } else { self.runs.to_string() };
        let state = if self.ended.is_some() { "over" } else { self.kind.name() };
        let opened = time(self.opened);
        vec![self.id.clone(), state.to_owned(), opened, runs, told, waiting, self.summary.clone()]
    }
}

impl List {
    /// Prints them.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace(&[])?;
        let stored = runtime::block_on(async {
            let Some(journal) = open_existing(&workspace, Access::Client).await? else {
                return Ok(Vec::new());
            };
            let stored = journal.alerts().await.map_err(Failure::unavailable);
            journal.close().await;
            stored
        })??;
        let alerts = rows(stored).into_values().filter_map(|row| row.alert);
        let live = alerts.filter(|alert| alert.is_open() || !alert.deliveries.is_empty());
        let mut listed: Vec<AlertRow> = live.map(AlertRow::new).collect();
        listed.sort_by_key(|alert| (alert.ended.is_some(), alert.kind, alert.opened));
        match self.output.format {
            Format::Json => session.streams.json(&listed)?,
            Format::Text if listed.is_empty() => session.streams.note("no alert is open"),
            Format::Text => {
                let columns = ["ID", "KIND", "SINCE", "RUNS", "TOLD", "WAITING", "WHAT"];
                session.streams.show(table(&columns, listed.iter().map(AlertRow::cells)))?;
            }
        }
        Ok(ExitCode::Fine)
    }
}
