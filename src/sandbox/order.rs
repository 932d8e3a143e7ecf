//! The order of a collection by one field, updated as records change.

use std::sync::Arc;

use super::condition::SortKey;

/// Slots in ascending order of a field, then of the id. Records without the field come first.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The field's value, by slot.
    keys: Vec<Option<SortKey>>,
    /// The ordered slots.
    slots: Vec<u32>,
}

/// A position between records: the field's value, then the id.
pub(super) type Place<'a> = (Option<&'a SortKey>, &'a str);

impl Order {
    /// The order of these records (slot and key, in the order of their slots).
    pub(super) fn new(keys: Vec<Option<SortKey>>, live: impl Iterator<Item = u32>, ids: &[Arc<str>]) -> Self {
        let mut order = Self { keys, slots: live.collect() };
        let mut slots = std::mem::take(&mut order.slots);
        order.sort(&mut slots, ids);
        Self { slots, ..order }
    }

    /// How many of `slots` (in this order) precede a position, including those at it if `including`.
    pub(super) fn rank(&self, slots: &[u32], ids: &[Arc<str>], at: Place<'_>, including: bool) -> usize {
        slots.partition_point(|&slot| {
            let here = place(&self.keys, ids, slot);
            here < at || (including && here == at)
        })
    }

    /// Like `rank`, by the field's value alone.
    pub(super) fn rank_of_key(&self, slots: &[u32], key: &SortKey, including: bool) -> usize {
        slots.partition_point(|&slot| {
            let here = self.key(slot);
            here < Some(key) || (including && here == Some(key))
        })
    }

    /// Sorts `slots` by this order.
    pub(super) fn sort(&self, slots: &mut [u32], ids: &[Arc<str>]) {
        slots.sort_unstable_by(|&a, &b| place(&self.keys, ids, a).cmp(&place(&self.keys, ids, b)));
    }

    /// Adds a record.
    pub(super) fn insert(&mut self, ids: &[Arc<str>], slot: u32, key: Option<SortKey>) {
        let index = slot as usize;
        if self.keys.len() <= index {
            self.keys.resize(index + 1, None);
        }
        let at = self.rank(&self.slots, ids, (key.as_ref(), &ids[index]), false);
        self.keys[index] = key;
        self.slots.insert(at, slot);
    }

    /// Removes a record.
    pub(super) fn remove(&mut self, ids: &[Arc<str>], slot: u32) {
        let at = self.rank(&self.slots, ids, place(&self.keys, ids, slot), false);
        if self.slots.get(at) == Some(&slot) {
            self.slots.remove(at);
        }
    }

    /// The ordered slots.
    pub(super) fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// The value of the field.
    pub(super) fn key(&self, slot: u32) -> Option<&SortKey> {
        self.keys.get(slot as usize)?.as_ref()
    }
}

fn place<'a>(keys: &'a [Option<SortKey>], ids: &'a [Arc<str>], slot: u32) -> Place<'a> {
    (keys[slot as usize].as_ref(), &ids[slot as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_ordered_through_changes() {
        let mut ids: Vec<Arc<str>> = ["c", "a", "b"].map(Arc::from).to_vec();
        let keys = [5, 5, 1].map(|n| Some(SortKey::Number(n))).to_vec();
        let mut order = Order::new(keys, 0..3, &ids);
        assert_eq!(order.slots(), [2, 1, 0]);
        order.remove(&ids, 2);
        order.insert(&ids, 2, Some(SortKey::Number(9)));
        ids.push("d".into());
        order.insert(&ids, 3, None);
        assert_eq!(order.slots(), [3, 1, 0, 2]);
        let five = SortKey::Number(5);
        assert_eq!(order.rank(order.slots(), &ids, (Some(&five), "a"), true), 2);
        assert_eq!(order.rank_of_key(order.slots(), &five, true), 3);
    }
}
