//! Compares a page with what is known.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::Poll;
use crate::event::{ScanPosition, Seen, within};
use crate::journal::Error;
use crate::request::paging::{self, Page, Rounds};
use crate::trigger::detect::{self, Change, Scan};
use crate::trigger::page_answer::PageAnswer;
use crate::trigger::poller::Known;
use crate::trigger::readable_items::split_unreadable;
use crate::trigger::watermark::Watermark;

/// A page, as examined. The cursor has moved past it.
pub(super) struct Examined {
    pub(super) changes: Vec<Change>,
    pub(super) seen: Vec<Seen>,
    /// All its readable items, where they are kept.
    pub(super) items: Vec<Value>,
    /// Number of items that cannot be read.
    pub(super) unreadable: usize,
    /// It is the last one.
    pub(super) last: bool,
    /// Why the scan cannot go on behind it.
    pub(super) lost: Option<paging::Error>,
    /// Length of the list as stated.
    pub(super) total: Option<u64>,
}

impl Poll<'_> {
    /// Compares a page with what is known and moves the cursor past it, without storing anything.
    pub(super) async fn examine(
        &mut self,
        answer: Arc<PageAnswer>,
        page: &Map<String, Value>,
    ) -> Result<Result<Examined, paging::Error>, Error> {
        let listing = self.poller.listing();
        let operation = &self.poller.operation;
        let number = self.cursor.pages + 1;
        let total = listing.total(&answer.body);
        let items = match paging::items(operation, listing, &answer.body) {
            Ok(items) => items,
            Err(error) => return Ok(Err(error)),
        };
        self.server = self.server.or(answer.date);
        if paging::hides_some(&listing.paging, &items) {
            self.warn_hidden(number);
        }
        let records = detect::records(listing, &items);
        let at = Page { answer: &answer.body, link: answer.link.as_deref(), items: &items, number };
        let next = paging::next(operation, &listing.paging, page, at).and_then(|next| {
            self.rounds.check(&operation.id, page, number, &records, next.as_ref()).map(|()| next)
        });
        if items.is_empty()
            && next == Ok(None)
            && let Err(error) = self.ensure_complete(total, number)
        {
            return Ok(Err(error));
        }
        // The next part of a window may begin with the record that this one ends with.
        let next = next.map(|next| next.or_else(|| self.next_part(page)));
        let (count, sifted) = (items.len(), split_unreadable(listing, items));
        self.may_be_over = paging::may_be_last(&listing.paging, count);
        let kept = if self.keeps_items { sifted.good.clone() } else { Vec::new() };
        let names = self.names(&sifted.good);
        let unreadable = sifted.bad.len();
        let bad = sifted.bad.iter().map(|bad| bad.name.clone());
        let known = self.known(&names.into_iter().chain(bad).collect::<Vec<_>>()).await?;
        let kept_aside = self.record_unreadable(sifted.bad, &known, number);
        let scan = self.scan();
        let mut findings = detect::detect(scan, sifted.good, known);
        findings.seen.extend(kept_aside);
        self.warn_odd_times(&findings);
        self.total = total.or(self.total);
        self.new += findings.new;
        self.found |= !findings.changes.is_empty();
        self.cursor.pass.fresh += findings.fresh;
        self.polled.fresh += findings.fresh;
        self.cursor.pass.filled += u64::from(count > 0);
        self.cursor.settled.undated |= findings.undated && self.stops_early && !self.cursor.baseline_done;
        let enough = self.is_enough(&findings);
        (self.cursor.pages, self.cursor.health.waits) = (number, None);
        self.update_newest(findings.newest);
        let (next, lost) = match next {
            Ok(next) => (next.filter(|_| !enough), None),
            // This scan ends here, so a broken cursor for the next page does not matter.
            Err(_) if enough => (None, None),
            Err(error) => (Some(page.clone()), Some(error)),
        };
        let last = next.is_none();
        self.cursor.page = next.map(ScanPosition::Page);
        self.polled.items += count as u64;
        self.polled.pages += 1;
        let mut changes = findings.changes;
        if let Some(parent) = &self.parent {
            changes.iter_mut().for_each(|change| parent.join(&mut change.item));
        }
        Ok(Ok(Examined { changes, seen: findings.seen, items: kept, unreadable, last, lost, total }))
    }

    /// The ids of items, by which they are remembered.
    fn names(&self, items: &[Value]) -> Vec<String> {
        let names = detect::records(self.poller.listing(), items);
        match self.parent_of_ids() {
            Some(parent) => names.iter().map(|name| within(parent, name)).collect(),
            None => names,
        }
    }

    /// The parent whose list is being read, where ids are unique within it only.
    fn parent_of_ids(&self) -> Option<&str> {
        let parent = self.parent.as_ref()?;
        (!self.poller.listing().per_parent.unique_ids).then_some(parent.record.as_str())
    }

    /// The first page of the next part of the window that is read, after `page`, the last one of a part.
    pub(super) fn next_part(&mut self, page: &Map<String, Value>) -> Option<Map<String, Value>> {
        let next = self.poller.next_part(self.cursor.started, page)?;
        self.rounds = Rounds::default();
        Some(next)
    }

    /// Whether what is there counts as having been there before the recipe.
    pub(super) fn is_first_reading(&self) -> bool {
        !self.cursor.baseline_done || self.parent.as_ref().is_some_and(|parent| parent.is_unread)
    }

    fn scan(&self) -> Scan<'_> {
        let time = |value: &Option<Value>| Some(value.as_ref().and_then(Watermark::read)?.time);
        let now = self.context.services.clock.now();
        Scan {
            listing: self.poller.listing(),
            window: self.poller.window.as_ref(),
            parent: self.parent_of_ids(),
            emit: &self.poller.emit,
            start: self.poller.start,
            stops_early: self.may_stop_early(),
            by_creation: self.by_creation,
            first: self.is_first_reading(),
            number: self.cursor.scan,
            settled: self.stable_until(),
            baseline: self.cursor.settled.baseline.or_else(|| self.stable_until()),
            newest: time(&self.cursor.newest),
            now: self.server.map_or(now, |server| server.min(now)),
        }
    }

    /// Updates the newest change seen in this scan, and when it was seen.
    fn update_newest(&mut self, newest: Option<DateTime<Utc>>) {
        let before = self.cursor.newest.as_ref().and_then(Watermark::read);
        let later = newest.filter(|newest| before.is_none_or(|before| *newest > before.time));
        if let Some(time) = later {
            let mark = Watermark { time, at: Some(self.context.services.clock.now()) };
            self.cursor.newest = Some(mark.to_value());
        }
    }

    pub(super) async fn known(&self, records: &[String]) -> Result<Known, Error> {
        // The records of the previous subject stay in the store until the first page of the new one is stored.
        if self.reset || records.is_empty() {
            return Ok(Known::new());
        }
        self.journal.seen(&self.cursor.key, records).await
    }
}
