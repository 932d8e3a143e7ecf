//! Backfills: reads the records that a recipe's list has already, once, as events with the lowest priority.

use chrono::{DateTime, Utc};

use super::backfill_round::{BackfillRound, last_run};
use super::context::TriggerContext;
use super::poll::Polled;
use super::poller::{self, Poller, cursor_key, place};
use super::reconcile::Reconcile;
use crate::check::CheckedRecipe;
use crate::journal::{self, Batch, Journal, Progress};
use crate::recipe::{Emit, Every, RemovedLimit, Start, Trigger, Webhook};
use crate::run::{Accounts, RunState};
use crate::services::Services;
use crate::template::TemplateTree;

/// Which records to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackfillOptions {
    /// Only those made or changed since then.
    pub since: Option<DateTime<Utc>>,
    /// Also those about which the recipe has a run.
    pub again: bool,
    /// The options as they were written: an interrupted backfill is continued by the same ones.
    pub asked: String,
    /// Begins anew instead of continuing an interrupted backfill.
    pub restart: bool,
}

/// Why a recipe has no backfill.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    /// Its trigger has no list of records that exist.
    #[error(
        "`{0}` has no list to read: a backfill needs a `poll` trigger that emits new or changed records, or webhooks \
         for which the catalog knows a list"
    )]
    NoList(String),
    /// The items of its list have no time.
    #[error("the records of `{0}` have no time of creation or change, so `--since` cannot choose among them")]
    NoTimes(String),
    /// Its first poll takes the records.
    #[error(
        "the first poll of `{0}` takes what exists already, as its `start` says; `hob run` does that, and a backfill \
         before it would send each record twice"
    )]
    BeforeFirstPoll(String),
    /// Another one is unfinished.
    #[error(
        "a backfill begun at {} is unfinished: `hob backfill {recipe}{asked}` continues it, and --restart begins anew",
        begun.format("%Y-%m-%d %H:%M:%SZ")
    )]
    Unfinished {
        /// The recipe.
        recipe: String,
        /// Its options.
        asked: String,
        /// When it was begun.
        begun: DateTime<Utc>,
    },
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

/// How far the newest backfill of a list has come.
struct Stored {
    round: BackfillRound,
    done: bool,
}

impl Backfill {
    /// The backfills of `recipe` that are to do, one for each of its lists and combinations of accounts. They belong
    /// together: what an interrupted backfill has read to its end is not read again.
    pub async fn all(
        recipe: &CheckedRecipe,
        options: &BackfillOptions,
        context: &TriggerContext,
    ) -> Result<Vec<Self>, BackfillError> {
        let journal = context.services.journal.as_ref();
        let mut lists = Vec::new();
        for accounts in recipe.accounts() {
            ensure_polled(recipe, accounts, journal).await?;
            for poller in pollers(recipe, accounts, &context.services)? {
                let stored = if options.restart { None } else { stored(&poller, journal).await? };
                lists.push((poller, stored));
            }
        }
        if lists.is_empty() {
            return Err(BackfillError::NoList(recipe.name().to_owned()));
        }
        let interrupted = interrupted(&lists).cloned();
        if let Some(round) = interrupted.as_ref().filter(|round| round.asked != options.asked) {
            let (recipe, asked) = (recipe.name().to_owned(), round.asked.clone());
            return Err(BackfillError::Unfinished { recipe, asked, begun: round.begun });
        }
        let continued = interrupted.is_some();
        let round = interrupted.unwrap_or_else(|| BackfillRound {
            since: options.since,
            again: options.again,
            begun: context.services.clock.now(),
            asked: options.asked.clone(),
        });
        let is_done = |stored: &Stored| stored.done && stored.round == round;
        lists
            .into_iter()
            .filter(|(_, stored)| !stored.as_ref().is_some_and(is_done))
            .map(|(poller, _)| Self::new(poller, round.clone(), continued))
            .collect()
    }

    fn new(mut poller: Poller, round: BackfillRound, continued: bool) -> Result<Self, BackfillError> {
        let listing = poller.listing();
        if round.since.is_some()
            && poller.window.is_none()
            && listing.updated.is_none()
            && listing.created.is_none()
        {
            return Err(BackfillError::NoTimes(poller.operation.id.clone()));
        }
        poller.start = round.since.map_or(Start::All, Start::At);
        if let Some(window) = poller.window.take() {
            // The window says what is chosen, by the records' own times.
            poller.window = Some(window.since(round.since));
            poller.start = Start::All;
        }
        poller.backfill = Some(round.clone());
        Ok(Self { poller, round, continued })
    }

    /// When it was begun, if this continues an interrupted one.
    pub fn continues(&self) -> Option<DateTime<Utc>> {
        self.continued.then_some(self.round.begun)
    }

