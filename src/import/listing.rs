//! Infers lists: where the items are, how to identify them, and how to page.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::names;
use crate::catalog::{Listing, NextValue, Operation, Paging, path};
use crate::value::{Kind, Shape};

/// Common names of the list in an answer with several lists.
const LIST_NAMES: [&str; 9] =
    ["data", "items", "results", "records", "list", "docs", "rows", "values", "entries"];
/// Fields besides a list that describe it.
const BESIDE: [&str; 22] = [
    "success",
    "succeded",
    "succeeded",
    "message",
    "msg",
    "status",
    "statusCode",
    "traceId",
    "total",
    "totalCount",
    "totalRecords",
    "count",
    "hasMore",
    "hasNextPage",
    "nextPage",
    "page",
    "limit",
    "skip",
    "offset",
    "meta",
    "pagination",
    "nextCursor",
];
/// Common places of the total number of items.
const TOTALS: [&str; 4] = ["$.total", "$.meta.total", "$.totalCount", "$.count"];
const LIMIT_NAMES: [&str; 6] = ["limit", "pageSize", "perPage", "per_page", "page_size", "pageLimit"];
const OFFSET_NAMES: [&str; 2] = ["offset", "skip"];
const PAGE_NAMES: [&str; 4] = ["page", "pageNumber", "pageNo", "page_number"];
/// Common flags for further pages.
const MORE_NAMES: [&str; 6] = ["hasMore", "has_more", "hasNextPage", "has_next_page", "hasNext", "has_next"];
const UPDATED_NAMES: [&str; 7] =
    ["updatedAt", "dateUpdated", "updated_at", "lastUpdatedAt", "lastUpdated", "modifiedAt", "lastModified"];
const CREATED_NAMES: [&str; 5] = ["createdAt", "dateAdded", "created_at", "dateCreated", "createdOn"];
/// Page size if the description states none.
const USUAL_SIZE: u32 = 20;
/// Largest page size to request.
const MAX_SIZE: i64 = 100;

/// What the description states about a paging parameter besides its type.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Hint {
    /// Its default.
    pub default: Option<f64>,
    /// Its minimum.
    pub minimum: Option<f64>,
}

/// An inferred listing.
pub(super) struct Derived {
    pub listing: Listing,
    /// What was guessed; empty if everything follows from the description.
    pub guesses: Vec<String>,
}

/// The listing of a read, if its answer is a list. `hints` concern its parameters.
pub(super) fn derive(operation: &Operation, hints: &BTreeMap<String, Hint>) -> Option<Derived> {
    let response = operation.response.as_ref()?;
    let mut guesses = Vec::new();
    let paging = paging(operation, response, hints, &mut guesses);
    let paged = paging != Paging::None || has(operation, &LIMIT_NAMES).is_some();
    let of_one = operation.path.trim_end_matches('/').ends_with('}');
    let (items, item) = items(operation, response, paged, of_one, &mut guesses)?;
    let field = |names: &[&str]| {
        names.iter().find(|name| item.fields.contains_key(**name)).map(|name| (*name).to_owned())
    };
    let id = id(item, operation, &mut guesses);
    if paging == Paging::None && paged {
        guesses.push("paging".into());
    }
    let listing = Listing {
        items: vec![items],
        id,
        updated: field(&UPDATED_NAMES),
        created: field(&CREATED_NAMES),
        newest_first: IndexMap::new(),
        newest_created_first: None,
        lag_seconds: None,
        ignore: Vec::new(),
        total: total(response),
        paging,
        other_paging: vec![],
        window: None,
        per_parent: Default::default(),
    };
    Some(Derived { listing, guesses })
}

/// Path and shape of the items.
fn items<'a>(
    operation: &Operation,
    response: &'a Shape,
    paged: bool,
    of_one: bool,
    guesses: &mut Vec<String>,
) -> Option<(String, &'a Shape)> {
    if response.kind == Kind::Array {
        return Some(("$[*]".into(), response.items.as_deref()?));
    }
    let mut lists = lists("$", response);
    let outer = lists.len();
    for (name, field) in &response.fields {
        if field.kind == Kind::Object && (outer == 0 || name == "data") {
            lists.extend(self::lists(&format!("$.{}", quoted(name)?), field));
        }
    }
    // A record that contains lists is not a list, nor is an answer with many other fields.
    let last = operation.path.split('/').rev().find(|part| !part.is_empty() && !part.starts_with('{'));
    let resource = last.unwrap_or_default().replace(['-', '_'], "").to_lowercase();
    let named = lists.iter().any(|(_, name, _)| resource.contains(&name.to_lowercase()));
    let record = ["id", "_id"].iter().any(|name| response.fields.contains_key(*name));
    let more = response.fields.iter().any(|(name, field)| {
        !matches!(field.kind, Kind::Array) && name != "data" && !BESIDE.contains(&name.as_str())
    });
    let only_text = outer == 0 && !lists.iter().any(|(_, _, item)| item.kind == Kind::Object);
    if !paged && (of_one || record || only_text || (more && !named)) {
        return None;
    }
    let objects: Vec<&(String, &str, &Shape)> =
        lists.iter().filter(|(_, _, item)| item.kind != Kind::String).collect();
    match (objects.as_slice(), lists.as_slice()) {
        ([(path, _, item)], _) | ([], [(path, _, item)]) => Some((format!("{path}[*]"), item)),
        ([], []) => None,
        (many, all) => {
            let all: Vec<&(String, &str, &Shape)> =
                if many.is_empty() { all.iter().collect() } else { many.to_vec() };
            let named = all.iter().find(|(_, name, _)| resource.contains(&name.to_lowercase()));
            let usual = all.iter().find(|(_, name, _)| LIST_NAMES.contains(name));
            let (path, _, item) = named.or(usual).or(all.first())?;
            guesses.push(format!("items {path}"));
            Some((format!("{path}[*]"), item))
        }
    }
}

