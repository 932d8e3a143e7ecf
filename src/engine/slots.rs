//! Which runs may take the slots of an engine. Some slots are never taken by runs of backfills, and some of those
//! neither by runs of polls, so that what somebody waits for starts at once, however long the others take. More urgent
//! runs go first; but what was passed over again and again while it had no slot gets one, so that no priority starves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::event::Priority;
use crate::journal::Slots;

/// Of this many slots, one is kept for runs that somebody waits for: at least one of two.
const PER_URGENT_SLOT: usize = 8;
/// Of this many slots, one is not taken by runs of backfills: at least two of three.
const PER_LIVE_SLOT: usize = 4;

/// The priorities of runs that nobody waits for, and how many more urgent runs may begin while none of theirs is in
/// progress, before one of theirs does.
const PATIENCE: [(Priority, usize); 2] = [(Priority::Poll, 10), (Priority::Backfill, 20)];

/// The slots of an engine, and who has them.
#[derive(Debug)]
pub(super) struct SlotUse {
    concurrency: usize,
    /// The runs in progress, by priority.
    in_progress: [Arc<AtomicUsize>; Priority::ALL.len()],
    /// Of each priority, the more urgent runs that have begun since one of its own was in progress.
    passed_over: [usize; Priority::ALL.len()],
}

/// The slot of a run in progress; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl SlotUse {
    /// `concurrency` free slots.
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            concurrency: concurrency.max(1),
            in_progress: Priority::ALL.map(|_| Arc::default()),
            passed_over: Priority::ALL.map(|_| 0),
        }
    }

    /// The free slots; `None` if there are none.
    pub(super) fn free(&mut self) -> Option<Slots> {
        let free = Priority::ALL.map(|priority| self.most(priority).saturating_sub(self.taken(priority)));
        if free.iter().all(|free| *free == 0) {
            return None;
        }
        let slots = Priority::ALL
            .into_iter()
            .zip(free)
            .fold(Slots::any(self.concurrency), |slots, (priority, free)| slots.with_limit(priority, free));
        Some(slots.with_first(self.next_in_need()))
    }

    /// Takes a slot for a run.
    pub(super) fn take(&mut self, priority: Priority) -> Slot {
        for (other, passed_over) in Priority::ALL.into_iter().zip(&mut self.passed_over) {
            if other == priority {
                *passed_over = 0;
            } else if priority < other {
                *passed_over += 1;
            }
        }
        let count = &self.in_progress[priority as usize];
        count.fetch_add(1, Ordering::AcqRel);
        Slot(Arc::clone(count))
    }

    /// The most runs in progress of a priority and of the less urgent ones.
    fn most(&self, priority: Priority) -> usize {
        let all = self.concurrency;
        let kept = match priority {
            Priority::Webhook => 0,
            Priority::Poll => (all / PER_URGENT_SLOT).max(1),
            Priority::Backfill => (all / PER_LIVE_SLOT).max(2),
        };
        all.saturating_sub(kept).max(1)
    }

    /// The runs in progress of a priority and of the less urgent ones.
    fn taken(&self, priority: Priority) -> usize {
        Priority::ALL.into_iter().filter(|other| *other >= priority).map(|other| self.running(other)).sum()
    }

    fn running(&self, priority: Priority) -> usize {
        self.in_progress[priority as usize].load(Ordering::Acquire)
    }

    /// A priority that was passed over too often. It is asked for once, as it may have no run that waits.
    fn next_in_need(&mut self) -> Option<Priority> {
        let (priority, _) = PATIENCE.into_iter().find(|(priority, patience)| {
            self.running(*priority) == 0 && self.passed_over[*priority as usize] >= *patience
        })?;
        self.passed_over[priority as usize] = 0;
        Some(priority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use Priority::{Backfill, Poll, Webhook};

    /// Slots for so many runs of each priority and of the less urgent ones.
    fn slots(free: [usize; 3]) -> Slots {
        let [webhooks, polls, backfills] = free;
        Slots::any(webhooks).with_limit(Poll, polls).with_limit(Backfill, backfills)
    }

    #[test]
    fn some_slots_are_kept_for_what_somebody_waits_for() {
        let mut use_of_slots = SlotUse::new(32);
        assert_eq!(use_of_slots.free(), Some(slots([32, 28, 24])));
        let backfills: Vec<_> = (0..24).map(|_| use_of_slots.take(Backfill)).collect();
        assert_eq!(use_of_slots.free(), Some(slots([8, 4, 0])));
        let polls: Vec<_> = (0..4).map(|_| use_of_slots.take(Poll)).collect();
        assert_eq!(use_of_slots.free(), Some(slots([4, 0, 0])));
        let hooks: Vec<_> = (0..4).map(|_| use_of_slots.take(Webhook)).collect();
        assert_eq!(use_of_slots.free(), None);
        drop(backfills);
        drop(hooks);
        assert_eq!(use_of_slots.free(), Some(slots([28, 24, 24])));
        drop(polls);
    }

    #[test]
    fn few_slots_are_shared_as_far_as_possible() {
        let free = |concurrency| SlotUse::new(concurrency).free();
        assert_eq!(free(0), Some(slots([1, 1, 1])));
        assert_eq!(free(1), Some(slots([1, 1, 1])));
        assert_eq!(free(2), Some(slots([2, 1, 1])));
        assert_eq!(free(4), Some(slots([4, 3, 2])));
    }

    #[test]
    fn what_is_passed_over_again_and_again_goes_first_once() {
        let mut use_of_slots = SlotUse::new(1);
        let mut order = Vec::new();
        // Runs of every priority wait all the time.
        for _ in 0..66 {
            let free = use_of_slots.free().expect("a slot");
            let first =
                Priority::ALL.into_iter().find(|first| free == slots([1; 3]).with_first(Some(*first)));
            let next = first.unwrap_or(Webhook);
            drop(use_of_slots.take(next));
            order.push(next);
        }
        let of = |priority| order.iter().filter(|next| **next == priority).count();
        assert_eq!([of(Webhook), of(Poll), of(Backfill)], [58, 5, 3]);
        assert!(order[..10].iter().all(|next| *next == Webhook), "{order:?}");
    }

    #[test]
    fn what_has_a_slot_or_no_run_is_not_passed_over() {
        let mut use_of_slots = SlotUse::new(8);
        let slot = use_of_slots.take(Poll);
        let mut firsts = Vec::new();
        for _ in 0..24 {
            firsts.extend(use_of_slots.next_in_need());
            drop(use_of_slots.take(Webhook));
        }
        drop(slot);
        assert_eq!(firsts, [Backfill], "no backfill waits, and it is asked for once");
    }
}
