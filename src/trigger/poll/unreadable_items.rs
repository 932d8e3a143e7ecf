//! Reports records of a page that cannot be read as they should be, and stores them as failed events.

use super::Poll;
use crate::event::Seen;
use crate::recipe::Start;
use crate::trigger::detect::Findings;
use crate::trigger::poller::Known;
use crate::trigger::readable_items::Unreadable;

impl Poll<'_> {
    /// Events for the unreadable records, once for each, and what to remember of them. Records that existed before a
    /// recipe that starts now are ignored.
    pub(super) fn record_unreadable(&mut self, bad: Vec<Unreadable>, known: &Known, page: u64) -> Vec<Seen> {
        let silent = !self.cursor.baseline_done && self.poller.start == Start::Now;
        let mut seen = Vec::new();
        for unreadable in bad {
            if !known.contains_key(&unreadable.name) {
                tracing::warn!(
                    recipe = self.polled.recipe,
                    connection = self.poller.connection.name,
                    operation = self.poller.operation.id,
                    page,
                    position = unreadable.position,
                    id = unreadable.id,
                    "a record cannot be read and is kept aside: {}",
                    unreadable.reason
                );
                if !silent {
                    self.failed_events.push(self.poller.unreadable(
                        &unreadable,
                        page,
                        self.source(),
                        &self.scope,
                    ));
                }
            }
            seen.push(Seen { record: unreadable.name, fingerprint: unreadable.reason });
        }
        seen
    }

    pub(super) fn warn_hidden(&mut self, page: u64) {
        self.hidden = true;
        tracing::warn!(
            recipe = self.polled.recipe,
            connection = self.poller.connection.name,
            operation = self.poller.operation.id,
            page,
            "all records of a page have one value to go on from: further ones of that value cannot be reached"
        );
    }

    pub(super) fn warn_odd_times(&self, findings: &Findings) {
        for (record, field, value) in &findings.odd_times {
            tracing::warn!(
                recipe = self.polled.recipe,
                connection = self.poller.connection.name,
                operation = self.poller.operation.id,
                record,
                "`{field}` is no time: {value}; the record is read without it"
            );
        }
    }
}
