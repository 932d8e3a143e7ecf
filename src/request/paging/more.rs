//! Whether a list has more than the page that was read.

use serde_json::{Map, Value};

use super::{Page, next, says_more};
use crate::catalog::{Operation, Paging, path};

/// Whether a list has more than a single page that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// The page is the last, or the only one.
    None,
    /// There are more items.
    Some {
        /// Number of records in the whole list, where the answer states it.
        total: Option<u64>,
    },
    /// The answer does not say.
    Unknown,
}

/// Paths at which APIs commonly state a count, and whether it is certainly the whole list's and not the page's.
const TOTALS: [(&str, bool); 6] = [
    ("$.total", true),
    ("$.meta.total", true),
    ("$.totalCount", true),
    ("$.total_count", true),
    ("$.count", false),
    ("$.meta.count", false),
];

/// Whether there is more after `page`, which was requested with `inputs`.
pub fn more(operation: &Operation, paging: &Paging, inputs: &Map<String, Value>, page: Page<'_>) -> More {
    if matches!(paging, Paging::None) {
        return More::None;
    }
    if let Some(more) = paging.more().and_then(|path| says_more(page.answer, path)) {
        return if more { More::Some { total: None } } else { More::None };
    }
    let count = page.items.len() as u64;
    let so_far = count + skipped(paging, inputs);
    let totals =
        TOTALS.iter().filter_map(|(place, sure)| Some((path::read(page.answer, place)?.as_u64()?, sure)));
    for (total, sure) in totals {
        if total > so_far {
            return More::Some { total: Some(total) };
        }
        if *sure && total == so_far {
            return More::None;
        }
    }
    // A page shorter than hob's own page size ends the list only if that size was requested.
    let read_on = if asks_for_full(paging, inputs) { paging.clone() } else { paging.clone().reading_on() };
    match (paging, next(operation, &read_on, inputs, page)) {
        (_, Err(_)) => More::Unknown,
        (_, Ok(None)) => More::None,
        (Paging::Link { .. }, Ok(Some(_))) => More::Some { total: None },
        (_, Ok(Some(_))) => More::Unknown,
    }
}

/// Number of records before the page that `inputs` request.
fn skipped(paging: &Paging, inputs: &Map<String, Value>) -> u64 {
    let Paging::Offset { offset, .. } = paging else { return 0 };
    let given = inputs.get(offset);
    given.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok())).unwrap_or(0)
}

/// Whether the inputs request pages at least as large as hob's own, or the size cannot be requested.
fn asks_for_full(paging: &Paging, inputs: &Map<String, Value>) -> bool {
    let (limit, size) = match paging {
        Paging::Offset { limit, size, .. } => (limit, *size),
        Paging::Page { limit: Some(limit), size, .. } => (limit, *size),
        Paging::Cursor { limit: Some(limit), size: Some(size), .. } => (limit, *size),
        _ => return true,
    };
    let given = inputs.get(limit);
    let given = given.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
    given.is_some_and(|given| given >= u64::from(size))
}
