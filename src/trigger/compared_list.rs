//! A list that is compared with what its poller has seen of it, and the events that are missing.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::backfill;
use super::context::TriggerContext;
use super::detect::{self, Change};
use super::poller::{Poller, cursor_key};
use crate::check::CheckedRecipe;
use crate::event::{Cursor, DedupKey, Event, Seen, Source};
use crate::journal::{self, Batch, NewRun, Progress};
use crate::recipe::{Every, Trigger, Webhook};
use crate::request::paging::in_item;
use crate::run::Accounts;
use crate::services::Services;
use crate::template::Scope;
use crate::value::timestamp;

/// Most tries to store an event beside a poller that is at work.
const MAX_TRIES: u32 = 20;

/// A list of a recipe's trigger that shows what the recipe should have heard of.
#[derive(Debug, Clone)]
pub struct ComparedList {
    pub(super) poller: Poller,
    /// Nothing but the list tells of changes: it is what the recipe polls.
    pub is_polled: bool,
    /// A poller of the recipe reads the list, so that there is a cursor.
    pub has_cursor: bool,
}

/// Why a list cannot be compared to its end.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The store failed.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// It cannot be read.
    #[error("`{operation}` on {connection} cannot be read: {reason}")]
    List {
        /// The operation.
        operation: String,
        /// The connection.
        connection: String,
        /// The reason.
        reason: String,
    },
}

/// A change that no poll has seen.
#[derive(Debug, Clone)]
pub struct Unseen {
    /// Id of the record.
    pub record: String,
    /// It need not have caused any of the events that the recipe listens to.
    pub is_vague: bool,
    /// When the record was made or changed, by its own account.
    pub changed: Option<DateTime<Utc>>,
    pub(super) change: Change,
    pub(super) seen: Seen,
}

impl ComparedList {
    /// The lists of a recipe's trigger on one combination of accounts; none for a trigger without a list.
    pub fn all(
        recipe: &CheckedRecipe,
        accounts: &Accounts,
        services: &Services,
    ) -> Result<Vec<Self>, super::Error> {
        let (is_polled, has_cursor) = match recipe.trigger() {
            Trigger::Poll(_) => (true, true),
            Trigger::Webhook(Webhook::Events { reconcile, .. }) => (false, reconcile.is_some()),
            Trigger::Webhook(_) | Trigger::Schedule(_) | Trigger::Manual(_) => return Ok(Vec::new()),
        };
        let pollers = match has_cursor {
            true => {
                Poller::all(recipe, services)?.into_iter().filter(|own| own.accounts == *accounts).collect()
            }
            false => {
                let key = cursor_key(recipe.name(), accounts);
                let mut pollers = backfill::pollers(recipe, accounts, services)?;
                for poller in &mut pollers {
                    poller.key = key.of_list(&poller.operation.id);
                    poller.every = Every::Interval(std::time::Duration::ZERO);
                }
                pollers
            }
        };
        Ok(pollers.into_iter().map(|poller| Self { is_polled, has_cursor, poller }).collect())
    }

    /// Id of its operation.
    pub fn operation(&self) -> &str {
        &self.poller.operation.id
    }

    /// The connection that it is read on.
    pub fn connection(&self) -> &str {
        &self.poller.connection.name
    }

    /// Longest time until it shows a change.
    pub fn lag(&self) -> TimeDelta {
        self.poller.listing().lag()
    }

    /// Whether its records have times of creation or change.
    pub fn has_times(&self) -> bool {
        let listing = self.poller.listing();
        listing.updated.is_some() || listing.created.is_some()
    }

