//! Paused recipes, everywhere or on one connection. Stored among the values, so that every store handles and exports them alike.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Error, Journal, LeasedRun, RunUpdate};
use crate::run::RunState;

/// Prefix of the keys of values that belong to hob itself.
pub const RESERVED_PREFIX: &str = "hob:";
/// Prefix of all keys of pauses.
const ALL: &str = "hob:pause";
/// Prefix of the keys of pauses of recipes; followed by the recipe's name.
const PREFIX: &str = "hob:pause:";
/// Prefix of the keys of pauses on connections; followed by the names of recipe and connection as JSON.
const PREFIX_ON: &str = "hob:pause-on:";

/// What is paused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PauseSubject {
    /// The recipe.
    pub recipe: String,
    /// The connection, if it is not paused everywhere.
    pub connection: Option<String>,
}

/// Whether a recipe is paused, as last set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// Paused since this time.
    Paused(DateTime<Utc>),
    /// Resumed at this time after a pause.
    Resumed(DateTime<Utc>),
}

/// All that is paused, with since when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paused(BTreeMap<PauseSubject, DateTime<Utc>>);

impl PauseSubject {
    /// A recipe everywhere.
    pub fn recipe(recipe: &str) -> Self {
        Self { recipe: recipe.to_owned(), connection: None }
    }

    /// A recipe on one connection.
    pub fn on(recipe: &str, connection: &str) -> Self {
        Self { recipe: recipe.to_owned(), connection: Some(connection.to_owned()) }
    }

    fn key(&self) -> String {
        match &self.connection {
            None => format!("{PREFIX}{}", self.recipe),
            Some(connection) => format!("{PREFIX_ON}{}", json!([self.recipe, connection])),
        }
    }

    fn from_key(key: &str) -> Option<Self> {
        if let Some(recipe) = key.strip_prefix(PREFIX) {
            return Some(Self::recipe(recipe));
        }
        let (recipe, connection): (String, String) =
            serde_json::from_str(key.strip_prefix(PREFIX_ON)?).ok()?;
        Some(Self { recipe, connection: Some(connection) })
    }
}

/// `leads`, or `leads on studio-1`
impl fmt::Display for PauseSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.connection {
            None => f.write_str(&self.recipe),
            Some(connection) => write!(f, "{} on {connection}", self.recipe),
        }
    }
}

impl Pause {
    /// Whether the recipe is paused.
    pub fn is_paused(&self) -> bool {
        matches!(self, Pause::Paused(_))
    }

    /// Whether `time` falls into the pause.
    pub fn covers(&self, time: DateTime<Utc>) -> bool {
        match self {
            Pause::Paused(_) => true,
            Pause::Resumed(at) => time <= *at,
        }
    }
}

impl Paused {
    /// The pause that keeps a recipe from working on these connections, and since when: everywhere, or on one of them.
    pub fn of<'a>(
        &self,
        recipe: &str,
        connections: impl IntoIterator<Item = &'a String>,
    ) -> Option<(PauseSubject, DateTime<Utc>)> {
        let on = connections.into_iter().map(|connection| PauseSubject::on(recipe, connection));
        let mut subjects = std::iter::once(PauseSubject::recipe(recipe)).chain(on);
        subjects.find_map(|subject| self.0.get(&subject).map(|since| (subject, *since)))
    }

    /// All of it.
    pub fn iter(&self) -> impl Iterator<Item = (&PauseSubject, &DateTime<Utc>)> {
        self.0.iter()
    }

    /// What is paused here and not in `other`.
    pub fn without<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a PauseSubject> {
        self.0.keys().filter(|subject| !other.0.contains_key(*subject))
    }
}

/// Pauses a recipe: its pollers and schedules stop and its runs wait. Returns whether it was running before.
pub async fn pause(journal: &dyn Journal, what: &PauseSubject, now: DateTime<Utc>) -> Result<bool, Error> {
    if last_pause(journal, what).await?.is_some_and(|pause| pause.is_paused()) {
        return Ok(false);
    }
    put(journal, what, Pause::Paused(now)).await?;
    Ok(true)
}

