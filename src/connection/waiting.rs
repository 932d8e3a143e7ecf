//! The order of the requests that wait for a window: by priority, but no class waits for ever. Pure.

use std::collections::BTreeSet;

use crate::event::Priority;

/// Classes in the order of [`Priority`], and of how many requests one is theirs if they wait for it.
const CLASSES: [(Priority, u32); 3] =
    [(Priority::Webhook, u32::MAX), (Priority::Poll, 10), (Priority::Backfill, 20)];

/// The place of a waiting request: its class, and when it came.
pub(super) type Place = (Priority, u64);

/// The waiting requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting {
    places: BTreeSet<Place>,
    /// How many requests of other classes went before a waiting one of each class.
    passed: [u32; CLASSES.len()],
}

impl Waiting {
    pub(super) fn insert(&mut self, place: Place) {
        self.places.insert(place);
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The one whose turn it is.
    pub(super) fn next(&self) -> Option<Place> {
        let overdue = CLASSES.iter().zip(self.passed).rev().find_map(|((class, share), passed)| {
            if passed + 1 >= *share { self.first(*class) } else { None }
        });
        overdue.or_else(|| self.places.first().copied())
    }

    /// Removes a request that gave up.
    pub(super) fn remove(&mut self, place: &Place) {
        self.places.remove(place);
    }

    /// Removes a request that was served.
    pub(super) fn serve(&mut self, place: &Place) {
        self.places.remove(place);
        let waits = CLASSES.map(|(class, _)| class != place.0 && self.first(class).is_some());
        for (passed, waits) in self.passed.iter_mut().zip(waits) {
            *passed = if waits { passed.saturating_add(1) } else { 0 };
        }
    }

    fn first(&self, class: Priority) -> Option<Place> {
        self.places.range((class, 0)..=(class, u64::MAX)).next().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_class_starves() {
        let mut waiting = Waiting::default();
        for number in 0..200 {
            CLASSES.iter().for_each(|(class, _)| waiting.insert((*class, number)));
        }
        let mut served = Vec::new();
        for _ in 0..200 {
            let next = waiting.next().unwrap();
            waiting.serve(&next);
            served.push(next);
        }
        let of = |class| served.iter().filter(|place| place.0 == class).count();
        assert_eq!([of(Priority::Webhook), of(Priority::Poll), of(Priority::Backfill)], [171, 19, 10]);
        assert!(served.iter().take(9).all(|place| place.0 == Priority::Webhook), "{served:?}");
        let mut in_order = served.clone();
        in_order.retain(|place| place.0 == Priority::Webhook);
        assert!(in_order.is_sorted(), "first come, first served");
    }

    #[test]
    fn a_class_alone_is_served_at_once() {
        let mut waiting = Waiting::default();
        waiting.insert((Priority::Backfill, 7));
        assert_eq!(waiting.next(), Some((Priority::Backfill, 7)));
        waiting.remove(&(Priority::Backfill, 7));
        assert_eq!((waiting.next(), waiting.is_empty()), (None, true));
    }
}
