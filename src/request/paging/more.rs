//! Whether a list has more than the one page that was read of it.

use serde_json::{Map, Value};

use super::{Page, next, says_more};
use crate::catalog::{Operation, Paging, path};

/// Whether a list has more than a page that was asked for without reading on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// The page is the last, or the only one.
    None,
    /// There are more: as many in all, where the answer tells.
    Some {
        /// Records of the whole list.
        total: Option<u64>,
    },
    /// The answer does not tell.
    Unknown,
}

/// Places where APIs like to tell how long a list is, and whether that is surely not the page's length.
const TOTALS: [(&str, bool); 6] = [
    ("$.total", true),
    ("$.meta.total", true),
    ("$.totalCount", true),
    ("$.total_count", true),
    ("$.count", false),
    ("$.meta.count", false),
];

/// Whether there is more after `page`, which was asked for with `inputs`.
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
    // Fewer than the size that hob would ask for are the end only of what was asked for with that size.
    let read_on = if asks_for_full(paging, inputs) { paging.clone() } else { paging.clone().reading_on() };
    match (paging, next(operation, &read_on, inputs, page)) {
        (_, Err(_)) => More::Unknown,
        (_, Ok(None)) => More::None,
        (Paging::Link { .. }, Ok(Some(_))) => More::Some { total: None },
        (_, Ok(Some(_))) => More::Unknown,
    }
}

/// Records before the page that `inputs` ask for.
fn skipped(paging: &Paging, inputs: &Map<String, Value>) -> u64 {
    let Paging::Offset { offset, .. } = paging else { return 0 };
    let given = inputs.get(offset);
    given.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok())).unwrap_or(0)
}

/// The inputs ask for pages as large as hob would, or there is no asking.
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
