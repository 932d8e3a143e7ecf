//! Lists that are read more than once in a poll, because they may change while they are read.
//!
//! Between two requests a record may move to another page: to the top, when a list is sorted by its last change, or to
//! the page before, when another record is deleted. The scan then misses it. So a record counts as removed only after
//! several passes have missed it, and the first poll of a recipe reads the list until no more existing records turn up.
//! A list that fits into one answer cannot change meanwhile and is read once.

use super::Poll;
use crate::event::ScanPosition;
use crate::recipe::Start;
use crate::request::paging;

/// Maximum number of passes over a list in one poll.
pub(super) const MAX_PASSES: u32 = 3;

impl Poll<'_> {
    /// Whether the first poll may have missed records that existed when the recipe started.
    pub(super) fn baseline_is_uncertain(&self) -> bool {
        let pass = &self.cursor.pass;
        self.is_first_reading()
            && !self.next_finds_missed()
            && self.may_have_moved()
            && pass.fresh > 0
            && pass.ended + 1 < MAX_PASSES
    }

    /// Whether what the first poll misses is new to the next one, as with `start: all`. A backfill has no next one.
    pub(super) fn next_finds_missed(&self) -> bool {
        self.poller.start == Start::All && self.poller.backfill.is_none()
    }

    /// An error if the last page, `number`, is empty, although the list states a `total` that the pages before cannot
    /// have held. After the first scan it is none: a later poll finds the rest, but nothing counts as removed.
    pub(super) fn ensure_complete(&mut self, total: Option<u64>, number: u64) -> Result<(), paging::Error> {
        let stated = total.filter(|total| *total > 0).or(self.total);
        let most = paging::most_records(&self.poller.listing().paging, number - 1);
        let Some((total, read)) = stated.zip(most).filter(|(total, read)| total > read) else {
            return Ok(());
        };
        self.hidden = true;
        let operation = self.poller.operation.id.clone();
        let error = paging::Error::Incomplete { operation, page: number, total, read };
        if self.cursor.baseline_done {
            tracing::warn!(recipe = self.polled.recipe, connection = self.polled.connection, "{error}");
            return Ok(());
        }
        Err(error)
    }

    /// Starts another pass over the list.
    pub(super) fn read_again(&mut self) {
        let cursor = &mut self.cursor;
        cursor.scan += 1;
        cursor.pages = 0;
        cursor.pass.ended += 1;
        (cursor.pass.fresh, cursor.pass.filled) = (0, 0);
        cursor.page = Some(ScanPosition::Page(self.poller.first_page(cursor.started)));
        self.rounds = paging::Rounds::default();
        self.may_be_over = false;
    }

    /// Whether the list took more than one answer.
    pub(super) fn may_have_moved(&self) -> bool {
        self.cursor.pass.filled > 1
    }

    /// Number of the first pass of this poll.
    pub(super) fn first_scan(&self) -> u64 {
        self.cursor.first_scan()
    }

    /// Whether some of the `missing` records may have moved between pages.
    pub(super) fn is_uncertain_what_is_gone(&mut self, missing: u64) -> bool {
        // What earlier polls missed as well has not moved.
        let is_withheld = self.cursor.withheld.as_ref().is_some_and(|withheld| withheld.missing == missing);
        let pass = &mut self.cursor.pass;
        let moved = match pass.ended {
            0 => {
                pass.missing = missing;
                !is_withheld
            }
            // The same number is missing as after the last pass, so the list has not changed.
            _ => missing != pass.missing,
        };
        missing > 0 && moved && self.may_have_moved() && self.cursor.pass.ended + 1 < MAX_PASSES
    }
}
