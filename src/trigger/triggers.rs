//! All triggers of a workspace that act by themselves: pollers and schedules.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::stream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::claims::Tenure;
use super::poller::{Error, Poller};
use super::resting;
use super::scan::Polled;
use super::schedule::Schedule;
use super::surroundings::Surroundings;
use crate::check::CheckedRecipe;
use crate::journal;

/// Polls at once in `once`.
const AT_ONCE: usize = 16;
/// Longest sleep before the clock is looked at again: it may have been set.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// Pause after the store did not answer.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// Pollers and schedules of all recipes.
pub struct Triggers {
    around: Surroundings,
    pollers: Vec<Poller>,
    schedules: Vec<Schedule>,
}

/// What taking all due work came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taken {
    /// Each poll.
    pub polls: Vec<Polled>,
    /// Events stored, by polls and schedules.
    pub events: usize,
    /// Runs that came to be.
    pub runs: usize,
    /// Recipes that are paused and took nothing.
    pub paused: Vec<String>,
}

impl Triggers {
    /// The triggers of `recipes`. A recipe that cannot poll is an error.
    pub fn new(recipes: &[CheckedRecipe], around: Surroundings) -> Result<Self, Error> {
        let mut pollers = Vec::new();
        for recipe in recipes {
            pollers.extend(Poller::all(recipe, &around)?);
        }
        Poller::share(&mut pollers);
        let schedules = recipes.iter().filter_map(Schedule::of).collect();
        Ok(Self { around, pollers, schedules })
    }

    /// Whether there is nothing that would ever act.
    pub fn is_empty(&self) -> bool {
        self.pollers.is_empty() && self.schedules.is_empty()
    }

    /// Takes all work there is now: every poller polls, whether it is due or not, and schedules make up
    /// for what was missed.
    pub async fn once(&self) -> Result<Taken, journal::Error> {
        let mut taken = Taken::default();
        for schedule in &self.schedules {
            let (appended, _) = schedule.fire(&self.around).await?;
            taken.events += appended.events;
            taken.runs += appended.runs;
        }
        taken.paused = self.paused().await?;
        let awake = self
            .pollers
            .iter()
            .filter(|poller| !taken.paused.iter().any(|name| name == poller.recipe().name()));
        let polls: Vec<_> = awake.map(|poller| poller.poll(&self.around)).collect();
        let mut polls = stream::iter(polls).buffer_unordered(AT_ONCE);
        while let Some(polled) = polls.next().await {
            let polled = polled?;
            taken.events += polled.events;
            taken.runs += polled.runs;
            taken.polls.push(polled);
        }
        self.around.claims.release_all(&self.around).await;
        taken.polls.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(taken)
    }

    /// Names of the recipes here that are paused.
    async fn paused(&self) -> Result<Vec<String>, journal::Error> {
        let all = journal::paused(self.around.journal.as_ref()).await?;
        let recipes =
            self.pollers.iter().map(Poller::recipe).chain(self.schedules.iter().map(Schedule::recipe));
        let mut paused: Vec<String> = recipes
            .map(CheckedRecipe::name)
            .filter(|name| all.contains_key(*name))
            .map(str::to_owned)
            .collect();
        paused.sort();
        paused.dedup();
        Ok(paused)
    }

    /// Polls and fires when due, until `stop` becomes true. A scan under way is left where it is; the
    /// next start goes on there.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        for poller in &self.pollers {
            tasks.spawn(keep_polling(poller.clone(), self.around.clone()));
        }
        for schedule in &self.schedules {
            tasks.spawn(keep_firing(schedule.clone(), self.around.clone()));
        }
        // A sender that is gone means the same.
        let _ = stop.wait_for(|stop| *stop).await;
        tasks.shutdown().await;
        self.around.claims.release_all(&self.around).await;
    }
}

async fn keep_polling(poller: Poller, around: Surroundings) {
    loop {
        match poll_when_due(&poller, &around).await {
            Ok(()) => {}
            Err(error) => {
                tracing::error!(recipe = poller.recipe().name(), %error, "polling waits for the store");
                store_is_back(&around).await;
            }
        }
    }
}

/// Polls once, unless the recipe is paused or another process does that.
async fn poll_when_due(poller: &Poller, around: &Surroundings) -> Result<(), journal::Error> {
    let recipe = poller.recipe().name();
    if resting::is_paused(around, recipe).await? {
        tokio::time::sleep(resting::LOOK).await;
        return Ok(());
    }
    if around.claims.take(around, poller.key()).await? == Tenure::Elsewhere {
        tokio::time::sleep(around.claims.pulse()).await;
        return Ok(());
    }
    let due = poller.due(around).await?;
    // Where the connection is held and let go meanwhile, it may be due before.
    let waiting = async {
        tokio::select! {
            is_due = sleep_until(around, due) => is_due,
            () = poller.connection.hold.released() => false,
            () = poller.others_poll(due, &around.clock) => true,
        }
    };
    // The claim is kept alive while there is nothing to do, or else another process would read then.
    if around.claims.keep(around, poller.key(), waiting).await == Some(true)
        && !resting::is_paused(around, recipe).await?
    {
        // A page that was not stored is read again: a poll can end anywhere.
        tokio::select! {
            polled = poller.poll(around) => {
                polled?;
            }
            () = resting::until_paused(around, recipe) => {}
        }
    }
    Ok(())
}

async fn keep_firing(schedule: Schedule, around: Surroundings) {
    loop {
        match schedule.fire(&around).await {
            Ok((_, Some(next))) => {
                // Another process may take it over meanwhile; it is seen at the next time.
                around.claims.keep(&around, schedule.key(), sleep_until(&around, next)).await;
            }
            Ok((_, None)) => return,
            Err(error) => {
                tracing::error!(recipe = schedule.recipe().name(), %error, "the schedule waits for the store");
                store_is_back(&around).await;
            }
        }
    }
}

/// Resolves once the store takes writes again: what could not be kept is not to be asked of an app again
/// and again meanwhile.
async fn store_is_back(around: &Surroundings) {
    loop {
        tokio::time::sleep(STORE_PAUSE).await;
        if around.journal.healthy().await.is_ok() {
            return;
        }
    }
}

/// Sleeps until the clock shows `time`, and says whether it does: not where it was set back meanwhile,
/// for then `time` may not be the right one any more.
async fn sleep_until(around: &Surroundings, time: DateTime<Utc>) -> bool {
    let mut now = around.clock.now();
    while let Ok(left) = (time - now).to_std()
        && !left.is_zero()
    {
        tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
        let before = std::mem::replace(&mut now, around.clock.now());
        if now < before {
            return false;
        }
    }
    true
}
