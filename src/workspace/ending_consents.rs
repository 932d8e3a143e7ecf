//! Connections whose token a person must renew.

use chrono::{DateTime, TimeDelta, Utc};

use super::Workspace;

/// How long before its end a token that cannot be renewed is a problem.
const SOON: TimeDelta = TimeDelta::days(7);

impl Workspace {
    /// Connections whose token has ended or ends soon, and cannot be renewed without a person: each with when it ends.
    pub fn ending_consents(&self, now: DateTime<Utc>) -> Vec<(String, Option<DateTime<Utc>>)> {
        let ending = self.accounts.values().filter_map(|account| {
            let ends = account.consent_ends(now)?;
            ends.is_none_or(|ends| ends < now + SOON).then(|| (account.name.clone(), ends))
        });
        ending.collect()
    }
}
