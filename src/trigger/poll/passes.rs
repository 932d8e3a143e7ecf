//! Lists that are read more than once in a poll, because they may change while they are read.
//!
//! Between two requests a record may move to another page: to the top, when a list is sorted by its last change, or to
//! the page before, when another record is deleted. The scan then misses it. So a record counts as removed only after
//! several passes have missed it, and the first poll of a recipe reads the list until no more existing records turn up.
//! A list that fits into one answer cannot change meanwhile and is read once.

use super::{Poll, REMOVED_PER_BATCH};
use crate::event::ScanPosition;
use crate::journal::Error;
use crate::recipe::Start;
use crate::request::paging;
use crate::trigger::detect::{self, Change};
use crate::trigger::readable_items::is_unreadable;

/// Maximum number of passes over a list in one poll.
const MAX_PASSES: u32 = 3;

impl Poll<'_> {
    /// Whether the first poll may have missed records that existed when the recipe started.
    pub(super) fn baseline_is_uncertain(&self) -> bool {
        let pass = &self.cursor.pass;
        // What the first poll of `start: all` misses is new to the next one. A backfill has no next one.
        let has_next = self.poller.start == Start::All && self.poller.backfill.is_none();
        !self.cursor.baseline_done
            && !has_next
            && self.may_have_moved()
            && pass.fresh > 0
            && pass.ended + 1 < MAX_PASSES
    }

    /// Starts another pass over the list.
    pub(super) fn read_again(&mut self) {
        let cursor = &mut self.cursor;
        cursor.scan += 1;
        cursor.pages = 0;
        cursor.pass.ended += 1;
        (cursor.pass.fresh, cursor.pass.filled) = (0, 0);
        cursor.page = Some(ScanPosition::Page(paging::first(&self.poller.listing().paging)));
        self.rounds = paging::Rounds::default();
        self.may_be_over = false;
    }

    /// Reports the records after `after` that are missing as removed and returns false, or starts another pass over
    /// the list and returns true.
    pub(super) async fn sweep(&mut self, after: Option<String>) -> Result<bool, Error> {
        if after.is_none() && self.is_uncertain_what_is_gone().await? {
            self.read_again();
            self.store(vec![], vec![], vec![]).await?;
            return Ok(true);
        }
        self.emit_removed(after).await?;
        Ok(false)
    }

    /// Whether the list took more than one answer.
    pub(super) fn may_have_moved(&self) -> bool {
        self.cursor.pass.filled > 1
    }

    /// Number of the first pass of this poll.
    fn first_scan(&self) -> u64 {
        self.cursor.scan.saturating_sub(u64::from(self.cursor.pass.ended))
    }

    /// Whether records are missing that may have moved between pages.
    async fn is_uncertain_what_is_gone(&mut self) -> Result<bool, Error> {
        let missing = self.missing().await?;
        let pass = &mut self.cursor.pass;
        let moved = match pass.ended {
            0 => {
                pass.missing = missing;
                true
            }
            // The same number is missing as after the last pass, so the list has not changed.
            _ => missing != pass.missing,
        };
        Ok(missing > 0 && moved && self.may_have_moved() && self.cursor.pass.ended + 1 < MAX_PASSES)
    }

    /// Number of records that no pass of this poll has met.
    async fn missing(&self) -> Result<u64, Error> {
        let (mut count, mut after) = (0, None);
        loop {
            let some = self.vanished(after.as_deref()).await?;
            count += some.len() as u64;
            if some.len() < REMOVED_PER_BATCH {
                return Ok(count);
            }
            after = some.last().cloned();
        }
    }

    async fn vanished(&self, after: Option<&str>) -> Result<Vec<String>, Error> {
        self.journal.vanished(&self.cursor.key, self.first_scan(), after, REMOVED_PER_BATCH).await
    }

    async fn emit_removed(&mut self, mut after: Option<String>) -> Result<(), Error> {
        loop {
            let gone = self.vanished(after.as_deref()).await?;
            let changes: Vec<Change> = gone
                .iter()
                .filter(|record| !is_unreadable(record))
                .map(|record| detect::removed(self.poller.listing(), record, self.cursor.scan))
                .collect();
            self.found |= !changes.is_empty();
            after = gone.last().cloned();
            let done = gone.len() < REMOVED_PER_BATCH;
            if done {
                self.finish();
            } else {
                self.cursor.page = Some(ScanPosition::Removed { after: after.clone() });
            }
            self.store(changes, vec![], gone).await?;
            if done {
                return Ok(());
            }
        }
    }
}
