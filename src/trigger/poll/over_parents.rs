//! Lists that answer for one parent at a time: reads the list of the parents page by page, and the list of each of
//! them.
//!
//! The list of the parents has a cursor of its own, with the parents that are known. It moves on to the next page once
//! the lists of all parents on a page are read and stored, so a pass can stop anywhere: the page of parents is then
//! read again, and the poll's own cursor names those that are done and the place within the list of the one that is
//! not. Where the connector declares that a parent tells of changes, only new and changed parents are asked, and all of
//! them once a day; otherwise all are asked in each pass. Records count as removed only after a pass that has read the
//! lists of all parents, to their ends.

use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::examine::Examined;
use super::{Poll, Polled};
use crate::event::{Cursor, OverParents, PassSummary, ScanPosition, Seen};
use crate::journal::Error;
use crate::recipe::Emit;
use crate::request::paging::{self, Rounds};
use crate::trigger::page_answer::ReadFailure;
use crate::trigger::page_reader::PageReader;
use crate::trigger::parent::{Parent, UNREAD};
use crate::trigger::poller::Parents;

/// How often all parents are asked, where they tell of changes.
const COMPLETE_EVERY: TimeDelta = TimeDelta::hours(24);
/// After so many parents of which none could be read, the poll fails.
const MAX_SKIPPED: u64 = 5;
/// After so many polls in a row that failed at one parent, it is skipped.
const MAX_FAILURES: u32 = 5;

/// Why a pass does not go on.
enum Stop {
    /// A request failed.
    Unread(ReadFailure),
    /// The list of parents cannot be paged.
    Paging(paging::Error),
}

/// The readers of both lists.
struct Readers<'a> {
    parents: PageReader<'a>,
    items: PageReader<'a>,
}

impl<'a> Poll<'a> {
    /// Reads the lists of the parents that are to be asked.
    pub(super) async fn run_over(mut self, parents: &'a Parents) -> Result<Polled, Error> {
        let first = !self.cursor.baseline_done;
        let mut readers = Readers {
            parents: PageReader::new(&parents.poller, self.context, first),
            items: PageReader::new(self.poller, self.context, first),
        };
        loop {
            if let Some(ScanPosition::Removed { after }) = self.cursor.page.clone() {
                match self.sweep(after).await? {
                    Ok(true) => continue,
                    Ok(false) => return Ok(self.polled),
                    Err(not_read) => return self.fail(not_read).await,
                }
            }
            if let Some(list) = self.open_parents(parents).await? {
                match self.ask_parents(list, &mut readers).await? {
                    Ok(()) => {}
                    Err(Stop::Unread(not_read)) => return self.fail(not_read).await,
                    Err(Stop::Paging(error)) => return self.abort(&error).await,
                }
            }
            if let Some(failure) = self.nothing_read(self.cursor.over.complete) {
                return self.fail(failure).await;
            }
            self.end_pass();
            self.store(vec![], vec![], vec![]).await?;
            if self.cursor.page.is_none() {
                return Ok(self.polled);
            }
        }
    }