    /// Why its connection is held, if its credential was refused.
    pub fn hold(&self) -> Option<String> {
        self.poller.connection.hold.reason()
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

    /// The state of the recipe's last run about the record in `journal`.
    pub async fn last_run(
        &self,
        journal: &dyn Journal,
        record: &str,
    ) -> Result<Option<RunState>, journal::Error> {
        last_run(&self.poller.recipe, &self.poller.accounts, journal, record).await
    }

    /// What has been seen of the records was only of use for this reading.
    async fn forget_records(&self, journal: &dyn Journal) -> Result<(), journal::Error> {
        let parents = self.poller.parents.iter().map(|parents| &parents.poller.key);
        for key in parents.chain([&self.poller.key]) {
            let Some(cursor) = journal.cursor(key).await? else { continue };
            let progress =
                Progress { cursor, seen: vec![], forgotten: vec![], reset: true, claim: None, beside: false };
            journal.append(Batch { events: vec![], progress: Some(progress) }).await?;
        }
        Ok(())
    }
}

/// The pollers of the recipe's lists, for one combination of accounts.
pub(super) fn pollers(
    recipe: &CheckedRecipe,
    accounts: &Accounts,
    services: &Services,
) -> Result<Vec<Poller>, poller::Error> {
    let key = cursor_key(recipe.name(), accounts);
    let own = match recipe.trigger() {
        Trigger::Poll(poll) => poll.window.as_ref(),
        _ => None,
    };
    let new = |name: &str, key, with: Option<TemplateTree>, reconcile| {
        let (operation, connection) = place(recipe, name, accounts, services)?;
        Ok(Poller {
            window: poller::window(&operation, with.as_ref(), own),
            record_read: None,
            key,
            recipe: recipe.clone(),
            accounts: accounts.clone(),
            connection,
            operation,
            every: Every::Interval(std::time::Duration::ZERO),
            emit: vec![Emit::New, Emit::Changed],
            removed_limit: RemovedLimit::default(),
            start: Start::All,
            with,
            parents: None,
            reconcile,
            backfill: None,
            shared: None,
        })
    };
    match recipe.trigger() {
        // Recipes for records that are gone have nothing to do with those that are there.
        Trigger::Poll(poll) if poll.emit == [Emit::Removed] => Ok(Vec::new()),
        Trigger::Poll(poll) => {
            let key = key.of_backfill();
            let parents = poller::parents(recipe, poll, &key, accounts, services)?;
            let poller = new(poll.operation.as_str(), key, Some(poll.with.clone()), None)?;
            Ok(vec![Poller { parents, ..poller }])
        }
        Trigger::Webhook(Webhook::Events { connector, types, .. }) => {
            let types: Vec<&str> = types.iter().map(|name| name.as_str()).collect();
            let lists = Reconcile::all(recipe.catalog(), connector, &types).into_iter();
            let poller = |list: Reconcile| {
                let name = list.operation.clone();
                new(&name, key.of_list(&name).of_backfill(), None, Some(list))
            };
            lists.filter(|list| list.emit() != [Emit::Removed]).map(poller).collect()
        }
        Trigger::Webhook(_) | Trigger::Schedule(_) | Trigger::Manual(_) => Ok(Vec::new()),
    }
}

/// An error if the recipe's own poller is going to send what exists already.
async fn ensure_polled(
    recipe: &CheckedRecipe,
    accounts: &Accounts,
    journal: &dyn Journal,
) -> Result<(), BackfillError> {
    let Trigger::Poll(poll) = recipe.trigger() else { return Ok(()) };
    let cursor = journal.cursor(&cursor_key(recipe.name(), accounts)).await?;
    match poll.start == Start::Now || cursor.is_some_and(|cursor| cursor.baseline_done) {
        true => Ok(()),
        false => Err(BackfillError::BeforeFirstPoll(recipe.name().to_owned())),
    }
}

async fn stored(poller: &Poller, journal: &dyn Journal) -> Result<Option<Stored>, journal::Error> {
    let subject = poller.subject();
    Ok(journal.cursor(&poller.key).await?.and_then(|cursor| {
        let round = cursor.subject.strip_prefix(&subject)?;
        let round = serde_json::from_str(round.trim_start()).ok()?;
        Some(Stored { round, done: cursor.baseline_done })
    }))
}

/// The newest backfill, if not all lists have been read for it.
fn interrupted(lists: &[(Poller, Option<Stored>)]) -> Option<&BackfillRound> {
    let stored = || lists.iter().filter_map(|(_, stored)| stored.as_ref());
    let newest = stored().map(|stored| &stored.round).max_by_key(|round| round.begun)?;
    let read = stored().filter(|stored| stored.done && stored.round == *newest);
    (read.count() < lists.len()).then_some(newest)
}
