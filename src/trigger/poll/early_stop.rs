//! Decides how far a list that is sorted newest first has to be read again.
//!
//! A list may show a change late, among older ones: an index lags, and records are not written in the order of their
//! times. So the part of a list that was read is stable only after it has been read once more when the list's lag has
//! passed. Until then, a poll may still stop at the first page that holds only known records; a late record further
//! down is found by the scan that rechecks. A bulk change of many pages is therefore read twice, not with every poll.

use chrono::{DateTime, TimeDelta, Utc};

use super::Poll;
use crate::catalog::Paging;
use crate::trigger::detect::Findings;
use crate::trigger::watermark::Watermark;

/// Precision of times without fractions of a second.
const COARSENESS: TimeDelta = TimeDelta::seconds(1);

impl Poll<'_> {
    /// Whether the list is sorted newest first and all its records have times.
    pub(super) fn may_stop_early(&self) -> bool {
        self.stops_early && !self.cursor.settled.undated
    }

    /// The time before which this scan need not read.
    pub(super) fn stable_until(&self) -> Option<DateTime<Utc>> {
        let watermark = || self.cursor.watermark.as_ref().and_then(Watermark::read);
        // Cursors of earlier versions have only the watermark.
        self.cursor.settled.until.or_else(|| Some(watermark()?.time - self.poller.listing().lag()))
    }

    /// Whether the scan can stop after this page.
    pub(super) fn is_enough(&mut self, findings: &Findings) -> bool {
        if !self.may_stop_early() || findings.enough {
            return findings.enough;
        }
        self.stopped_short = findings.known
            && self.cursor.baseline_done
            && !self.must_recheck()
            && !self.has_more_than_known();
        self.stopped_short
    }

    /// Whether the scan has to read on to the stable part of the list.
    fn must_recheck(&self) -> bool {
        let now = self.context.services.clock.now();
        let latest = now + self.poller.listing().lag() + COARSENESS;
        // A time further ahead was set before the clock was set back.
        self.cursor.settled.again.is_none_or(|again| again <= now || again > latest)
    }

    /// Whether the list's length shows that there are new records further down.
    fn has_more_than_known(&self) -> bool {
        self.total.zip(self.cursor.settled.total).is_some_and(|(total, before)| total > before + self.new)
    }

    /// Updates the stable part of the list after a scan that reached its end.
    pub(super) fn update_watermark(&mut self, watermark: Option<Watermark>, now: DateTime<Utc>) {
        let lag = self.poller.listing().lag();
        let mark = watermark.map(|watermark| watermark.time - lag);
        let before = self.stable_until();
        let slips = self.cursor.baseline_done && self.may_have_moved() && self.is_numbered();
        let first = !self.cursor.baseline_done;
        let early = self.may_stop_early();
        let settled = &mut self.cursor.settled;
        settled.total = self.total;
        if !early {
            return;
        }
        if first {
            settled.baseline = mark;
        }
        if first || !self.stopped_short {
            // With page numbers, a record may move between pages unseen, so the part is read twice before it counts
            // as stable.
            let until = if slips { settled.next.or(before) } else { mark };
            settled.next = mark.filter(|_| slips);
            settled.until = before.max(until);
            settled.again = Some(now + lag + COARSENESS);
        }
    }

    /// Abandons the scan: the next one starts at the first page and reads on past what this one has read.
    pub(super) fn give_up(&mut self) {
        self.cursor.page = None;
        self.cursor.settled.again = None;
    }

    fn is_numbered(&self) -> bool {
        matches!(
            self.poller.listing().paging,
            Paging::Offset { .. } | Paging::Page { .. } | Paging::Link { .. }
        )
    }
}
