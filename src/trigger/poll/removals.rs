//! Reports the records that a complete reading of the list did not show, unless there are so many that the answers are
//! more likely to be faulty. These stay known, and the cursor says that they are withheld, until the list shows them
//! again or a person accepts that they were removed.
//!
//! A record that is gone keeps the number of the scan that saw it last. What a person accepts is therefore one number:
//! the records last seen before the scan that showed the loss. Later losses have later numbers and are judged anew.

use super::{Poll, READ_PER_BATCH, REMOVED_PER_BATCH};
use crate::event::{ScanPosition, WithheldRemovals};
use crate::journal::{Error, SeenCount, accepted_removals, forget_accepted_removals};
use crate::trigger::detect::Change;
use crate::trigger::page_answer::ReadFailure;
use crate::trigger::readable_items::is_unreadable;

impl Poll<'_> {
    /// Reports the records after `after` that are missing as removed and returns false, or starts another pass over
    /// the list and returns true. The inner error says that one of them could not be read.
    pub(super) async fn sweep(&mut self, after: Option<String>) -> Result<Result<bool, ReadFailure>, Error> {
        if after.is_none() {
            self.forget_what_left_the_window().await?;
            let count = self.count_seen(self.first_scan()).await?;
            if self.is_uncertain_what_is_gone(count.missing) {
                self.read_again();
                self.cursor.over = self.cursor.over.next_pass();
                self.store(vec![], vec![], vec![]).await?;
                return Ok(Ok(true));
            }
            let accepted = self.judge_removals(count).await?;
            if let Err(not_read) = self.emit_removed(None).await? {
                return Ok(Err(not_read));
            }
            if accepted {
                // After a crash before this, what was accepted stays stored and applies to nothing: none of its
                // records is known any more.
                forget_accepted_removals(self.journal, &self.cursor.key).await?;
            }
            return Ok(Ok(false));
        }
        Ok(self.emit_removed(after).await?.map(|()| false))
    }

    /// Forgets the missing records that a list which answers only for a window of time does not show, even if they are
    /// still there: they are not removed, and do not count as known for the limit.
    async fn forget_what_left_the_window(&mut self) -> Result<(), Error> {
        let Some(window) = &self.poller.window else { return Ok(()) };
        let (first, started) = (self.first_scan(), self.cursor.started);
        let mut after = None;
        loop {
            let key = &self.cursor.key;
            let missing = self.journal.vanished(key, first, after.as_deref(), REMOVED_PER_BATCH).await?;
            let known = self.journal.seen(key, &missing).await?;
            let is_outside = |record: &&String| {
                !is_unreadable(record) && known.get(*record).is_none_or(|print| !window.shows(print, started))
            };
            let outside: Vec<String> = missing.iter().filter(is_outside).cloned().collect();
            after = missing.last().cloned();
            if !outside.is_empty() {
                self.store(vec![], vec![], outside).await?;
            }
            if missing.len() < REMOVED_PER_BATCH {
                return Ok(());
            }
        }
    }

    /// Decides which of the missing records are reported as removed; returns whether a person accepted some.
    async fn judge_removals(&mut self, count: SeenCount) -> Result<bool, Error> {
        let first = self.first_scan();
        self.cursor.pass.removed_before = Some(first);
        let earlier = self.cursor.withheld.take();
        let accepted = match &earlier {
            Some(withheld) => accepted_removals(self.journal, &self.cursor.key, withheld).await?,
            None => None,
        };
        let accepted_count = match accepted {
            Some(before) => self.count_seen(before).await?.missing,
            None => 0,
        };
        // The last of several readings has to be sound as well, because it confirms the others.
        let (shown_by, count) = match self.cursor.pass.ended {
            0 => (first, count),
            _ => (self.cursor.scan, self.count_seen(self.cursor.scan).await?),
        };
        let (missing, known) = (count.missing - accepted_count, count.known - accepted_count);
        let limit = self.poller.removed_limit;
        if !limit.is_exceeded(missing, known) {
            if earlier.is_some() {
                tracing::info!(
                    recipe = self.polled.recipe,
                    connection = self.polled.connection,
                    operation = self.poller.operation.id,
                    missing = count.missing,
                    "removed records are reported again"
                );
            }
            return Ok(accepted.is_some());
        }
        self.cursor.pass.removed_before = Some(accepted.unwrap_or(0));
        let operation = &self.poller.operation.id;
        let reason = match missing == known {
            true => format!("`{operation}` shows none of the {known} known records"),
            false => format!(
                "`{operation}` no longer shows {missing} of {known} known records, more than `removed_limit: {limit}` \
                 allows"
            ),
        };
        let since = match &earlier {
            Some(earlier) if accepted.is_none() => earlier.since,
            _ => self.context.services.clock.now(),
        };
        if earlier.is_none_or(|earlier| earlier.missing != missing) {
            let recipe = &self.polled.recipe;
            tracing::warn!(
                recipe,
                connection = self.polled.connection,
                "{reason}; no removed record is reported until the list shows them again, or until \
                 `hob resume {recipe} --accept-removed COUNT` says that they were removed (`hob status` tells the count)"
            );
        }
        let withheld = WithheldRemovals { missing, known, before: shown_by, since, reason };
        self.cursor.withheld = Some(Box::new(withheld));
        Ok(accepted.is_some())
    }

    /// Counts the known records, and those of them last seen before the scan `before`.
    async fn count_seen(&self, before: u64) -> Result<SeenCount, Error> {
        self.journal.count_seen(&self.cursor.key, before).await
    }

    async fn emit_removed(&mut self, mut after: Option<String>) -> Result<Result<(), ReadFailure>, Error> {
        let before = self.cursor.pass.removed_before.unwrap_or(self.first_scan());
        let most = if self.poller.record_read.is_some() { READ_PER_BATCH } else { REMOVED_PER_BATCH };
        loop {
            let key = &self.cursor.key;
            let gone = self.journal.vanished(key, before, after.as_deref(), most).await?;
            let readable = gone.iter().filter(|record| !is_unreadable(record)).cloned().collect();
            let removed = match self.without_moved(readable).await {
                Ok(removed) => removed,
                Err(not_read) => return Ok(Err(not_read)),
            };
            let removed = removed.iter().map(|record| self.poller.removed(record, self.cursor.scan));
            let changes: Vec<Change> = removed.collect();
            self.found |= !changes.is_empty();
            after = gone.last().cloned();
            let done = gone.len() < most;
            if done {
                self.finish();
                self.polled.withheld.clone_from(&self.cursor.withheld);
            } else {
                self.cursor.page = Some(ScanPosition::Removed { after: after.clone() });
            }
            self.store(changes, vec![], gone).await?;
            if done {
                return Ok(Ok(()));
            }
        }
    }
}
