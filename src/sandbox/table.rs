//! The records of one collection: by id, by field and in order, with indexes built on demand.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::condition::{SortKey, words};
use super::config::Collection;
use super::generate::{self, Material, Record};
use super::identity::hash;
use super::order::Order;

/// The content of a slot.
#[derive(Debug, Clone)]
enum Slot {
    /// A record that was written.
    Stored(Arc<Record>),
    /// The generated record with this number.
    Generated(u32),
    /// A record that was removed.
    Removed,
}

/// The records of one collection. A record keeps its slot; slots are not reused.
#[derive(Debug)]
pub(super) struct Table {
    name: Arc<str>,
    collection: Arc<Collection>,
    material: Material,
    slots: Vec<Slot>,
    ids: Vec<Arc<str>>,
    by_id: HashMap<Arc<str>, u32>,
    orders: HashMap<String, Order>,
    by_field: HashMap<String, HashMap<u64, Vec<u32>>>,
    live: usize,
    /// Number of ids generated.
    made: u64,
    /// When requests created records, in milliseconds since 1970.
    created: HashMap<u32, i64>,
}

impl Table {
    /// An empty table.
    pub(super) fn new(name: &str, collection: Arc<Collection>, material: Material) -> Self {
        Self {
            name: name.into(),
            collection,
            material,
            slots: Vec::new(),
            ids: Vec::new(),
            by_id: HashMap::new(),
            orders: HashMap::new(),
            by_field: HashMap::new(),
            live: 0,
            made: 0,
            created: HashMap::new(),
        }
    }

    /// Records when a request created the record in a slot.
    pub(super) fn set_created(&mut self, slot: u32, at: i64) {
        self.created.insert(slot, at);
    }

    /// Slots of the records that requests have created after `at`.
    pub(super) fn created_after(&self, at: i64) -> Vec<u32> {
        self.created.iter().filter(|(_, created)| **created > at).map(|(slot, _)| *slot).collect()
    }

    /// Its collection.
    pub(super) fn collection(&self) -> &Arc<Collection> {
        &self.collection
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// An id for a new record.
    pub(super) fn new_id(&mut self) -> String {
        self.made += 1;
        self.collection.id.make(self.material.seed, &self.name, self.made - 1)
    }

    /// Names that seeds may use for the next record.
    pub(super) fn seed_scope(&self) -> super::template::Scope {
        let n = self.slots.len() as u64;
        self.material.scope(&self.name, n, generate::seed_time(&self.collection, n))
    }

    /// Adds `count` generated records; each is generated when it is read.
    pub(super) fn add_generated(&mut self, count: usize) {
        self.slots.reserve(count);
        self.ids.reserve(count);
        self.by_id.reserve(count);
        for _ in 0..count {
            let Ok(slot) = u32::try_from(self.slots.len()) else { return };
            let id: Arc<str> = self.new_id().into();
            self.by_id.insert(Arc::clone(&id), slot);
            self.ids.push(id);
            self.slots.push(Slot::Generated(slot));
            self.live += 1;
        }
    }

    /// The record in a slot.
    pub(super) fn record(&self, slot: u32) -> Option<Arc<Record>> {
        match self.slots.get(slot as usize)? {
            Slot::Stored(record) => Some(Arc::clone(record)),
            Slot::Generated(n) => {
                let id = &self.ids[slot as usize];
                Some(Arc::new(generate::record(
                    &self.collection,
                    &self.material,
                    &self.name,
                    u64::from(*n),
                    id,
                )))
            }
            Slot::Removed => None,
        }
    }

    /// One field of the record in a slot.
    pub(super) fn field(&self, slot: u32, field: &str) -> Option<Cow<'_, Value>> {
        match self.slots.get(slot as usize)? {
            Slot::Stored(record) => record.get(field).or_else(|| deep(record, field)).map(Cow::Borrowed),
            Slot::Generated(_) if field == self.collection.id.field => {
                Some(Cow::Owned(Value::from(&*self.ids[slot as usize])))
            }
            Slot::Generated(n) => {
                let (first, rest) = field.split_once('.').unwrap_or((field, ""));
                let value =
                    generate::field(&self.collection, &self.material, &self.name, u64::from(*n), first)?;
                let mut parts = rest.split('.').filter(|part| !part.is_empty());
                parts.try_fold(&value, |value, part| value.get(part)).cloned().map(Cow::Owned)
            }
            Slot::Removed => None,
        }
    }

    /// The slot of a record.
    pub(super) fn slot(&self, id: &str) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    /// The id of the record in a slot.
    pub(super) fn id(&self, slot: u32) -> &Arc<str> {
        &self.ids[slot as usize]
    }

    /// All ids, by slot.
    pub(super) fn ids(&self) -> &[Arc<str>] {
        &self.ids
    }

