//! `/connections`: the accounts, whether their credentials work, and what is left of their budgets.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::Serialize;

use super::budget_uses::BudgetUses;
use super::context::DashboardContext;
use super::page_error::PageError;
use super::state::Dashboard;
use super::visitor::Visitor;
use crate::connection::CounterState;
use crate::journal::{Error, HeldConnection};
use crate::overview::BudgetRow;
use crate::secret::shown_address;
use crate::workspace::ConnectionConfig;

/// Unfinished runs that are looked at: with very many, the page tells that there are more.
const MAX_UNFINISHED: usize = 10_000;

#[derive(Serialize)]
struct Page<'a> {
    connections: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    connector: &'a str,
    address: Option<String>,
    /// The address in hob.yaml, if the sandbox is in its place.
    instead_of: Option<String>,
    settings: Vec<(&'a String, &'a String)>,
    /// Whether a person has consented; null if not needed.
    connected: Option<bool>,
    /// When the consent ends, if nothing renews it.
    ends: Option<DateTime<Utc>>,
    scopes: Option<&'a [String]>,
    unset: &'a [String],
    held: Option<&'a HeldConnection>,
    budget: Option<BudgetRow>,
    uses: Option<BudgetUses>,
    /// Whether all runs that wait are counted.
    all_seen: bool,
}

/// The page.
pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let DashboardContext { services, workspace, sandbox } = dashboard.context();
    let status = dashboard.status().await?;
    let mut budgets = dashboard.budgets().await?;
    let configured = |account: &ConnectionConfig| {
        let address = account.base_url.as_ref().or(account.connector.base_url.as_ref());
        address.map(|url| shown_address(url))
    };
    let now = services.clock.now();
    let connections = workspace.accounts.values().map(|account| {
        let stand_in = sandbox.then(|| services.connections.get(&account.name)).flatten();
        let (address, instead_of, settings) = match stand_in {
            Some(stand_in) => (Some(stand_in.base_url.to_string()), configured(account), &stand_in.settings),
            None => (configured(account), None, &account.settings),
        };
        let (budget, uses, all_seen) = match budgets.swap_remove(&account.name) {
            Some((budget, uses, all_seen)) => (Some(budget), Some(uses), all_seen),
            None => (None, None, true),
        };
        Row {
            name: &account.name,
            connector: &account.connector.connector,
            address,
            instead_of,
            settings: settings.iter().collect(),
            connected: account.is_connected(&services.clock).filter(|_| stand_in.is_none()),
            ends: account.consent_ends(now).flatten().filter(|_| stand_in.is_none()),
            scopes: account.listed_scopes(),
            // The sandbox needs no credentials.
            unset: if stand_in.is_some() { &[] } else { &account.unset },
            held: status.held.iter().find(|held| held.connection == account.name),
            budget,
            uses,
            all_seen,
        }
    });
    let connections = connections.collect();
    dashboard.page("connections.html", &visitor, &Page { connections })
}

impl Dashboard {
    /// The budgets by connection, with who uses them, and whether all runs that wait for it are counted.
    async fn budgets(&self) -> Result<IndexMap<String, (BudgetRow, BudgetUses, bool)>, Error> {
        let services = self.services();
        let (journal, now) = (services.journal.as_ref(), services.clock.now());
        let mut states: IndexMap<&String, CounterState> = IndexMap::new();
        for (name, connection) in services.connections.iter() {
            let stored = journal.limits(connection.budget.account()).await?.text;
            states.insert(name, connection.budget.state(&stored, now));
        }
        let (unfinished, cursors) =
            (journal.unfinished(Some(MAX_UNFINISHED)).await?, journal.cursors().await?);
        let seen: u64 = unfinished.iter().map(|runs| runs.count).sum();
        let all_seen = seen < MAX_UNFINISHED as u64;
        let budget = |(name, state): (&&String, &CounterState)| {
            let shares = |(other, known): (&&String, &CounterState)| {
                (other != name && known.account == state.account).then(|| (*other).clone())
            };
            let shared_with = states.iter().filter_map(shares).collect();
            let connection = services.connections.get(*name)?;
            let uses = BudgetUses::of(connection, state, self.began(), now);
            let row = BudgetRow::new(name, state, shared_with, &unfinished, &cursors, now);
            Some(((*name).clone(), (row, uses, all_seen)))
        };
        Ok(states.iter().filter_map(budget).collect())
    }
}
