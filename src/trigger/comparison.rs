//! Compares a list with what its poller has seen of it, page by page, without storing anything.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::compared_list::{CompareError, ComparedList, Unseen, next_scan};
use super::comparison_parents::{NoParent, ParentList};
use super::context::TriggerContext;
use super::detect::{self, Scan};
use super::page_answer::ReadFailure;
use super::page_reader::PageReader;
use super::parent::Parent;
use super::poller::Known;
use super::progress::PageRead;
use super::readable_items::split_unreadable;
use super::watermark::Watermark;
use crate::event::{Cursor, within};
use crate::journal;
use crate::recipe::Start;
use crate::request::paging::{self, Page, Rounds};
use crate::template::Scope;

/// A page of a list.
#[derive(Debug, Default)]
pub struct ComparedPage {
    /// Its records within the time that is looked at, each with its time of change.
    pub records: Vec<(String, Option<DateTime<Utc>>)>,
    /// Changes that no poll has seen.
    pub unseen: Vec<Unseen>,
}

impl ComparedList {
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
