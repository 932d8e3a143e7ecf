//! How a scan ends: at the end of the list, or earlier.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::examine::Examined;
use super::{Poll, Polled};
use crate::event::{DedupKey, Event, EventId, ScanPosition};
use crate::journal::{Batch, Error};
use crate::recipe::Emit;
use crate::request::paging;
use crate::trigger::page_answer::ReadFailure;
use crate::trigger::watermark::Watermark;
use crate::value::after;

impl Poll<'_> {
    /// Whether a 404 for `page` means that the list has ended before it.
    pub(super) fn has_ended(&self, page: &Map<String, Value>) -> bool {
        self.may_be_over || paging::ends_with_not_found(&self.poller.listing().paging, page)
    }

    /// What there is behind `page`, when it turns out that no page follows it: the next part of the window, or nothing.
    pub(super) fn past_end(&mut self, page: &Map<String, Value>) -> Examined {
        self.may_be_over = false;
        let next = self.next_part(page);
        let last = next.is_none();
        self.cursor.page = next.map(ScanPosition::Page);
        Examined {
            changes: vec![],
            seen: vec![],
            items: vec![],
            unreadable: 0,
            last,
            lost: None,
            total: None,
        }
    }

    /// Decides what follows the last page.
    pub(super) fn last_page(&mut self) {
        let removed = self.poller.emit.contains(&Emit::Removed);
        if !removed {
            self.cursor.withheld = None;
        }
        if removed && self.cursor.baseline_done && !self.hidden {
            self.cursor.page = Some(ScanPosition::Removed { after: None });
        } else if self.baseline_is_uncertain() {
            self.read_again();
        } else {
            self.finish();
        }
    }

    /// Marks the scan as finished.
    pub(super) fn finish(&mut self) {
        let now = self.context.services.clock.now();
        let cursor = &self.cursor;
        let read = |value: &Option<Value>| value.as_ref().and_then(Watermark::read);
        let (before, newest) = (read(&cursor.watermark), read(&cursor.newest));
        // An empty list that had records may be a faulty answer: it does not show that there were no changes.
        let empty = before.filter(|_| cursor.pass.filled == 0);
        let watermark = empty.or_else(|| Watermark::after(before, newest, cursor.started, self.server));
        match empty {
            Some(_) => self.cursor.settled.again = None,
            None => self.update_watermark(watermark, now),
        }
        self.ended_first_scan |= !self.cursor.baseline_done;
        let cursor = &mut self.cursor;
        cursor.watermark = watermark.map(Watermark::to_value);
        (cursor.page, cursor.newest, cursor.baseline_done) = (None, None, true);
        (cursor.failures, cursor.error) = (0, None);
        cursor.health.succeeded(now);
        let spared = cursor.pace.spares_budget;
        cursor.pace = self.poller.pace_after(&cursor.pace, self.found);
        if cursor.pace.spares_budget && !spared {
            tracing::warn!(
                recipe = self.polled.recipe,
                connection = self.polled.connection,
                "polls less often: little is left of the day's requests"
            );
        }
        cursor.due = self.poller.due_after(&cursor.pace, cursor.started, now);
        self.polled.finished = true;
    }

    /// Abandons the scan because its cursor cannot continue, and records the error in the history.
    pub(super) async fn abort(mut self, error: &paging::Error) -> Result<Polled, Error> {
        let message = error.to_string();
        let event = Event {
            id: EventId::new(),
            source: self.source(),
            kind: "error".into(),
            connection: Some(self.poller.connection.name.clone()),
            record: None,
            dedup: DedupKey(format!("error:{}", self.cursor.scan)),
            received: self.context.services.clock.now(),
            payload: json!({ "operation": self.poller.operation.id, "page": self.cursor.pages, "message": message }),
        };
        self.failed(message, None);
        self.give_up();
        self.polled.due = self.cursor.due;
        let progress = self.progress(vec![], vec![]);
        self.journal.append(Batch { events: vec![(event, vec![])], progress: Some(progress) }).await?;
        Ok(self.polled)
    }

    /// Records that a page could not be read. The scan continues with that page later, unless the API refuses it.
    pub(super) async fn fail(mut self, not_read: ReadFailure) -> Result<Polled, Error> {
        match not_read {
            ReadFailure::Held { wait, reason } => self.put_off(wait, reason),
            ReadFailure::OnHold { wait, reason } => {
                self.cursor.held = true;
                self.put_off(wait, reason);
            }
            ReadFailure::Failed { reason, asked, refused, .. } => {
                self.failed(reason, asked);
                let read_nothing = self.polled.pages == 0 && self.cursor.pages == 0;
                if refused || read_nothing && self.poller.parents.is_none() {
                    // The next scan starts again, with cursors that the API may still accept.
                    self.give_up();
                }
            }
        }
        self.store(vec![], vec![], vec![]).await?;
        Ok(self.polled)
    }

    fn put_off(&mut self, wait: Duration, reason: String) {
        self.cursor.due = after(self.context.services.clock.now(), wait);
        self.cursor.health.waits = Some(reason.clone());
        self.polled.held = Some(wait);
        self.polled.error = Some(reason);
    }

    pub(super) fn failed(&mut self, message: String, asked: Option<Duration>) {
        let now = self.context.services.clock.now();
        tracing::warn!(
            recipe = self.polled.recipe,
            connection = self.polled.connection,
            operation = self.poller.operation.id,
            failures = self.cursor.failures + 1,
            "poll failed: {message}"
        );
        self.cursor.failures += 1;
        self.cursor.health.failed(now);
        self.cursor.error = Some(message.clone());
        self.cursor.due = self.poller.due_after_failure(self.cursor.failures, asked, now);
        self.polled.error = Some(message);
    }
}