/// Resumes what is paused, including what has arrived meanwhile; returns whether it was paused.
pub async fn resume(journal: &dyn Journal, what: &PauseSubject, now: DateTime<Utc>) -> Result<bool, Error> {
    let paused = last_pause(journal, what).await?.is_some_and(|pause| pause.is_paused());
    if paused {
        put(journal, what, Pause::Resumed(now)).await?;
    }
    // Also if it was not paused: an earlier resume may have been interrupted here. Runs on connections that are still paused
    // go to sleep again.
    journal.wake(&what.recipe).await?;
    Ok(paused)
}

async fn put(journal: &dyn Journal, what: &PauseSubject, pause: Pause) -> Result<(), Error> {
    let value = serde_json::to_value(pause).unwrap_or(Value::Null);
    journal.put_state(&what.key(), &value).await
}

/// The last pause or resume of `what` itself, if any.
pub async fn last_pause(journal: &dyn Journal, what: &PauseSubject) -> Result<Option<Pause>, Error> {
    let value = journal.state(&what.key()).await?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}

/// All that is paused.
pub async fn all_paused(journal: &(impl Journal + ?Sized)) -> Result<Paused, Error> {
    let values = journal.states(ALL).await?;
    let paused = values.into_iter().filter_map(|(key, value)| {
        match (PauseSubject::from_key(&key), serde_json::from_value(value)) {
            (Some(subject), Ok(Pause::Paused(since))) => Some((subject, since)),
            _ => None,
        }
    });
    Ok(Paused(paused.collect()))
}

/// The recipes that are paused everywhere, and the times of their pauses.
pub async fn paused(journal: &(impl Journal + ?Sized)) -> Result<BTreeMap<String, DateTime<Utc>>, Error> {
    let all = all_paused(journal).await?.0.into_iter();
    Ok(all.filter(|(what, _)| what.connection.is_none()).map(|(what, since)| (what.recipe, since)).collect())
}

/// The reason shown for a waiting run of a paused recipe.
pub fn pause_reason(what: &PauseSubject) -> String {
    let recipe = &what.recipe;
    match &what.connection {
        None => format!("the recipe `{recipe}` is paused; `hob resume {recipe}` lets it go on"),
        Some(connection) => format!(
            "the recipe `{recipe}` is paused on {connection}; `hob resume {recipe} --connection {connection}` lets it go on"
        ),
    }
}

/// Puts leased runs of paused recipes to sleep until they are woken; returns the others.
pub(super) async fn put_paused_to_sleep(
    journal: &impl Journal,
    leased: Vec<LeasedRun>,
    now: DateTime<Utc>,
) -> Result<Vec<LeasedRun>, Error> {
    if leased.is_empty() {
        return Ok(leased);
    }
    let resting = all_paused(journal).await?;
    let (mut asleep, mut awake) = (Vec::new(), Vec::new());
    for leased in leased {
        match resting.of(&leased.run.recipe, leased.run.accounts.values()) {
            Some((what, _)) => asleep.push((leased, what)),
            None => awake.push(leased),
        }
    }
    for (LeasedRun { lease, .. }, what) in &asleep {
        // Sleeps until resumed; there is no wake-up time.
        let due = Some(DateTime::<Utc>::MAX_UTC);
        let error = Some(pause_reason(what));
        let update = RunUpdate { due, error, ..RunUpdate::new(RunState::Waiting, now) };
        journal.record(lease, Vec::new(), update).await?;
    }
    if !asleep.is_empty() {
        // A resume that happened meanwhile has not woken these runs.
        let still = all_paused(journal).await?;
        for what in resting.without(&still) {
            journal.wake(&what.recipe).await?;
        }
    }
    Ok(awake)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_what_is_paused() {
        for (subject, key) in [
            (PauseSubject::recipe("leads"), "hob:pause:leads"),
            (PauseSubject::recipe("a:b/c"), "hob:pause:a:b/c"),
            (PauseSubject::on("a:b", "studio \"1\""), "hob:pause-on:[\"a:b\",\"studio \\\"1\\\"\"]"),
        ] {
            assert_eq!(subject.key(), key);
            assert_eq!(PauseSubject::from_key(key), Some(subject));
        }
        assert_eq!(PauseSubject::from_key("hob:pause-on:leads"), None);
    }
}