/// Lists among the fields of `shape`: path, name, item.
fn lists<'a>(at: &str, shape: &'a Shape) -> Vec<(String, &'a str, &'a Shape)> {
    let list = |(name, field): (&'a String, &'a Shape)| {
        let items = field.items.as_deref().filter(|_| field.kind == Kind::Array)?;
        Some((format!("{at}.{}", quoted(name)?), name.as_str(), items))
    };
    shape.fields.iter().filter_map(list).collect()
}

/// A field name that is valid after a dot in JSONPath.
fn quoted(name: &str) -> Option<&str> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (starts && plain).then_some(name)
}

/// `id`, `_id`, or `agentId` among agents.
fn id(item: &Shape, operation: &Operation, guesses: &mut Vec<String>) -> Vec<String> {
    if let Some(name) = ["id", "_id"].iter().find(|name| item.fields.contains_key(**name)) {
        return vec![(*name).to_owned()];
    }
    if item.kind == Kind::String {
        return vec![];
    }
    guesses.push("id".into());
    let last = operation.path.split('/').rev().find(|part| !part.is_empty() && !part.starts_with('{'));
    let things = names::word(last.unwrap_or_default());
    let thing = names::singular(things.rsplit('_').next().unwrap_or_default());
    let own = item.fields.keys().find(|name| names::word(name) == format!("{thing}_id"));
    own.into_iter().cloned().collect()
}

/// The place of the total number of items.
fn total(response: &Shape) -> Option<String> {
    TOTALS.iter().find_map(|path| {
        let shape = path::walk(response, path)?;
        matches!(shape.kind, Kind::Integer | Kind::Number).then(|| (*path).to_owned())
    })
}

fn has(operation: &Operation, names: &[&str]) -> Option<String> {
    names.iter().find(|name| operation.input(name).is_some()).map(|name| (*name).to_owned())
}

fn paging(
    operation: &Operation,
    response: &Shape,
    hints: &BTreeMap<String, Hint>,
    guesses: &mut Vec<String>,
) -> Paging {
    let limit = has(operation, &LIMIT_NAMES);
    let hint =
        |name: &Option<String>| name.as_ref().and_then(|name| hints.get(name)).copied().unwrap_or_default();
    let maximum = limit.as_ref().and_then(|name| operation.input(name)).and_then(|input| input.shape.maximum);
    let size = match (maximum, hint(&limit).default) {
        (Some(maximum), _) => maximum.clamp(1, MAX_SIZE) as u32,
        (None, Some(default)) => (default as u32).clamp(USUAL_SIZE, MAX_SIZE as u32),
        (None, None) => USUAL_SIZE,
    };
    // Only a size that the description allows is sure to be honoured.
    let short_page_ends = maximum.is_some_and(|maximum| maximum >= 1);
    let more = MORE_NAMES.iter().find_map(|name| find(response, name));
    if let Some(next) = cursor(operation, response) {
        let size = limit.as_ref().map(|_| size);
        return Paging::Cursor { next, size, limit, more, short_page_ends };
    }
    if let (Some(offset), Some(limit)) = (has(operation, &OFFSET_NAMES), limit.clone()) {
        return Paging::Offset { offset, limit, size, more, short_page_ends };
    }
    if let Some(page) = has(operation, &PAGE_NAMES) {
        let zero = |value: Option<f64>| value == Some(0.0);
        let hint = hint(&Some(page.clone()));
        let first = u32::from(!(zero(hint.default) || zero(hint.minimum)));
        if hint == Hint::default() {
            guesses.push("first page 1".into());
        }
        if limit.is_none() {
            guesses.push("page size".into());
        }
        let short_page_ends = short_page_ends && limit.is_some();
        return Paging::Page { page, limit, size, first, not_found_ends: false, more, short_page_ends };
    }
    Paging::None
}

/// Inputs whose value for the next page is in the answer under the same or a similar name.
fn cursor(operation: &Operation, response: &Shape) -> Option<IndexMap<String, NextValue>> {
    let telling = [
        ("startAfter", &["startAfter"][..]),
        ("startAfterId", &["startAfterId"]),
        ("cursor", &["nextCursor", "cursor", "next_cursor"]),
        ("nextCursor", &["nextCursor"]),
        ("pageToken", &["nextPageToken"]),
        ("nextPageToken", &["nextPageToken"]),
        ("lastMessageId", &["lastMessageId"]),
        ("searchAfter", &["searchAfter"]),
        ("lastId", &["lastId", "nextId"]),
        ("lastCreatedAt", &["lastCreatedAt"]),
    ];
    let mut next = IndexMap::new();
    for (input, fields) in telling {
        if operation.input(input).is_none() {
            continue;
        }
        if let Some(path) = fields.iter().find_map(|field| find(response, field)) {
            next.insert(input.to_owned(), NextValue::Answer { path });
        }
    }
    (!next.is_empty()).then_some(next)
}

/// JSONPath of a field in the first two levels of an answer, outside of lists.
fn find(response: &Shape, field: &str) -> Option<String> {
    if response.fields.contains_key(field) {
        return Some(format!("$.{field}"));
    }
    let below = |(name, shape): (&String, &Shape)| {
        shape.fields.contains_key(field).then(|| quoted(name).map(|name| format!("$.{name}.{field}")))?
    };
    response.fields.iter().find_map(below)
}