    /// The list of parents at the place where the pass is to go on; `None` if it has been read to its end.
    async fn open_parents(&mut self, parents: &'a Parents) -> Result<Option<Poll<'a>>, Error> {
        let poller = &parents.poller;
        let stored = self.journal.cursor(&poller.key).await?;
        let stored = stored.filter(|stored| stored.subject == poller.subject());
        let belongs = |stored: &Cursor| self.cursor.over.scan == Some(stored.first_scan());
        let continued = stored.as_ref().filter(|stored| belongs(stored));
        if continued.is_some_and(|stored| stored.page.is_none()) {
            return Ok(None);
        }
        let mut list = poller.open(self.context, self.claim.clone()).await?;
        // It is a part of this poll, whose cursor says how that is doing.
        list.cursor.health.connection = None;
        if continued.is_none() {
            let now = self.cursor.started;
            if !self.cursor.baseline_done {
                list.cursor = Cursor { scan: list.cursor.scan, ..poller.fresh(now) };
                list.reset = true;
                poller.begin(&mut list.cursor, now);
                list.cursor.health.connection = None;
            } else if stored.is_some_and(|stored| stored.page.is_some()) {
                list.give_up();
                poller.begin(&mut list.cursor, now);
            }
            let completed = self.cursor.over.completed;
            let complete = !parents.tells
                || !list.cursor.baseline_done
                || self.poller.emit.contains(&Emit::Removed)
                || completed.is_none_or(|at| at > now || now - at >= COMPLETE_EVERY);
            let scan = Some(list.cursor.first_scan());
            let next = *self.cursor.over.next_pass();
            *self.cursor.over = OverParents { scan, complete, ..next };
            self.between_parents();
            list.store(vec![], vec![], vec![]).await?;
        }
        Ok(Some(list))
    }

    /// Asks the parents of page after page.
    async fn ask_parents(
        &mut self,
        mut list: Poll<'a>,
        readers: &mut Readers<'a>,
    ) -> Result<Result<(), Stop>, Error> {
        let complete = self.cursor.over.complete;
        let with = match list.prepare() {
            Ok(with) => with,
            Err(reason) => return Ok(Err(Stop::Unread(ReadFailure::unread(reason)))),
        };
        list.stops_early &= !complete;
        while let Some(ScanPosition::Page(page)) = list.cursor.page.clone() {
            // What the first pass is repeated for are parents that it has missed.
            list.keeps_items = complete && list.cursor.pass.ended == 0;
            let mut inputs = with.clone();
            inputs.extend(page.clone());
            let examined = match readers.parents.read(&inputs).await {
                Ok(answer) => list.examine(answer, &page).await?,
                // Some APIs answer a request for the page after the last with 404.
                Err(ReadFailure::Failed { not_found: true, .. }) if list.has_ended(&page) => {
                    Ok(list.past_end(&page))
                }
                Err(not_read) => return Ok(Err(Stop::Unread(not_read))),
            };
            let examined = match examined {
                Ok(examined) => examined,
                Err(error) => return Ok(Err(Stop::Paging(error))),
            };
            self.polled.pages += 1;
            let over = &mut self.cursor.over;
            over.requests += 1;
            over.filled = over.filled.max(list.cursor.pass.filled);
            over.partial |= list.hidden || examined.unreadable > 0;
            let Examined { changes, mut seen, items, last, lost, .. } = examined;
            let items =
                if list.keeps_items { items } else { changes.into_iter().map(|new| new.item).collect() };
            if let Err(not_read) = self.ask_each(&list, items, &mut seen, &mut readers.items).await? {
                return Ok(Err(Stop::Unread(not_read)));
            }
            if last {
                self.end_parents(&mut list);
            }
            list.store(vec![], seen, vec![]).await?;
            self.cursor.over.done.clear();
            if let Some(error) = lost {
                return Ok(Err(Stop::Paging(error)));
            }
        }
        Ok(Ok(()))
    }

    /// Reads the lists of the parents on a page. Those that could not be read, although they are there, do not count as
    /// known; but where the first pass could not read them, that is remembered.
    async fn ask_each(
        &mut self,
        list: &Poll<'a>,
        items: Vec<Value>,
        seen: &mut Vec<Seen>,
        reader: &mut PageReader<'a>,
    ) -> Result<Result<(), ReadFailure>, Error> {
        let mut asked = std::collections::HashSet::new();
        let first = !self.cursor.baseline_done;
        let parents: Vec<Parent> =
            items.into_iter().map(|item| Parent::new(list.poller.listing(), item)).collect();
        let records: Vec<String> = parents.iter().map(|parent| parent.record.clone()).collect();
        let known = list.known(&records).await?;
        for parent in parents {
            let is_unread = known.get(&parent.record).is_some_and(|print| print == UNREAD);
            let parent = Parent { is_unread, ..parent };
            let mark = parent.mark();
            if !asked.insert(parent.record.clone()) || self.cursor.over.done.contains(&mark) {
                continue;
            }
            match self.read_items(parent, reader).await? {
                Ok(true) => {}
                Ok(false) if first || is_unread => {
                    let unread = seen.iter_mut().filter(|seen| seen.record == mark.0);
                    unread.for_each(|seen| UNREAD.clone_into(&mut seen.fingerprint));
                }
                Ok(false) => seen.retain(|seen| seen.record != mark.0),
                Err(not_read) => return Ok(Err(not_read)),
            }
            if let Some(failure) = self.nothing_read(false) {
                return Ok(Err(failure));
            }
        }
        Ok(Ok(()))
    }

    /// Reads the list of one parent to its end. Returns false if it was skipped although the parent is there.
    async fn read_items(
        &mut self,
        parent: Parent,
        reader: &mut PageReader<'a>,
    ) -> Result<Result<bool, ReadFailure>, Error> {
        // A parent that has changed meanwhile is read from the beginning.
        if self.cursor.over.parent != Some(parent.mark()) {
            self.begin_parent(&parent);
        }
        let scope = self.scope.clone().with("parent", std::sync::Arc::clone(&parent.item));
        self.parent = Some(parent);
        let with = match self.poller.inputs(&scope) {
            Ok(with) => with,
            Err(reason) => return self.skip_parent(reason).await.map(|()| Ok(false)),
        };
        while self.cursor.over.parent.is_some() {
            let Some(ScanPosition::Page(page)) = self.cursor.page.clone() else { break };
            let mut inputs = with.clone();
            inputs.extend(page.clone());
            let answer = reader.read(&inputs).await;
            if !matches!(answer, Err(ReadFailure::Held { .. } | ReadFailure::OnHold { .. })) {
                self.cursor.over.requests += 1;
            }
            match answer {
                Ok(answer) => match self.examine(answer, &page).await? {
                    Ok(examined) => {
                        if let Err(error) = self.take_items(examined).await? {
                            return self.skip_parent(error.to_string()).await.map(|()| Ok(false));
                        }
                    }
                    Err(error) => return self.skip_parent(error.to_string()).await.map(|()| Ok(false)),
                },
                Err(ReadFailure::Failed { not_found: true, .. }) if self.has_ended(&page) => {
                    let examined = self.past_end(&page);
                    // There is no page that could not be followed.
                    let _ = self.take_items(examined).await?;
                }
                Err(ReadFailure::Failed { reason, refused: true, gone, .. }) => {
                    return self.skip_parent(reason).await.map(|()| Ok(gone));
                }
                Err(ReadFailure::Failed { reason, .. }) if self.cursor.failures + 1 >= MAX_FAILURES => {
                    self.cursor.failures = 0;
                    return self.skip_parent(reason).await.map(|()| Ok(false));
                }
                Err(not_read) => return Ok(Err(not_read)),
            }
        }
        Ok(Ok(true))
    }

    /// Stores what a page of a parent's list shows.
    async fn take_items(&mut self, examined: Examined) -> Result<Result<(), paging::Error>, Error> {
        let Examined { changes, seen, last, lost, .. } = examined;
        if last {
            match self.baseline_is_uncertain() {
                true => self.read_again(),
                false => self.end_parent(),
            }
        }
        self.store(changes, seen, vec![]).await?;
        self.report_progress(None, false);
        Ok(lost.map_or(Ok(()), Err))
    }

    fn begin_parent(&mut self, parent: &Parent) {
        let first = self.poller.first_page(self.cursor.started);
        let cursor = &mut self.cursor;
        cursor.over.parent = Some(parent.mark());
        cursor.page = Some(ScanPosition::Page(first));
        cursor.pages = 0;
        (cursor.pass.fresh, cursor.pass.filled) = (0, 0);
        if !cursor.baseline_done {
            // Each list is repeated by itself.
            cursor.pass.ended = 0;
        }
        self.rounds = Rounds::default();
        (self.total, self.may_be_over) = (None, false);
    }

    fn end_parent(&mut self) {
        self.cursor.over.asked += 1;
        self.leave_parent();
    }

    /// Leaves out a parent whose list cannot be read.
    async fn skip_parent(&mut self, reason: String) -> Result<(), Error> {
        tracing::warn!(
            recipe = self.polled.recipe,
            connection = self.polled.connection,
            operation = self.poller.operation.id,
            parent = self.parent.as_ref().map(|parent| parent.record.as_str()),
            "the list of a parent cannot be read and is left out of this pass: {reason}"
        );
        let over = &mut self.cursor.over;
        (over.skipped, over.partial, over.reason) = (over.skipped + 1, true, Some(reason));
        self.leave_parent();
        self.store(vec![], vec![], vec![]).await
    }

    fn leave_parent(&mut self) {
        let over = &mut self.cursor.over;
        over.filled = over.filled.max(self.cursor.pass.filled);
        over.partial |= self.hidden;
        if let Some(parent) = self.parent.take() {
            over.done.push(parent.mark());
        }
        self.between_parents();
    }

    /// The pass is under way, with no parent's list.
    fn between_parents(&mut self) {
        self.cursor.over.parent = None;
        self.cursor.page = Some(ScanPosition::Page(Map::new()));
    }

    /// The failure of a pass in which no parent could be read: there is something wrong with all of them.
    fn nothing_read(&self, ends: bool) -> Option<ReadFailure> {
        let over = &self.cursor.over;
        if over.asked > 0 || over.skipped == 0 || !ends && over.skipped < MAX_SKIPPED {
            return None;
        }
        let reason = over.reason.as_deref().unwrap_or_default();
        let reason = match over.skipped {
            1 => format!("the list of the only parent cannot be read: {reason}"),
            count => format!("none of the lists of {count} parents can be read; the last one: {reason}"),
        };
        Some(ReadFailure::Failed { reason, asked: None, refused: true, not_found: false, gone: false })
    }

    /// Decides what follows the last page of the parents. In the first pass, a parent that was missed would be a new one
    /// later, with all its records.
    fn end_parents(&self, list: &mut Poll<'_>) {
        let pass = &list.cursor.pass;
        let again = !self.cursor.baseline_done
            && !self.next_finds_missed()
            && list.may_have_moved()
            && pass.fresh > 0
            && pass.ended + 1 < super::passes::MAX_PASSES;
        match again {
            true => list.read_again(),
            false => list.finish(),
        }
    }

    /// Ends the pass.
    fn end_pass(&mut self) {
        let over = &mut self.cursor.over;
        let (asked, skipped, reason) = (over.asked, over.skipped, over.reason.take());
        over.last = Some(PassSummary { complete: over.complete, asked, skipped, reason });
        if over.complete {
            (over.completed, over.whole) = (Some(self.cursor.started), Some(over.requests));
        }
        self.hidden |= over.partial;
        self.cursor.pages = over.requests;
        // Whether records may have moved is known of all lists together; each was repeated by itself.
        (self.cursor.pass.filled, self.cursor.pass.fresh) = (over.filled, 0);
        self.last_page();
    }
}
