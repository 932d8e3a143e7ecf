//! Selects a page of a collection: which records, in which order, from where.

use serde_json::Value;

use super::condition::{Condition, SortKey};
use super::table::Table;

/// What a list request asks for.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// Fields that must be equal; the first is looked up in an index.
    pub(super) equal: Vec<(String, Value)>,
    /// Further conditions.
    pub(super) conditions: Vec<Condition>,
    /// Field to sort by; empty for insertion order.
    pub(super) sort: String,
    /// Descending.
    pub(super) descending: bool,
    /// Slots that are not shown.
    pub(super) unseen: Vec<u32>,
    /// Page size.
    pub(super) limit: usize,
    /// Where the page begins.
    pub(super) start: Start,
}

/// Where a page begins.
#[derive(Debug, Default, Clone)]
pub(super) enum Start {
    /// At the first record.
    #[default]
    First,
    /// After this many records.
    Skip(usize),
    /// After the record with this value and id, as far as given.
    After(Cursor),
}

/// A position in a list.
#[derive(Debug, Default, Clone)]
pub(super) struct Cursor {
    pub(super) key: Option<SortKey>,
    pub(super) id: Option<String>,
}

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) slots: Vec<u32>,
    /// Records on all pages.
    pub(super) total: usize,
    /// There are records after this page.
    pub(super) more: bool,
    /// Sort keys of the records, for cursors.
    pub(super) keys: Vec<Option<SortKey>>,
}

/// The page for `query`. A page of a whole collection costs only its own records.
pub(super) fn select(table: &mut Table, query: &Query) -> Page {
    table.prepare_order(&query.sort);
    let candidates = query.equal.first().map(|(field, value)| table.with_field(field, value));
    let Some(order) = table.ordered(&query.sort) else { return Page::default() };
    let filtered;
    let slots: &[u32] = if candidates.is_none() && query.conditions.is_empty() && query.unseen.is_empty() {
        order.slots()
    } else {
        let indexed = candidates.is_some();
        let mut slots = candidates.unwrap_or_else(|| order.slots().to_vec());
        slots.retain(|&slot| fits(table, query, slot));
        if indexed {
            order.sort(&mut slots, table.ids());
        }
        filtered = slots;
        &filtered
    };
    let total = slots.len();
    let first = first(table, query, slots).min(total);
    let end = first.saturating_add(query.limit).min(total);
    let at = |index: usize| if query.descending { slots[total - 1 - index] } else { slots[index] };
    let page: Vec<u32> = (first..end).map(at).collect();
    let keys = page.iter().map(|&slot| order.key(slot).cloned()).collect();
    Page { slots: page, total, more: end < total, keys }
}

fn fits(table: &Table, query: &Query, slot: u32) -> bool {
    let mut lookup = |field: &str| table.field(slot, field).map(std::borrow::Cow::into_owned);
    let equal = |(field, value): &(String, Value)| Condition::Equal(field.clone(), value.clone());
    !query.unseen.contains(&slot)
        && query.equal.iter().map(equal).all(|condition| condition.fits(&mut lookup))
        && query.conditions.iter().all(|condition| condition.fits(&mut lookup))
}

/// Index of the page's first record, in list order.
fn first(table: &Table, query: &Query, slots: &[u32]) -> usize {
    let cursor = match &query.start {
        Start::First => return 0,
        Start::Skip(skip) => return *skip,
        Start::After(cursor) => cursor,
    };
    let Some(order) = table.ordered(&query.sort) else { return 0 };
    let passed = !query.descending;
    let key = match (&cursor.key, &cursor.id) {
        (None, Some(id)) => table.slot(id).and_then(|slot| order.key(slot).cloned()),
        (key, _) => key.clone(),
    };
    let rank = match (&key, &cursor.id) {
        (Some(key), None) => order.rank_of_key(slots, key, passed),
        (None, Some(id)) if table.slot(id).is_none() => return 0,
        (key, Some(id)) => order.rank(slots, table.ids(), (key.as_ref(), id), passed),
        (None, None) => return 0,
    };
    if query.descending { slots.len() - rank } else { rank }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::config::Collection;
    use super::super::generate::Material;
    use super::*;

    fn table(count: usize) -> Table {
        let collection: Collection = serde_yaml::from_str(
            "{ created: at, start: 2026-01-01T00:00:00Z, every: 1m, generate: { count: 0, fields: { kind: '{{ n % 2 }}' } } }",
        )
        .expect("a collection");
        let mut table = Table::new("people", Arc::new(collection), Material::default());
        table.add_generated(count);
        table
    }

    /// Reads all pages by cursor.
    fn walk(table: &mut Table, mut query: Query) -> Vec<u32> {
        let mut read = Vec::new();
        loop {
            let page = select(table, &query);
            let Some(&last) = page.slots.last() else { return read };
            let key = page.keys.last().cloned().flatten();
            query.start = Start::After(Cursor { key, id: Some(table.id(last).to_string()) });
            read.extend(page.slots);
        }
    }

    #[test]
    fn cursors_read_everything_once_both_ways() {
        for descending in [false, true] {
            let query = Query { sort: "at".into(), descending, limit: 7, ..Query::default() };
            let read = walk(&mut table(100), query);
            let expected: Vec<u32> = if descending { (0..100).rev().collect() } else { (0..100).collect() };
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn filters_count_the_whole_and_page_the_rest() {
        let equal = vec![("kind".to_owned(), Value::from(1))];
        let query = Query { equal, limit: 3, start: Start::Skip(48), ..Query::default() };
        let page = select(&mut table(100), &query);
        assert_eq!((page.total, page.slots, page.more), (50, vec![97, 99], false));
    }
}
