//! How many runs may be leased, and in what order of priorities. Pure.

use crate::event::Priority;

use super::event_row::rank;

/// The runs that may be leased at once. Those of a more urgent priority go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// Of each priority: how many runs of it and of the less urgent ones.
    free: [usize; Priority::ALL.len()],
    /// A priority of which one run goes before those of the others.
    first: Option<Priority>,
}

impl Slots {
    /// Slots for `free` runs, whatever their priority.
    pub fn any(free: usize) -> Self {
        Self { free: [free; Priority::ALL.len()], first: None }
    }

    /// The same, but at most `free` of them for runs of `priority` and less urgent ones.
    #[must_use]
    pub fn with_limit(mut self, priority: Priority, free: usize) -> Self {
        self.free[rank(priority)] = free;
        self
    }

    /// The same, but one run of `first` goes before those of the other priorities.
    #[must_use]
    pub fn with_first(self, first: Option<Priority>) -> Self {
        Self { first, ..self }
    }

    /// How many runs of `priority` may be leased.
    pub(super) fn of(&self, priority: Priority) -> usize {
        self.free.iter().take(rank(priority) + 1).copied().min().unwrap_or(0)
    }

    /// Takes the slot of a run of `priority`.
    pub(super) fn take(&mut self, priority: Priority) {
        for free in self.free.iter_mut().take(rank(priority) + 1) {
            *free = free.saturating_sub(1);
        }
    }

    /// The priorities in the order of their turns, each with the most runs that are leased in that turn.
    pub(super) fn order(&self) -> impl Iterator<Item = (Priority, usize)> + use<> {
        let first = self.first.map(|first| (first, 1));
        first.into_iter().chain(Priority::ALL.map(|priority| (priority, usize::MAX)))
    }

    /// Of each priority, how many runs of it and of the less urgent ones may be leased.
    pub(super) fn free(&self) -> [usize; Priority::ALL.len()] {
        self.free
    }

    /// The priority of which one run goes before those of the others.
    pub(super) fn first(&self) -> Option<Priority> {
        self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_the_slot_of_the_more_urgent_priorities_too() {
        let mut slots = Slots::any(4).with_limit(Priority::Poll, 3).with_limit(Priority::Backfill, 2);
        let of = |slots: &Slots| Priority::ALL.map(|priority| slots.of(priority));
        assert_eq!(of(&slots), [4, 3, 2]);
        slots.take(Priority::Backfill);
        assert_eq!(of(&slots), [3, 2, 1]);
        slots.take(Priority::Webhook);
        slots.take(Priority::Webhook);
        assert_eq!(of(&slots), [1, 1, 1]);
        slots.take(Priority::Poll);
        assert_eq!(of(&slots), [0, 0, 0]);
    }

    #[test]
    fn one_run_of_a_priority_may_go_first() {
        let order: Vec<_> = Slots::any(9).with_first(Some(Priority::Backfill)).order().collect();
        assert_eq!(order[0], (Priority::Backfill, 1));
        assert_eq!(order[1..].iter().map(|(priority, _)| *priority).collect::<Vec<_>>(), Priority::ALL);
    }
}