    /// Why its poller's progress says nothing of the list yet, as a sentence's end; `None` if it does. An error where its
    /// polls fail.
    pub async fn not_polled(&self, services: &Services) -> Result<Option<&'static str>, CompareError> {
        if self.cursor(services).await?.is_some() {
            return Ok(None);
        }
        Ok(Some(match services.journal.cursor(&self.poller.key).await? {
            None => "was not polled yet, so nothing can be missing",
            Some(cursor) if cursor.failures > 0 => {
                let error = cursor.error.unwrap_or_default();
                return Err(
                    self.unread(format!("no poll has come to its end, and the last one failed: {error}"))
                );
            }
            Some(cursor) if cursor.subject != self.poller.subject() => {
                "is read in another way since the recipe was edited: the next poll begins anew"
            }
            Some(_) => "is being read for the first time, so nothing can be missing",
        }))
    }

    /// The progress of its poller, if it has read the list to its end once.
    pub async fn cursor(&self, services: &Services) -> Result<Option<Cursor>, journal::Error> {
        if !self.has_cursor {
            return Ok(None);
        }
        let cursor = services.journal.cursor(&self.poller.key).await?;
        let subject = self.poller.subject();
        Ok(cursor.filter(|cursor| cursor.baseline_done && cursor.subject == subject))
    }

    pub(super) fn unread(&self, reason: String) -> CompareError {
        let (operation, connection) = (self.operation().to_owned(), self.connection().to_owned());
        CompareError::List { operation, connection, reason }
    }

    /// Whether hob has learned of the change meanwhile: by the poller, or from a webhook.
    pub async fn is_known(&self, unseen: &Unseen, services: &Services) -> Result<bool, journal::Error> {
        let journal = services.journal.as_ref();
        let mut last = services.clock.now();
        if let Some(cursor) = self.cursor(services).await? {
            let known = journal.seen(&cursor.key, std::slice::from_ref(&unseen.record)).await?;
            if known.get(&unseen.record) == Some(&unseen.seen.fingerprint) {
                return Ok(true);
            }
            last = cursor.started;
        }
        let Some(reconcile) = &self.poller.reconcile else { return Ok(false) };
        let recipe = self.poller.recipe.name();
        reconcile.arrived(journal, recipe, self.poller.listing(), &unseen.change, last).await
    }

    /// Stores the event of a change that nobody has learned of, with its run; false if hob knows of it by now. The
    /// poller that comes upon the change at the same time makes the same event, which is stored once.
    pub async fn mend(&self, unseen: &Unseen, context: &TriggerContext) -> Result<bool, CompareError> {
        let services = &context.services;
        let scope = services.template_scope(&self.poller.accounts, services.clock.now());
        for _ in 0..MAX_TRIES {
            let cursor = self.cursor(services).await?;
            if self.is_known(unseen, services).await? {
                return Ok(false);
            }
            let event = self.event(unseen, cursor.as_ref(), &scope);
            let progress = cursor.map(|cursor| Progress {
                cursor,
                seen: vec![unseen.seen.clone()],
                forgotten: vec![],
                reset: false,
                claim: None,
                beside: true,
            });
            match services.journal.append(Batch { events: vec![event], progress }).await {
                Ok(appended) => return Ok(appended.events > 0),
                Err(journal::Error::Overtaken { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(self.unread("its poller is reading it all the time; try again".to_owned()))
    }

    /// The event of a change, with its run: the one that the poller would make, or, of a list that no poller reads, the only one of
    /// the change.
    fn event(&self, unseen: &Unseen, cursor: Option<&Cursor>, scope: &Scope) -> (Event, Vec<NewRun>) {
        let Unseen { change, seen, .. } = unseen;
        let dedup = match cursor {
            Some(cursor) => detect::dedup(change.kind, &change.record, &seen.fingerprint, next_scan(cursor)),
            None => DedupKey(format!("missed:{}:{}", change.record, seen.fingerprint)),
        };
        let change = Change { dedup, ..change.clone() };
        self.poller.event(change, Source::Poll(self.poller.key.clone()), scope)
    }

    /// When a record was made or changed, by its own account.
    pub(super) fn time_of(&self, item: &Value) -> Option<DateTime<Utc>> {
        let listing = self.poller.listing();
        let names = [&listing.updated, &listing.created].into_iter().flatten();
        names.filter_map(|name| timestamp(&in_item(item, name)?)).next()
    }
}

/// The number of the scan that the poller makes or is about to make.
pub(super) fn next_scan(cursor: &Cursor) -> u64 {
    cursor.scan + u64::from(cursor.page.is_none())
}
