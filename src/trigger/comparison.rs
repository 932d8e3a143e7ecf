//! Compares a list with what its poller has seen of it, page by page, without storing anything, and makes the events
//! that are missing.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::backfill;
use super::comparison_parents::{NoParent, ParentList};
use super::context::TriggerContext;
use super::detect::{self, Change, Scan};
use super::page_answer::ReadFailure;
use super::page_reader::PageReader;
use super::parent::Parent;
use super::poller::{Known, Poller, cursor_key};
use super::progress::PageRead;
use super::readable_items::split_unreadable;
use super::watermark::Watermark;
use crate::check::CheckedRecipe;
use crate::event::{Cursor, DedupKey, Event, Seen, Source, within};
use crate::journal::{self, Batch, NewRun, Progress};
use crate::recipe::{Every, Start, Trigger, Webhook};
use crate::request::paging::{self, Page, Rounds, in_item};
use crate::run::Accounts;
use crate::services::Services;
use crate::template::Scope;
use crate::value::timestamp;

/// Most tries to store an event beside a poller that is at work.
const MAX_TRIES: u32 = 20;

/// A list of a recipe's trigger that shows what the recipe should have heard of.
#[derive(Debug, Clone)]
pub struct ComparedList {
    poller: Poller,
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

/// A page of a list.
#[derive(Debug, Default)]
pub struct ComparedPage {
    /// Its records within the time that is looked at, each with its time of change.
    pub records: Vec<(String, Option<DateTime<Utc>>)>,
    /// Changes that no poll has seen.
    pub unseen: Vec<Unseen>,
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
    change: Change,
    seen: Seen,
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

    /// Begins to read it: records that were made or changed at `since` or later, where they have times. A list without
    /// a cursor needs times and a `since`.
    pub async fn open<'a>(
        &'a self,
        context: &'a TriggerContext,
        since: Option<DateTime<Utc>>,
    ) -> Result<Comparison<'a>, CompareError> {
        let now = context.services.clock.now();
        let cursor = self.cursor(&context.services).await?;
        let scope = context.services.template_scope(&self.poller.accounts, now);
        let parents = self.poller.parents.as_ref();
        let parents = parents.map(|parents| ParentList::new(&parents.poller, context, &scope)).transpose();
        let parents = parents.map_err(|reason| self.unread(reason))?;
        let with = match &parents {
            // They are those of each parent.
            Some(_) => Map::new(),
            None => self.poller.inputs(&scope).map_err(|reason| self.unread(reason))?,
        };
        let listing = self.poller.listing();
        let own = Value::Object(with);
        let order = detect::can_stop_early(listing, &self.poller.emit, &own).filter(|_| parents.is_none());
        let undated = cursor.as_ref().is_some_and(|cursor| cursor.settled.undated);
        let (stops_early, by_creation) =
            (order.is_some() && !undated, order.as_ref().is_some_and(|order| order.by_creation));
        let Value::Object(mut inputs) = own else { return Err(self.unread("it has no inputs".into())) };
        let ordered = order.into_iter().flat_map(|order| order.inputs);
        inputs.extend(ordered.map(|(name, value)| (name.clone(), value.clone())));
        // A poll that ends early has never looked at what was there before the recipe began.
        let before = cursor.as_ref().filter(|_| stops_early).and_then(|cursor| {
            let watermark = || cursor.watermark.as_ref().and_then(Watermark::read);
            cursor.settled.baseline.or_else(|| Some(watermark()?.time - listing.lag()))
        });
        // Of a window that moves, what the last poll has seen can be compared.
        let started = cursor.as_ref().map_or(now, |cursor| cursor.started);
        Ok(Comparison {
            list: self,
            context,
            page: parents.is_none().then(|| self.poller.first_page(started)),
            parents,
            parent: None,
            started,
            reader: PageReader::new(&self.poller, context, true),
            rounds: Rounds::default(),
            inputs,
            scope,
            stops_early,
            by_creation,
            since: since.max(before),
            cursor,
            pages: 0,
            number: 0,
            items: 0,
            may_be_over: false,
        })
    }

    fn unread(&self, reason: String) -> CompareError {
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
}

impl ComparedList {
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
}

/// The number of the scan that the poller makes or is about to make.
fn next_scan(cursor: &Cursor) -> u64 {
    cursor.scan + u64::from(cursor.page.is_none())
}

