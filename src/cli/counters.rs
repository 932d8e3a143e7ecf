//! The counters of a workspace's connections, from its settings and its store.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;

use super::Failure;
use crate::clock::Clock;
use crate::connection::{BudgetSettings, CounterState, TransportSettings, http_client};
use crate::journal::Journal;
use crate::workspace::{ConnectionConfig, Workspace};

/// The counters of each connection, by its name. Nothing is sent, and credentials need not be set.
pub(super) async fn counter_states(
    workspace: &Workspace,
    journal: Option<&dyn Journal>,
    now: DateTime<Utc>,
) -> Result<IndexMap<String, CounterState>, Failure> {
    let http = http_client(&TransportSettings::default()).map_err(Failure::unavailable)?;
    let mut states = IndexMap::new();
    for account in workspace.accounts.values() {
        let state = match account.connect(&http, &Clock::system()) {
            Ok(connection) => {
                let budget = &connection.budget;
                let stored = match journal {
                    Some(journal) => {
                        journal.limits(budget.account()).await.map_err(Failure::unavailable)?.text
                    }
                    None => String::new(),
                };
                apart_if_unset(account, budget.state(&stored, now))
            }
            // Its address is not set: it shares nothing that is known.
            Err(_) => alone(account),
        };
        states.insert(account.name.clone(), state);
    }
    Ok(states)
}

/// Credentials that are not set are not the same credential.
fn apart_if_unset(account: &ConnectionConfig, state: CounterState) -> CounterState {
    if account.unset.is_empty() {
        return state;
    }
    let by_credential = account.connector.limits.counters.is_empty();
    let account_name = if by_credential { account.name.clone() } else { state.account.clone() };
    CounterState { account: account_name, window: account.name.clone(), ..state }
}

fn alone(account: &ConnectionConfig) -> CounterState {
    let BudgetSettings { burst, daily } = account.budget;
    let limits = &account.connector.limits;
    CounterState {
        account: account.name.clone(),
        window: account.name.clone(),
        burst: burst.or_else(|| limits.burst.as_ref()?.parse().ok()),
        burst_is_learned: false,
        daily: daily.or(limits.daily),
        daily_is_learned: false,
        remaining: None,
        period: None,
    }
}
