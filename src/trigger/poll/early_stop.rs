//! Up to where a list that comes newest first need not be read again.
//!
//! A list may show a change late, at its place among older ones: an index lags, and writes do not come in the order of
//! their times. So what was read is settled only once it was read again after the time that the list may lag. Until
//! then, a poll may still stop at the first page that holds nothing but known records: what is late further down is
//! found by the scan that settles. A bulk change of many pages is so read twice, and not with every poll.

use chrono::{DateTime, TimeDelta, Utc};

use super::Poll;
use crate::catalog::Paging;
use crate::trigger::detect::Findings;
use crate::trigger::watermark::Watermark;

/// Times without parts of a second are that much too early.
const COARSENESS: TimeDelta = TimeDelta::seconds(1);

impl Poll<'_> {
    /// The list comes newest first, and its records have the times to tell.
    pub(super) fn may_stop_early(&self) -> bool {
        self.stops_early && !self.cursor.settled.undated
    }

    /// Where this scan may stop.
    pub(super) fn stable_until(&self) -> Option<DateTime<Utc>> {
        let watermark = || self.cursor.watermark.as_ref().and_then(Watermark::read);
        // Cursors of earlier versions have only the watermark.
        self.cursor.settled.until.or_else(|| Some(watermark()?.time - self.poller.listing().lag()))
    }

    /// Nothing that this scan looks for comes after the page.
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

    /// The scan reads on to what is settled.
    fn must_recheck(&self) -> bool {
        let now = self.context.services.clock.now();
        let latest = now + self.poller.listing().lag() + COARSENESS;
        // What lies further ahead was set by a clock that has been set back since.
        self.cursor.settled.again.is_none_or(|again| again <= now || again > latest)
    }

    /// By the length of the list, there are new records further down.
    fn has_more_than_known(&self) -> bool {
        self.total.zip(self.cursor.settled.total).is_some_and(|(total, before)| total > before + self.new)
    }

    /// Notes what is settled after a scan that has come to its end.
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
            // Between numbered pages a record may slip through: what is to be settled is read twice.
            let until = if slips { settled.next.or(before) } else { mark };
            settled.next = mark.filter(|_| slips);
            settled.until = before.max(until);
            settled.again = Some(now + lag + COARSENESS);
        }
    }

    /// The scan is not read to its end: the next one begins anew, and reads on past what this one has read.
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
