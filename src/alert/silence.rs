//! Recipes for which nothing has arrived for too long.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::about::{About, time};
use super::observation::Observation;
use super::watched::Watched;
use crate::journal::{Error, Journal, Pause, PauseSubject, RunFilter, last_pause};
use crate::workspace::{AlertKind, SilentRecipe};

/// Since when each recipe is watched: what never had an event is silent from then on.
const MARKER: &str = "alerts_silent_since";
/// After a start, hob is given at most this long to take in what has arrived meanwhile.
const AFTER_START: TimeDelta = TimeDelta::minutes(5);

/// The recipes that are silent.
pub(super) async fn observe(watch: &Watched, now: DateTime<Utc>) -> Result<Vec<Observation>, Error> {
    if watch.settings.alerts.silent.is_empty() {
        return Ok(Vec::new());
    }
    let journal = watch.services.journal.as_ref();
    let since = watched_since(journal, &watch.settings.alerts.silent, now).await?;
    let mut found = Vec::new();
    for SilentRecipe { recipe, after } in &watch.settings.alerts.silent {
        let after = TimeDelta::from_std(*after).unwrap_or(TimeDelta::MAX);
        let Ok(resumed) = resumed(watch, recipe).await? else { continue };
        let filter = RunFilter { recipe: Some(recipe.value.clone()), limit: Some(1), ..RunFilter::default() };
        let newest = journal.runs(&filter).await?.first().map(|run| run.created);
        let begin = newest.or(since.get(recipe.as_str()).copied()).max(resumed).unwrap_or(now);
        let is_silent = begin.checked_add_signed(after).is_some_and(|until| until <= now);
        let has_settled = watch.settings.once || watch.began + after.min(AFTER_START) <= now;
        if is_silent && has_settled {
            found.push(Observation::new(AlertKind::Silent, recipe, about(recipe, begin, newest.is_some())));
        }
    }
    Ok(found)
}

/// It is paused, everywhere or on each of its accounts.
struct Resting;

/// When a recipe that is not paused was last resumed, everywhere or on one of its accounts.
async fn resumed(watch: &Watched, recipe: &str) -> Result<Result<Option<DateTime<Utc>>, Resting>, Error> {
    let journal = watch.services.journal.as_ref();
    let mut last = match last_pause(journal, &PauseSubject::recipe(recipe)).await? {
        Some(Pause::Paused(_)) => return Ok(Err(Resting)),
        Some(Pause::Resumed(at)) => Some(at),
        None => None,
    };
    let Some(current) = watch.recipes.current(recipe) else { return Ok(Ok(last)) };
    let mut rests = !current.accounts().is_empty();
    for accounts in current.accounts() {
        let mut rests_here = false;
        for connection in accounts.values() {
            match last_pause(journal, &PauseSubject::on(recipe, connection)).await? {
                Some(Pause::Paused(_)) => rests_here = true,
                Some(Pause::Resumed(at)) => last = last.max(Some(at)),
                None => {}
            }
        }
        rests &= rests_here;
    }
    Ok(if rests { Err(Resting) } else { Ok(last) })
}

fn about(recipe: &str, since: DateTime<Utc>, had_events: bool) -> About {
    let title = format!("{recipe}: nothing arrives");
    let summary = match had_events {
        true => format!("{recipe}: nothing has arrived since {}", time(since)),
        false => format!("{recipe}: nothing has arrived yet, since {}", time(since)),
    };
    About {
        recipe: Some(recipe.to_owned()),
        since: Some(since),
        help: Some("check that its sender still sends, or that its poll reads the right list".to_owned()),
        commands: vec!["hob status".to_owned(), format!("hob runs list --recipe {recipe}")],
        ..About::plain(title, summary)
    }
}

/// Since when recipes are watched; those that were not are from now on.
async fn watched_since(
    journal: &dyn Journal,
    silent: &[SilentRecipe],
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, DateTime<Utc>>, Error> {
    let stored = journal.marker(MARKER).await?;
    let before: BTreeMap<String, DateTime<Utc>> =
        stored.and_then(|stored| serde_json::from_value(stored).ok()).unwrap_or_default();
    let watched = silent.iter().map(|silent| {
        let name = &silent.recipe.value;
        (name.clone(), before.get(name).copied().unwrap_or(now))
    });
    let watched: BTreeMap<String, DateTime<Utc>> = watched.collect();
    if watched != before {
        let value = serde_json::to_value(&watched).unwrap_or(Value::Null);
        journal.set_marker(MARKER, Some(&value)).await?;
    }
    Ok(watched)
}