/// A list that is being compared.
pub struct Comparison<'a> {
    list: &'a ComparedList,
    context: &'a TriggerContext,
    cursor: Option<Cursor>,
    scope: Scope,
    inputs: Map<String, Value>,
    reader: PageReader<'a>,
    /// When the poll began that saw what this is compared with.
    started: DateTime<Utc>,
    /// The parents for each of which the list is read.
    parents: Option<ParentList<'a>>,
    /// The one whose list is being read.
    parent: Option<Parent>,
    /// The next page; `None` at the end.
    page: Option<Map<String, Value>>,
    rounds: Rounds,
    stops_early: bool,
    by_creation: bool,
    /// Older records are not looked at.
    since: Option<DateTime<Utc>>,
    pages: u64,
    /// Number of the page within its list.
    number: u64,
    items: u64,
    may_be_over: bool,
}

impl Comparison<'_> {
    /// The number of pages read.
    pub fn pages(&self) -> u64 {
        self.pages + self.parents.as_ref().map_or(0, |parents| parents.pages)
    }

    /// The time since which records are looked at, where they have times; `None` for all.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        self.since
    }

    /// Reads the next page; `None` after the last one.
    pub async fn next(&mut self) -> Result<Option<ComparedPage>, CompareError> {
        if self.page.is_none() && !self.next_parent().await? {
            return Ok(None);
        }
        let Some(page) = self.page.take() else { return Ok(None) };
        let mut inputs = self.inputs.clone();
        inputs.extend(page.clone());
        let answer = {
            match self.reader.read(&inputs).await {
                Ok(answer) => answer,
                // Some APIs answer a request for the page after the last with 404.
                Err(ReadFailure::Failed { not_found: true, .. })
                    if self.may_be_over
                        || paging::ends_with_not_found(&self.list.poller.listing().paging, &page) =>
                {
                    self.may_be_over = false;
                    self.page = self.next_part(&page);
                    return Ok(self.page.is_some().then(ComparedPage::default));
                }
                Err(ReadFailure::Failed { reason, refused: true, gone, .. }) if self.parents.is_some() => {
                    // A parent that is gone has nothing; that of another one is told at the end.
                    self.parents
                        .iter_mut()
                        .filter(|_| !gone)
                        .for_each(|parents| parents.skip(reason.clone()));
                    return Ok(Some(ComparedPage::default()));
                }
                Err(not_read) => return Err(self.list.unread(not_read.reason().to_owned())),
            }
        };
        let poller = &self.list.poller;
        let (operation, listing) = (&poller.operation, poller.listing());
        let unread = |error: paging::Error| self.list.unread(error.to_string());
        let items = paging::items(operation, listing, &answer.body).map_err(unread)?;
        self.pages += 1;
        self.number += 1;
        self.items += items.len() as u64;
        let records = detect::records(listing, &items);
        let at =
            Page { answer: &answer.body, link: answer.link.as_deref(), items: &items, number: self.number };
        let next = paging::next(operation, &listing.paging, &page, at).map_err(unread)?;
        self.rounds.check(&operation.id, &page, self.number, &records, next.as_ref()).map_err(unread)?;
        let next = next.or_else(|| self.next_part(&page));
        self.may_be_over = paging::may_be_last(&listing.paging, items.len());
        let good = split_unreadable(listing, items).good;
        let times: Vec<_> = good.iter().map(|item| self.list.time_of(item)).collect();
        let known = self.known(&self.named(records)).await?;
        let names = self.named(detect::records(listing, &good));
        let findings = detect::detect(self.scan(answer.date), good, known);
        self.page = next.filter(|_| !findings.enough);
        self.report(listing.total(&answer.body));
        let since = self.since;
        let is_old = |time: Option<DateTime<Utc>>| time.zip(since).is_some_and(|(time, since)| time < since);
        let mut compared = ComparedPage::default();
        let mut met = HashSet::new();
        for (record, time) in names.into_iter().zip(times) {
            if !is_old(time) && met.insert(record.clone()) {
                compared.records.push((record, time));
            }
        }
        for mut change in findings.changes {
            if let Some(parent) = &self.parent {
                parent.join(&mut change.item);
            }
            let changed = self.list.time_of(&change.item);
            let Some(seen) = findings.seen.iter().rev().find(|seen| seen.record == change.record) else {
                continue;
            };
            let is_repeated = compared.unseen.iter().any(|other: &Unseen| other.record == change.record);
            if is_old(changed) || is_repeated {
                continue;
            }
            let is_vague = poller.reconcile.as_ref().is_some_and(|reconcile| reconcile.is_vague(change.kind));
            let record = change.record.clone();
            compared.unseen.push(Unseen { record, is_vague, changed, change, seen: seen.clone() });
        }
        Ok(Some(compared))
    }

    /// Goes on to the list of the next parent; false after the last one, or where there are none.
    async fn next_parent(&mut self) -> Result<bool, CompareError> {
        let Some(parents) = &mut self.parents else { return Ok(false) };
        let parent = match parents.next().await {
            Ok(parent) => parent,
            Err(NoParent::Journal(error)) => return Err(error.into()),
            Err(NoParent::Unread(reason)) => return Err(self.list.unread(format!("its parents: {reason}"))),
        };
        let Some(parent) = parent else {
            return match parents.skipped.take() {
                None => Ok(false),
                Some((count, reason)) => {
                    let reason = format!("for {count} of its parents; the last one: {reason}");
                    Err(self.list.unread(reason))
                }
            };
        };
        let poller = &self.list.poller;
        let scope = self.scope.clone().with("parent", std::sync::Arc::clone(&parent.item));
        self.inputs = poller.inputs(&scope).map_err(|reason| self.list.unread(reason))?;
        self.parent = Some(parent);
        self.page = Some(poller.first_page(self.started));
        (self.rounds, self.may_be_over, self.number) = (Rounds::default(), false, 0);
        Ok(true)
    }

    /// The parent whose list is being read, where ids are unique within it only.
    fn parent_of_ids(&self) -> Option<&str> {
        let parent = self.parent.as_ref()?;
        (!self.list.poller.listing().per_parent.unique_ids).then_some(parent.record.as_str())
    }

    /// The ids by which the records with these own ids are known.
    fn named(&self, records: Vec<String>) -> Vec<String> {
        match self.parent_of_ids() {
            Some(parent) => records.iter().map(|record| within(parent, record)).collect(),
            None => records,
        }
    }

    /// The first page of the next part of the window, after `page`, the last one of a part.
    fn next_part(&mut self, page: &Map<String, Value>) -> Option<Map<String, Value>> {
        let next = self.list.poller.next_part(self.started, page)?;
        self.rounds = Rounds::default();
        Some(next)
    }

    async fn known(&self, records: &[String]) -> Result<Known, journal::Error> {
        match &self.cursor {
            Some(cursor) if !records.is_empty() => {
                self.context.services.journal.seen(&cursor.key, records).await
            }
            _ => Ok(Known::new()),
        }
    }

    /// What a poll would look for on this page; without a cursor, all that was made or changed since.
    fn scan(&self, server: Option<DateTime<Utc>>) -> Scan<'_> {
        let poller = &self.list.poller;
        let now = self.scope.now();
        let first = self.cursor.is_none();
        Scan {
            listing: poller.listing(),
            window: poller.window.as_ref(),
            parent: self.parent_of_ids(),
            emit: &poller.emit,
            start: if first { self.since.map_or(Start::All, Start::At) } else { poller.start },
            stops_early: self.stops_early,
            by_creation: self.by_creation,
            first,
            number: self.cursor.as_ref().map_or(0, next_scan),
            settled: self.since,
            baseline: self.cursor.as_ref().and_then(|cursor| cursor.settled.baseline).or(self.since),
            newest: None,
            now: server.map_or(now, |server| server.min(now)),
        }
    }

    fn report(&self, total: Option<u64>) {
        self.context.on_page.report(&PageRead {
            recipe: self.list.poller.recipe.name().to_owned(),
            pages: self.pages,
            items: self.items,
            total,
            started: self.scope.now(),
            last: self.page.is_none(),
        });
    }
}

impl ComparedList {
    /// When a record was made or changed, by its own account.
    fn time_of(&self, item: &Value) -> Option<DateTime<Utc>> {
        let listing = self.poller.listing();
        let names = [&listing.updated, &listing.created].into_iter().flatten();
        names.filter_map(|name| timestamp(&in_item(item, name)?)).next()
    }
}