    /// Slots of all records, oldest first.
    pub(super) fn all(&self) -> impl Iterator<Item = u32> + '_ {
        let removed = |slot: &Slot| matches!(slot, Slot::Removed);
        (0u32..).zip(&self.slots).filter(move |(_, slot)| !removed(slot)).map(|(slot, _)| slot)
    }

    /// Slots of the records whose `field` equals `value` or contains it as an item.
    pub(super) fn with_field(&mut self, field: &str, value: &Value) -> Vec<u32> {
        if !self.by_field.contains_key(field) {
            let mut index: HashMap<u64, Vec<u32>> = HashMap::new();
            for slot in self.all() {
                for word in self.field(slot, field).iter().flat_map(|value| words(value)) {
                    index.entry(hash(&word)).or_default().push(slot);
                }
            }
            self.by_field.insert(field.to_owned(), index);
        }
        let index = &self.by_field[field];
        let mut slots: Vec<u32> =
            words(value).iter().filter_map(|word| index.get(&hash(word))).flatten().copied().collect();
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// A record's sort key. Without a field: insertion order.
    fn key(&self, slot: u32, field: &str) -> Option<SortKey> {
        if field.is_empty() {
            return Some(SortKey::Number(i64::from(slot)));
        }
        self.field(slot, field).and_then(|value| SortKey::from_value(&value))
    }

    /// Prepares the order by `field`; without one, the order of insertion.
    pub(super) fn prepare_order(&mut self, field: &str) {
        if !self.orders.contains_key(field) {
            let slots = 0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
            let keys = slots.map(|slot| self.key(slot, field));
            let order = Order::new(keys.collect(), self.all(), &self.ids);
            self.orders.insert(field.to_owned(), order);
        }
    }

    /// The order by `field`, if it was asked for before.
    pub(super) fn ordered(&self, field: &str) -> Option<&Order> {
        self.orders.get(field)
    }

    /// Adds a record.
    pub(super) fn insert(&mut self, id: &str, record: Record) -> Option<u32> {
        let slot = u32::try_from(self.slots.len()).ok()?;
        let id: Arc<str> = id.into();
        self.by_id.insert(Arc::clone(&id), slot);
        self.ids.push(id);
        self.slots.push(Slot::Stored(Arc::new(record)));
        self.live += 1;
        self.add_to_indexes(slot);
        Some(slot)
    }

    /// Replaces the record in a slot.
    pub(super) fn replace(&mut self, slot: u32, record: Record) {
        self.remove_from_indexes(slot);
        self.slots[slot as usize] = Slot::Stored(Arc::new(record));
        self.add_to_indexes(slot);
    }

    /// Removes a record.
    pub(super) fn remove(&mut self, slot: u32) {
        self.remove_from_indexes(slot);
        self.slots[slot as usize] = Slot::Removed;
        self.by_id.remove(&self.ids[slot as usize]);
        self.live -= 1;
    }

    fn add_to_indexes(&mut self, slot: u32) {
        let mut orders = std::mem::take(&mut self.orders);
        for (field, order) in &mut orders {
            let key = self.key(slot, field);
            order.insert(&self.ids, slot, key);
        }
        self.orders = orders;
        let mut by_field = std::mem::take(&mut self.by_field);
        for (field, index) in &mut by_field {
            for word in self.field(slot, field).iter().flat_map(|value| words(value)) {
                index.entry(hash(&word)).or_default().push(slot);
            }
        }
        self.by_field = by_field;
    }

    fn remove_from_indexes(&mut self, slot: u32) {
        for order in self.orders.values_mut() {
            order.remove(&self.ids, slot);
        }
        let mut by_field = std::mem::take(&mut self.by_field);
        for (field, index) in &mut by_field {
            for word in self.field(slot, field).iter().flat_map(|value| words(value)) {
                if let Some(slots) = index.get_mut(&hash(&word)) {
                    slots.retain(|&other| other != slot);
                }
            }
        }
        self.by_field = by_field;
    }
}

fn deep<'a>(record: &'a Record, field: &str) -> Option<&'a Value> {
    let (first, rest) = field.split_once('.')?;
    rest.split('.').try_fold(record.get(first)?, |value, part| value.get(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table() -> Table {
        let collection: Collection = serde_yaml::from_str(
            "{ created: at, start: 2026-01-01T00:00:00Z, every: 1m, generate: { count: 0, fields: { email: 'p{{ n }}@example.com', tags: [a] } } }",
        )
        .expect("a collection");
        Table::new("people", Arc::new(collection), Material::default())
    }

    fn stored(email: &str) -> Record {
        json!({ "email": email, "tags": ["b"], "at": "2025-01-01T00:00:00Z" }).as_object().unwrap().clone()
    }

    #[test]
    fn generated_records_are_found_like_stored_ones() {
        let mut table = table();
        table.add_generated(1000);
        let slot = table.insert("x", stored("p7@example.com")).unwrap();
        assert_eq!(table.with_field("email", &json!("p7@example.com")), [7, slot]);
        assert_eq!(table.with_field("tags", &json!("a")).len(), 1000);
        assert_eq!(table.record(7).unwrap()["at"], json!("2026-01-01T00:07:00.000Z"));
        table.prepare_order("at");
        assert_eq!(table.ordered("at").unwrap().slots()[..2], [slot, 0]);
    }

    #[test]
    fn indexes_follow_changes() {
        let mut table = table();
        table.add_generated(3);
        assert_eq!(table.with_field("email", &json!("p1@example.com")), [1]);
        table.prepare_order("at");
        assert_eq!(table.ordered("at").unwrap().slots(), [0, 1, 2]);
        table.replace(1, stored("new@example.com"));
        table.remove(0);
        assert!(table.with_field("email", &json!("p1@example.com")).is_empty());
        assert_eq!(table.with_field("email", &json!("new@example.com")), [1]);
        assert_eq!(table.ordered("at").unwrap().slots(), [1, 2]);
        assert_eq!((table.len(), table.all().count()), (2, 2));
    }
}
