//! What became of the records of which hob has events. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::finding::{Finding, What};
use crate::journal::{HeldConnection, PauseSubject, Paused, RunRow};
use crate::run::{Accounts, RunState};

/// What holds back runs of a recipe.
#[derive(Debug, Default)]
pub(super) struct Obstacles {
    /// What is paused.
    pub(super) paused: Paused,
    /// The connections whose credential is refused.
    pub(super) held: Vec<HeldConnection>,
}

impl Obstacles {
    /// The pause of the recipe, everywhere or on one of the accounts.
    pub(super) fn pause(&self, recipe: &str, accounts: &Accounts) -> Option<(PauseSubject, DateTime<Utc>)> {
        self.paused.of(recipe, accounts.values())
    }

    /// The refused credential of one of the accounts.
    pub(super) fn hold(&self, accounts: &Accounts) -> Option<&HeldConnection> {
        self.held.iter().find(|held| accounts.values().any(|name| *name == held.connection))
    }
}

/// The command that resumes it.
pub(super) fn resume(what: &PauseSubject) -> String {
    match &what.connection {
        None => format!("hob resume {}", what.recipe),
        Some(connection) => format!("hob resume {} --connection {connection}", what.recipe),
    }
}

/// The runs about one record, grouped.
pub(super) fn by_record(rows: Vec<RunRow>) -> BTreeMap<String, Vec<RunRow>> {
    let mut groups: BTreeMap<String, Vec<RunRow>> = BTreeMap::new();
    for row in rows {
        if let Some(record) = row.record.clone() {
            groups.entry(record).or_default().push(row);
        }
    }
    groups
}

/// The run that says what became of a record, of its runs from the oldest to the newest. One that was dropped does not
/// make up for a failed one before it; a parked one keeps later ones from running.
pub(super) fn decisive(rows: &[RunRow]) -> Option<&RunRow> {
    let newest_first = || rows.iter().rev();
    let parked = newest_first().find(|row| row.state == RunState::Parked);
    let dropped = |state| matches!(state, RunState::Filtered | RunState::Suppressed);
    parked.or_else(|| newest_first().find(|row| !dropped(row.state))).or(rows.last())
}

/// The finding of the run that says what became of a record, unless all is well with it.
pub(super) fn finding(row: &RunRow, accounts: &Accounts, obstacles: &Obstacles) -> Option<Finding> {
    let (id, recipe) = (&row.id, &row.recipe);
    let reason = row.error.clone().unwrap_or_else(|| format!("its run is {}", row.state));
    let (what, why, todo) = match row.state {
        RunState::Succeeded | RunState::Filtered | RunState::Suppressed | RunState::Skipped => return None,
        RunState::Failed => (What::Failed, reason, format!("mend the cause, then: hob runs retry {id}")),
        RunState::Parked => {
            (What::Parked, reason, format!("hob runs show {id}; then: hob runs resolve {id}"))
        }
        RunState::Waiting | RunState::Running => {
            match (obstacles.pause(recipe, accounts), obstacles.hold(accounts)) {
                (Some((what, _)), _) => (What::Paused, format!("{what} is paused"), resume(&what)),
                (None, Some(held)) => (
                    What::Held,
                    format!("the connection `{}` is held: {}", held.connection, held.reason),
                    "give it a credential that works; its runs go on by themselves".to_owned(),
                ),
                (None, None) => (What::OnItsWay, reason, String::new()),
            }
        }
    };
    Some(Finding {
        record: row.record.clone(),
        recipe: recipe.clone(),
        what,
        since: Some(row.created),
        why,
        run: Some(id.clone()),
        todo,
        fields: Vec::new(),
        mended: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunId;

    fn row(id: &str, state: RunState) -> RunRow {
        RunRow {
            id: RunId(id.to_owned()),
            recipe: "r".to_owned(),
            state,
            record: Some("1".to_owned()),
            created: DateTime::<Utc>::MIN_UTC,
            finished: None,
            error: None,
            entries: 0,
        }
    }

    fn verdict(states: &[RunState]) -> Option<What> {
        let rows: Vec<_> = states.iter().map(|state| row("run", *state)).collect();
        finding(decisive(&rows)?, &Accounts::default(), &Obstacles::default()).map(|finding| finding.what)
    }

    #[test]
    fn the_last_run_that_did_something_counts() {
        use RunState::{Failed, Filtered, Parked, Skipped, Succeeded, Suppressed, Waiting};
        for (states, expected) in [
            (&[][..], None),
            (&[Failed], Some(What::Failed)),
            (&[Failed, Succeeded], None),
            (&[Succeeded, Failed], Some(What::Failed)),
            (&[Failed, Suppressed], Some(What::Failed)),
            (&[Failed, Filtered], Some(What::Failed)),
            (&[Filtered], None),
            (&[Suppressed], None),
            (&[Succeeded, Filtered], None),
            (&[Failed, Skipped], None),
            (&[Parked, Waiting], Some(What::Parked)),
            (&[Failed, Waiting], Some(What::OnItsWay)),
        ] {
            assert_eq!(verdict(states), expected, "{states:?}");
        }
    }
}
