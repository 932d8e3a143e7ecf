//! All triggers of a workspace that run by themselves: pollers and schedules.

use std::collections::BTreeSet;
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
use crate::journal::{self, PauseSubject, Paused};

/// Number of concurrent polls in `once`.
const CONCURRENT_POLLS: usize = 16;
/// Longest sleep before the clock is read again, because it may have been set.
const MAX_SLEEP: Duration = Duration::from_secs(30);
/// Pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// Pollers and schedules of all recipes.
pub struct Triggers {
    context: TriggerContext,
    pollers: Vec<Poller>,
    schedules: Vec<Schedule>,
}

/// The result of doing all due work once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PollSummary {
    /// The result of each poll.
    pub polls: Vec<Polled>,
    /// Number of events stored by polls and schedules.
    pub events: usize,
    /// Number of runs started.
    pub runs: usize,
    /// What is paused and did nothing: names of recipes, or a recipe on a connection.
    pub paused: Vec<String>,
}

impl Triggers {
    /// The triggers of `recipes`; an error when a recipe cannot poll.
    pub fn new(recipes: &[CheckedRecipe], context: TriggerContext) -> Result<Self, Error> {
        let mut pollers = Vec::new();
        for recipe in recipes {
            pollers.extend(Poller::all(recipe, &context.services)?);
        }
        Poller::share(&mut pollers);
        let schedules = recipes.iter().filter_map(Schedule::for_recipe).collect();
        Ok(Self { context, pollers, schedules })
    }

    /// Whether there is no poller and no schedule.
    pub fn is_empty(&self) -> bool {
        self.pollers.is_empty() && self.schedules.is_empty()
    }

    /// Does all work there is now: every poller polls, whether it is due or not, and schedules make up for missed
    /// times.
    pub async fn once(&self) -> Result<PollSummary, journal::Error> {
        let mut taken = PollSummary::default();
        for schedule in &self.schedules {
            let (appended, _) = schedule.fire(&self.context).await?;
            taken.events += appended.events;
            taken.runs += appended.runs;
        }
        let paused = journal::all_paused(self.context.services.journal.as_ref()).await?;
        taken.paused = self.resting(&paused);
        let is_awake =
            |poller: &&Poller| paused.of(poller.recipe().name(), poller.accounts.values()).is_none();
        let polls: Vec<_> =
            self.pollers.iter().filter(is_awake).map(|poller| poller.poll(&self.context)).collect();
        let mut polls = stream::iter(polls).buffer_unordered(CONCURRENT_POLLS);
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

    /// What of the recipes here is paused.
    fn resting(&self, paused: &Paused) -> Vec<String> {
        let recipes =
            self.pollers.iter().map(Poller::recipe).chain(self.schedules.iter().map(Schedule::recipe));
        let here: BTreeSet<&str> = recipes.map(CheckedRecipe::name).collect();
        let is_here = |what: &&PauseSubject| here.contains(what.recipe.as_str());
        paused.iter().map(|(what, _)| what).filter(is_here).map(ToString::to_string).collect()
    }

    /// Polls and starts scheduled runs when they are due, until `stop` becomes true. A scan in progress is interrupted,
    /// and the next start continues it.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        for poller in &self.pollers {
            tasks.spawn(keep_polling(poller.clone(), self.context.clone()));
        }
        for schedule in &self.schedules {
            tasks.spawn(keep_firing(schedule.clone(), self.context.clone()));
        }
        // A closed channel also means stop.
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

/// Polls once, unless the recipe is paused, everywhere or on this account, or another process polls it.
async fn poll_when_due(poller: &Poller, context: &TriggerContext) -> Result<(), journal::Error> {
    let recipe = poller.recipe().name();
    let accounts = &poller.accounts;
    if pause::is_paused(&context.services, recipe, accounts).await? {
        tokio::time::sleep(pause::CHECK_INTERVAL).await;
        return Ok(());
    }
    if context.claims.take(&context.services, poller.key()).await? == ClaimState::Elsewhere {
        tokio::time::sleep(context.claims.renewal_interval()).await;
        return Ok(());
    }
    let due = poller.due(context).await?;
    // The poll may become due earlier, when the connection's hold is released.
    let waiting = async {
        tokio::select! {
            is_due = sleep_until(context, due) => is_due,
            () = poller.connection.hold.released() => false,
            () = poller.others_poll(due, &context.services.clock) => true,
        }
    };
    // The claim is renewed while waiting, or another process would poll.
    if context.claims.while_held(&context.services, poller.key(), waiting).await == Some(true)
        && !pause::is_paused(&context.services, recipe, accounts).await?
    {
        // Cancelling a poll is safe: a page that was not stored is read again.
        tokio::select! {
            polled = poller.poll(context) => {
                polled?;
            }
            () = pause::until_paused(&context.services, recipe, accounts) => {}
        }
    }
    Ok(())
}

async fn keep_firing(schedule: Schedule, context: TriggerContext) {
    loop {
        match schedule.fire(&context).await {
            Ok((_, Some(next))) => {
                // When another process takes the claim over, the next attempt to fire notices it.
                context
                    .claims
                    .while_held(&context.services, schedule.key(), sleep_until(&context, next))
                    .await;
            }
            Ok((_, None)) => return,
            Err(error) => {
                tracing::error!(recipe = schedule.recipe().name(), %error, "the schedule waits for the store");
                store_is_back(&context).await;
            }
        }
    }
}

/// Resolves once the store accepts writes again, so that apps are not asked repeatedly for what cannot be stored.
async fn store_is_back(context: &TriggerContext) {
    loop {
        tokio::time::sleep(STORE_PAUSE).await;
        if context.services.journal.healthy().await.is_ok() {
            return;
        }
    }
}

/// Sleeps until the clock shows `time` and returns true. Returns false when the clock was set back meanwhile, because
/// `time` may then be wrong.
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
