//! All triggers of a workspace that act by themselves: pollers and schedules.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::stream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::claims::ClaimState;
use super::context::TriggerContext;
use super::pause;
use super::poll::Polled;
use super::poller::{Error, Poller};
use super::schedule::Schedule;
use crate::check::CheckedRecipe;
use crate::journal;

/// Polls at once in `once`.
const AT_ONCE: usize = 16;
/// Longest sleep before the clock is looked at again: it may have been set.
const MAX_SLEEP: Duration = Duration::from_secs(30);
/// Pause after the store did not answer.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// Pollers and schedules of all recipes.
pub struct Triggers {
    context: TriggerContext,
    pollers: Vec<Poller>,
    schedules: Vec<Schedule>,
}

/// What taking all due work came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PollSummary {
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
    pub fn new(recipes: &[CheckedRecipe], context: TriggerContext) -> Result<Self, Error> {
        let mut pollers = Vec::new();
        for recipe in recipes {
            pollers.extend(Poller::all(recipe, &context.services)?);
        }
        Poller::share(&mut pollers);
        let schedules = recipes.iter().filter_map(Schedule::of).collect();
        Ok(Self { context, pollers, schedules })
    }

    /// Whether there is nothing that would ever act.
    pub fn is_empty(&self) -> bool {
        self.pollers.is_empty() && self.schedules.is_empty()
    }

    /// Takes all work there is now: every poller polls, whether it is due or not, and schedules make up
    /// for what was missed.
    pub async fn once(&self) -> Result<PollSummary, journal::Error> {
        let mut taken = PollSummary::default();
        for schedule in &self.schedules {
            let (appended, _) = schedule.fire(&self.context).await?;
            taken.events += appended.events;
            taken.runs += appended.runs;
        }
        taken.paused = self.paused().await?;
        let awake = self
            .pollers
            .iter()
            .filter(|poller| !taken.paused.iter().any(|name| name == poller.recipe().name()));
        let polls: Vec<_> = awake.map(|poller| poller.poll(&self.context)).collect();
        let mut polls = stream::iter(polls).buffer_unordered(AT_ONCE);
        while let Some(polled) = polls.next().await {
            let polled = polled?;
            taken.events += polled.events;
            taken.runs += polled.runs;
            taken.polls.push(polled);
        }
        self.context.claims.release_all(&self.context.services).await;
        taken.polls.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(taken)
    }

    /// Names of the recipes here that are paused.
    async fn paused(&self) -> Result<Vec<String>, journal::Error> {
        let all = journal::paused(self.context.services.journal.as_ref()).await?;
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
            tasks.spawn(keep_polling(poller.clone(), self.context.clone()));
        }
        for schedule in &self.schedules {
            tasks.spawn(keep_firing(schedule.clone(), self.context.clone()));
        }
        // A sender that is gone means the same.
        let _ = stop.wait_for(|stop| *stop).await;
        tasks.shutdown().await;
        self.context.claims.release_all(&self.context.services).await;
    }
}

async fn keep_polling(poller: Poller, context: TriggerContext) {
    loop {
        match poll_when_due(&poller, &context).await {
            Ok(()) => {}
            Err(error) => {
                tracing::error!(recipe = poller.recipe().name(), %error, "polling waits for the store");
                store_is_back(&context).await;
            }
        }
    }
}

/// Polls once, unless the recipe is paused or another process does that.
async fn poll_when_due(poller: &Poller, context: &TriggerContext) -> Result<(), journal::Error> {
    let recipe = poller.recipe().name();
    if pause::is_paused(&context.services, recipe).await? {
        tokio::time::sleep(pause::CHECK_INTERVAL).await;
        return Ok(());
    }
    if context.claims.take(&context.services, poller.key()).await? == ClaimState::Elsewhere {
        tokio::time::sleep(context.claims.renewal_interval()).await;
        return Ok(());
    }
    let due = poller.due(context).await?;
    // Where the connection is held and let go meanwhile, it may be due before.
    let waiting = async {
        tokio::select! {
            is_due = sleep_until(context, due) => is_due,
            () = poller.connection.hold.released() => false,
            () = poller.others_poll(due, &context.services.clock) => true,
        }
    };
    // The claim is kept alive while there is nothing to do, or else another process would read then.
    if context.claims.keep(&context.services, poller.key(), waiting).await == Some(true)
        && !pause::is_paused(&context.services, recipe).await?
    {
        // A page that was not stored is read again: a poll can end anywhere.
        tokio::select! {
            polled = poller.poll(context) => {
                polled?;
            }
            () = pause::until_paused(&context.services, recipe) => {}
        }
    }
    Ok(())
}

async fn keep_firing(schedule: Schedule, context: TriggerContext) {
    loop {
        match schedule.fire(&context).await {
            Ok((_, Some(next))) => {
                // Another process may take it over meanwhile; it is seen at the next time.
                context.claims.keep(&context.services, schedule.key(), sleep_until(&context, next)).await;
            }
            Ok((_, None)) => return,
            Err(error) => {
                tracing::error!(recipe = schedule.recipe().name(), %error, "the schedule waits for the store");
                store_is_back(&context).await;
            }
        }
    }
}

/// Resolves once the store takes writes again: what could not be kept is not to be asked of an app again
/// and again meanwhile.
async fn store_is_back(context: &TriggerContext) {
    loop {
        tokio::time::sleep(STORE_PAUSE).await;
        if context.services.journal.healthy().await.is_ok() {
            return;
        }
    }
}

/// Sleeps until the clock shows `time`, and says whether it does: not where it was set back meanwhile,
/// for then `time` may not be the right one any more.
async fn sleep_until(context: &TriggerContext, time: DateTime<Utc>) -> bool {
    let mut now = context.services.clock.now();
    while let Ok(left) = (time - now).to_std()
        && !left.is_zero()
    {
        tokio::time::sleep(left.min(MAX_SLEEP)).await;
        let before = std::mem::replace(&mut now, context.services.clock.now());
        if now < before {
            return false;
        }
    }
    true
}
