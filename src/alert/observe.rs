//! What is wrong now. Reads the journal by bounded queries.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::about::{About, kind_of, time};
use super::observation::{Observation, Seen};
use super::silence;
use super::watched::Watched;
use crate::journal::Error;
use crate::overview::{Problem, run_problems};
use crate::workspace::AlertKind;

/// How long ago failed runs may have been created.
const FAILED_WITHIN: TimeDelta = TimeDelta::days(7);
/// Budgets that run dry within this time are told.
const DRY_SOON: TimeDelta = TimeDelta::hours(1);

/// Looks at everything that is told.
pub(super) async fn observe(watch: &Watched, now: DateTime<Utc>) -> Result<Seen, Error> {
    let mut seen = Seen { observations: of_connections(watch, now), complete: true };
    let journal = watch.services.journal.as_ref();
    for held in journal.held_connections().await? {
        let about = About::of(Problem::held(&held));
        seen.observations.push(Observation::new(AlertKind::Held, &held.connection, about));
    }
    of_runs(watch, now, &mut seen).await?;
    of_polls(watch, &mut seen).await?;
    of_budgets(watch, now, &mut seen).await?;
    seen.observations.extend(silence::observe(watch, now).await?);
    Ok(seen)
}

async fn of_runs(watch: &Watched, now: DateTime<Utc>, seen: &mut Seen) -> Result<(), Error> {
    let no_new_for = TimeDelta::from_std(watch.settings.alerts.no_new_for).unwrap_or(TimeDelta::MAX);
    let ago = |time: TimeDelta| now.checked_sub_signed(time).unwrap_or(DateTime::<Utc>::MIN_UTC);
    let since = ago(FAILED_WITHIN.max(no_new_for));
    let found = run_problems(watch.services.journal.as_ref(), &watch.recipes.all(), since, "").await?;
    seen.complete = found.complete;
    for problem in found.problems {
        let (Some(kind), Some(cause)) = (kind_of(problem.kind), problem.cause.clone()) else { continue };
        let is_active = kind == AlertKind::Parked || problem.last.is_none_or(|last| last > ago(no_new_for));
        let (runs, last) = (problem.runs, problem.last);
        let observation = Observation::new(kind, &cause, About::of(problem));
        seen.observations.push(Observation { id: cause, runs, last, is_active, ..observation });
    }
    Ok(())
}

async fn of_polls(watch: &Watched, seen: &mut Seen) -> Result<(), Error> {
    for cursor in watch.services.journal.cursors().await? {
        // A cursor outlives its recipe and its connection.
        let connection = cursor.health.connection.as_deref().unwrap_or_default();
        let is_current = watch.recipes.current(cursor.key.recipe()).is_some()
            && watch.settings.accounts.contains_key(connection);
        let fails = cursor.failures >= watch.settings.alerts.poll_failures;
        if let Some(problem) = Problem::failing_poll(&cursor).filter(|_| is_current && fails) {
            let about = About::of(problem);
            seen.observations.push(Observation::new(AlertKind::Poll, &cursor.key.0, about));
        }
    }
    Ok(())
}

/// Tokens that end soon.
fn of_connections(watch: &Watched, now: DateTime<Utc>) -> Vec<Observation> {
    let soon = TimeDelta::from_std(watch.settings.alerts.token).unwrap_or(TimeDelta::MAX);
    let soon = now.checked_add_signed(soon).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let accounts = watch.settings.accounts.values();
    let found = accounts.filter_map(|account| {
        let ends = account.consent_ends(now).filter(|ends| ends.is_none_or(|ends| ends < soon))?;
        let about = About::of(Problem::consent(&account.name, ends));
        Some(Observation::new(AlertKind::Token, &account.name, about))
    });
    found.collect()
}

async fn of_budgets(watch: &Watched, now: DateTime<Utc>, seen: &mut Seen) -> Result<(), Error> {
    let mut by_account: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for connection in watch.services.connections.values() {
        by_account.entry(connection.budget.account()).or_default().push(&connection.name);
    }
    for (account, names) in by_account {
        let Some(connection) = names.first().and_then(|name| watch.services.connections.get(*name)) else {
            continue;
        };
        let stored = watch.services.journal.limits(account).await?.text;
        let state = connection.budget.state(&stored, now);
        let (Some(limit), Some(remaining)) = (state.daily, state.remaining) else { continue };
        let is_low =
            u128::from(remaining) * 100 <= u128::from(limit) * u128::from(watch.settings.alerts.budget);
        let dry = state.runs_dry(now).filter(|dry| *dry <= now + DRY_SOON);
        if !is_low && dry.is_none() {
            continue;
        }
        let title = format!("{}: the requests of the day are almost used up", names.join(", "));
        let resets = state.period.map(|(_, ends)| format!("; they are counted anew at {}", time(ends)));
        let dry = dry.map(|dry| format!("; none is left at {} at this rate", time(dry)));
        let summary = format!(
            "{}: {remaining} of {limit} requests of the day are left{}{}",
            names.join(", "),
            dry.unwrap_or_default(),
            resets.unwrap_or_default()
        );
        let about = About {
            connections: names.iter().map(|name| (*name).to_owned()).collect(),
            commands: vec!["hob connections".to_owned(), "hob plan".to_owned()],
            ..About::plain(title, summary)
        };
        seen.observations.push(Observation::new(AlertKind::Budget, account, about));
    }
    Ok(())
}
