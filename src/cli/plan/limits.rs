//! The limits that a plan is held against.

use indexmap::IndexMap;

use crate::connection::CounterState;
use crate::plan::{AccountCounters, LimitFrom};
use crate::workspace::{ConnectionConfig, Workspace};

/// The counters of each connection.
pub(super) fn accounts(
    workspace: &Workspace,
    states: &IndexMap<String, CounterState>,
) -> IndexMap<String, AccountCounters> {
    let counters = |account: &ConnectionConfig| {
        let state = states.get(&account.name)?;
        let counters = AccountCounters {
            connector: account.connector.connector.clone(),
            day: state.account.clone(),
            window: state.window.clone(),
            daily: state.daily,
            daily_from: from(state.daily_is_learned, account.budget.daily.is_some()),
            reserve: state.reserve().unwrap_or_default(),
            burst: state.burst,
            burst_from: from(state.burst_is_learned, account.budget.burst.is_some()),
        };
        Some((account.name.clone(), counters))
    };
    workspace.accounts.values().filter_map(counters).collect()
}

fn from(is_learned: bool, is_configured: bool) -> LimitFrom {
    match (is_learned, is_configured) {
        (true, _) => LimitFrom::Learned,
        (false, true) => LimitFrom::Configured,
        (false, false) => LimitFrom::Connector,
    }
}
