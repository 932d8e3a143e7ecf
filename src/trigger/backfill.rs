//! Backfills: reads the records that a recipe's list has already, once, as events with the lowest priority.

use chrono::{DateTime, Utc};

use super::backfill_round::{BackfillRound, has_run};
use super::context::TriggerContext;
use super::poll::Polled;
use super::poller::{self, Poller, cursor_key, place};
use super::reconcile::Reconcile;
use crate::check::CheckedRecipe;
use crate::journal::{self, Batch, Journal, Progress};
use crate::recipe::{Emit, Every, Start, Trigger, Webhook};
use crate::run::Accounts;
use crate::services::Services;

/// Which records to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackfillOptions {
    /// Only those made or changed since then.
    pub since: Option<DateTime<Utc>>,
    /// Also those about which the recipe has a run.
    pub again: bool,
    /// Begins anew instead of continuing an interrupted backfill.
    pub restart: bool,
}

/// Why a recipe has no backfill.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    /// Its trigger has no list.
    #[error(
        "`{0}` has no list to read: a backfill needs a `poll` trigger, or webhooks for which the catalog knows a list"
    )]
    NoList(String),
    /// The items of its list have no time.
    #[error("the records of `{0}` have no time of creation or change, so `--since` cannot choose among them")]
    NoTimes(String),
    /// It cannot poll.
    #[error(transparent)]
    Poller(#[from] poller::Error),
    /// The store failed.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

/// A backfill of one list on one combination of accounts.
#[derive(Debug, Clone)]
pub struct Backfill {
    poller: Poller,
    round: BackfillRound,
    continued: bool,
}

impl Backfill {
    /// The backfills of `recipe`, one for each of its lists and combinations of accounts.
    pub async fn all(
        recipe: &CheckedRecipe,
        options: &BackfillOptions,
        context: &TriggerContext,
    ) -> Result<Vec<Self>, BackfillError> {
        let mut backfills = Vec::new();
        for accounts in recipe.accounts() {
            for poller in pollers(recipe, accounts, &context.services)? {
                backfills.push(Self::new(poller, options, context).await?);
            }
        }
        if backfills.is_empty() {
            return Err(BackfillError::NoList(recipe.name().to_owned()));
        }
        Ok(backfills)
    }

    async fn new(
        mut poller: Poller,
        options: &BackfillOptions,
        context: &TriggerContext,
    ) -> Result<Self, BackfillError> {
        let listing = poller.listing();
        if options.since.is_some() && listing.updated.is_none() && listing.created.is_none() {
            return Err(BackfillError::NoTimes(poller.operation.id.clone()));
        }
        let interrupted = match options.restart {
            true => None,
            false => interrupted(&poller, context.services.journal.as_ref()).await?,
        };
        let continued = interrupted.is_some();
        let begun = context.services.clock.now();
        let round =
            interrupted.unwrap_or(BackfillRound { since: options.since, again: options.again, begun });
        poller.start = round.since.map_or(Start::All, Start::At);
        poller.backfill = Some(round.clone());
        Ok(Self { poller, round, continued })
    }

    /// When it was begun, if this continues an interrupted one.
    pub fn continues(&self) -> Option<DateTime<Utc>> {
        self.continued.then_some(self.round.begun)
    }

    /// Whether it reads what `options` ask for.
    pub fn suits(&self, options: &BackfillOptions) -> bool {
        self.round.since == options.since && self.round.again == options.again
    }

    /// The connection that is read.
    pub fn connection(&self) -> &str {
        &self.poller.connection.name
    }

    /// Reads on until the end of the list, or until something fails or has to wait. Every page is stored with its
    /// events, so that it can stop anywhere.
    pub async fn read(&self, context: &TriggerContext) -> Result<Polled, journal::Error> {
        let polled = self.poller.poll(context).await?;
        if polled.finished {
            self.forget_records(context.services.journal.as_ref()).await?;
        }
        context.claims.release_all(&context.services).await;
        Ok(polled)
    }

    /// Whether the recipe has a run about the record in `journal`.
    pub async fn has_run(&self, journal: &dyn Journal, record: &str) -> Result<bool, journal::Error> {
        has_run(&self.poller.recipe, &self.poller.accounts, journal, record).await
    }

    /// What has been seen of the records was only of use for this reading.
    async fn forget_records(&self, journal: &dyn Journal) -> Result<(), journal::Error> {
        let Some(cursor) = journal.cursor(&self.poller.key).await? else { return Ok(()) };
        let progress = Progress { cursor, seen: vec![], forgotten: vec![], reset: true, claim: None };
        journal.append(Batch { events: vec![], progress: Some(progress) }).await?;
        Ok(())
    }
}

/// The pollers of the recipe's lists, for one combination of accounts.
fn pollers(
    recipe: &CheckedRecipe,
    accounts: &Accounts,
    services: &Services,
) -> Result<Vec<Poller>, poller::Error> {
    let key = cursor_key(recipe.name(), accounts);
    let new = |name: &str, key, with, reconcile| {
        let (operation, connection) = place(recipe, name, accounts, services)?;
        Ok(Poller {
            key,
            recipe: recipe.clone(),
            accounts: accounts.clone(),
            connection,
            operation,
            every: Every::Interval(std::time::Duration::ZERO),
            emit: vec![Emit::New, Emit::Changed],
            start: Start::All,
            with,
            reconcile,
            backfill: None,
            shared: None,
        })
    };
    match recipe.trigger() {
        Trigger::Poll(poll) => {
            Ok(vec![new(poll.operation.as_str(), key.of_backfill(), Some(poll.with.clone()), None)?])
        }
        Trigger::Webhook(Webhook::Events { connector, types, .. }) => {
            let types: Vec<&str> = types.iter().map(|name| name.as_str()).collect();
            let lists = Reconcile::all(recipe.catalog(), connector, &types).into_iter();
            let poller = |list: Reconcile| {
                let name = list.operation.clone();
                new(&name, key.of_list(&name).of_backfill(), None, Some(list))
            };
            lists.map(poller).collect()
        }
        Trigger::Webhook(_) | Trigger::Schedule(_) | Trigger::Manual(_) => Ok(Vec::new()),
    }
}

/// The interrupted backfill of the list.
async fn interrupted(
    poller: &Poller,
    journal: &dyn Journal,
) -> Result<Option<BackfillRound>, journal::Error> {
    let cursor = journal.cursor(&poller.key).await?.filter(|cursor| cursor.page.is_some());
    let subject = poller.subject();
    Ok(cursor.and_then(|cursor| {
        let round = cursor.subject.strip_prefix(&subject)?;
        serde_json::from_str(round.trim_start()).ok()
    }))
}
