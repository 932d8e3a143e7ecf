//! Computes the request for the next page of a list. Pure: it chooses the inputs and sends nothing.
//!
//! When the answer states whether there is more, that decides, whatever the page holds. Otherwise a list ends
//! with an empty page, even if that page carries a cursor. A short page ends it only where the connector says so,
//! because servers cap page sizes and leave out records that the caller may not see. A cursor that does not
//! advance is an error, because it would request the same page for ever.

mod more;
mod rounds;

pub use more::{More, more};
pub use rounds::Rounds;

use serde_json::{Map, Value};

use crate::catalog::{Listing, NextValue, Operation, Paging, path};
use crate::printable::line;
use crate::value::{Kind, read_json_text};

/// Fields with which an answer reports an error.
pub(super) const ERROR_FIELDS: [&str; 10] =
    ["message", "msg", "error", "errors", "detail", "title", "code", "status", "statusCode", "traceId"];

/// Maximum number of consecutive empty pages that announce more.
const MAX_EMPTY: u32 = 100;
/// Maximum size, in bytes, of a cursor: it becomes part of the next request and of the stored position.
const MAX_CURSOR: usize = 16 << 10;
/// Maximum length, in characters, of an answer's names and values quoted in a message.
const QUOTED: usize = 100;

/// Why a list cannot be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The answer holds no list at the catalog's path.
    #[error(
        "the answer of `{operation}` has no list at {paths}, only {found}; correct `list.items` of the operation"
    )]
    NoList {
        /// The operation.
        operation: String,
        /// Paths that were searched for the list.
        paths: String,
        /// What the answer holds instead.
        found: String,
    },
    /// The next page would be the same page again.
    #[error(
        "the cursor of `{operation}` does not advance: the answer leads to {inputs} again, so page {page} would repeat forever; reading stopped there"
    )]
    Frozen {
        /// The operation.
        operation: String,
        /// Inputs that do not change.
        inputs: String,
        /// Number of the page, from 1.
        page: u64,
    },
    /// The page has the same items as the page before.
    #[error(
        "page {page} of `{operation}` repeats the items of the page before: the API ignores {inputs}; reading stopped there; if it answers the last page again after the end, state `short_page_ends: true` in `list.paging` of the operation"
    )]
    Repeated {
        /// The operation.
        operation: String,
        /// Inputs that should have led to another page.
        inputs: String,
        /// Number of the page, from 1.
        page: u64,
    },
    /// A page that is not the last lacks the value that the next request needs.
    #[error(
        "page {page} of `{operation}` is not the last, yet gives no value for `{input}`; correct `list.paging` of the operation"
    )]
    NoCursor {
        /// The operation.
        operation: String,
        /// Input that has no value.
        input: String,
        /// Number of the page, from 1.
        page: u64,
    },
    /// The value that should lead to the next page is not a valid cursor.
    #[error(
        "page {page} of `{operation}` gives a cursor of more than {} KiB; reading stopped there", MAX_CURSOR >> 10
    )]
    LongCursor {
        /// The operation.
        operation: String,
        /// Number of the page, from 1.
        page: u64,
    },
    /// Too many consecutive pages are empty.
    #[error(
        "page {page} of `{operation}` is empty, as are the {MAX_EMPTY} before it, and still there is said to be more; reading stopped there"
    )]
    Empty {
        /// The operation.
        operation: String,
        /// Number of the page, from 1.
        page: u64,
    },
    /// The list ends before all the records that it is said to have.
    #[error(
        "page {page} of `{operation}` is empty, although the list is said to have {total} records, of which at most {read} were read"
    )]
    Incomplete {
        /// The operation.
        operation: String,
        /// Number of the page, from 1.
        page: u64,
        /// The stated number of records.
        total: u64,
        /// The most that the pages before can have held.
        read: u64,
    },
    /// The address of the next page has a parameter that the operation does not know.
    #[error(
        "the next page of `{operation}` is at an address with `{input}`, which is not one of its inputs; add it to the operation's parameters"
    )]
    UnknownLink {
        /// The operation.
        operation: String,
        /// Name of the parameter.
        input: String,
    },
}

/// One page of a list, as received.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// Body of the answer.
    pub answer: &'a Value,
    /// Value of the `Link` header.
    pub link: Option<&'a str>,
    /// Items of the page.
    pub items: &'a [Value],
    /// Number of the page in its scan, from 1.
    pub number: u64,
}

/// The items of an answer: a list, or a single object as a list of one.
pub fn items(operation: &Operation, listing: &Listing, answer: &Value) -> Result<Vec<Value>, Error> {
    items_of(listing, operation.may_find_nothing(), answer).ok_or_else(|| Error::NoList {
        operation: operation.id.clone(),
        paths: if listing.items.is_empty() { "$".into() } else { listing.items.join(", ") },
        found: describe(answer),
    })
}

/// Whether an answer has fields that tell an error; any may have the id of its trace.
fn tells_error(answer: &Value) -> bool {
    let mut fields = answer.as_object().into_iter().flat_map(|fields| fields.keys());
    fields.any(|field| ERROR_FIELDS.contains(&field.as_str()) && field != "traceId")
}

/// The items of an answer, or `None` where it holds no list. With `or_null`, null stands for an empty list.
pub(super) fn items_of(listing: &Listing, or_null: bool, answer: &Value) -> Option<Vec<Value>> {
    let null = || listing.items.iter().any(|at| path::read(answer, at) == Some(Value::Null));
    match path::read_items(answer, &listing.items) {
        Some(Value::Array(items)) => Some(items),
        Some(item @ Value::Object(_)) => Some(vec![item]),
        None if or_null && null() => Some(Vec::new()),
        None if listing.items.iter().any(|at| path::has_no_entries(answer, at)) && !tells_error(answer) => {
            Some(Vec::new())
        }
        _ => None,
    }
}

fn describe(answer: &Value) -> String {
    match answer {
        Value::Object(map) if map.is_empty() => "an empty object".into(),
        Value::Object(map) => {
            let names: Vec<String> =
                map.keys().take(8).map(|name| format!("`{}`", line(name, QUOTED))).collect();
            names.join(", ")
        }
        Value::Array(_) => "a list".into(),
        Value::Null => "nothing".into(),
        _ => "a single value".into(),
    }
}

/// The inputs that request the first page.
pub fn first(paging: &Paging) -> Map<String, Value> {
    let mut inputs = Map::new();
    match paging {
        Paging::None | Paging::Link { .. } => {}
        Paging::Offset { offset, limit, size, .. } => {
            inputs.insert(offset.clone(), 0.into());
            inputs.insert(limit.clone(), (*size).into());
        }
        Paging::Page { page, limit, size, first, .. } => {
            inputs.insert(page.clone(), (*first).into());
            inputs.extend(limit.clone().map(|limit| (limit, (*size).into())));
        }
        Paging::Cursor { limit, size, .. } => {
            inputs.extend(limit.clone().zip(*size).map(|(limit, size)| (limit, size.into())));
        }
    }
    inputs
}

/// The inputs that request the page after `page`, which was requested with `current`; `None` after the last page.
pub fn next(
    operation: &Operation,
    paging: &Paging,
    current: &Map<String, Value>,
    page: Page<'_>,
) -> Result<Option<Map<String, Value>>, Error> {
    let said = paging.more().and_then(|path| says_more(page.answer, path));
    if !said.unwrap_or_else(|| may_go_on(paging, page.items.len())) {
        return Ok(None);
    }
    let next = match paging {
        Paging::None => None,
        Paging::Offset { offset, .. } => {
            let so_far = current.get(offset).and_then(Value::as_u64).unwrap_or(0);
            Some(with(current, offset, so_far.saturating_add(page.items.len() as u64).into()))
        }
        Paging::Page { page: name, first, .. } => {
            let number = current.get(name).and_then(Value::as_u64).unwrap_or(u64::from(*first));
            Some(with(current, name, number.saturating_add(1).into()))
        }
        Paging::Cursor { next, .. } => advance(operation, next, current, page, said.is_some())?,
        Paging::Link { url } => follow(operation, url.as_deref(), page)?,
    };
    match next {
        Some(next) if next == *current => {
            Err(Error::Frozen { operation: operation.id.clone(), inputs: names(&next), page: page.number })
        }
        Some(next) if next.values().map(size).sum::<usize>() > MAX_CURSOR => {
            Err(Error::LongCursor { operation: operation.id.clone(), page: page.number })
        }
        next => Ok(next),
    }
}

fn size(value: &Value) -> usize {
    value.as_str().map_or_else(|| value.to_string().len(), str::len)
}

/// Whether the answer says that there is more, by a flag or by the number, address or cursor of the next page, which
/// is null or empty at the end. `None` when the answer does not say.
fn says_more(answer: &Value, path: &str) -> Option<bool> {
    Some(match path::read(answer, path)? {
        Value::Bool(more) => more,
        Value::Null => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => {
            let text = text.trim();
            !["", "0", "false", "no", "null", "none"].iter().any(|no| text.eq_ignore_ascii_case(no))
        }
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    })
}

/// Whether another page may follow one of `count` items when the answer does not say. Paging by address needs no
/// such check.
fn may_go_on(paging: &Paging, count: usize) -> bool {
    let full = paging.full().map_or(1, |size| size.max(1) as usize);
    matches!(paging, Paging::Link { .. }) || count >= full
}

/// Whether the page has fewer items than were requested.
fn is_short(paging: &Paging, count: usize) -> bool {
    match paging {
        Paging::Offset { size, .. } | Paging::Page { size, .. } | Paging::Cursor { size: Some(size), .. } => {
            count < *size as usize
        }
        _ => false,
    }
}

/// The most records that `pages` pages can hold, where the size of a page is known.
pub fn most_records(paging: &Paging, pages: u64) -> Option<u64> {
    match paging {
        Paging::Offset { size, .. } | Paging::Page { size, .. } | Paging::Cursor { size: Some(size), .. } => {
            Some(pages.saturating_mul(u64::from(*size)))
        }
        _ => None,
    }
}

/// Whether a 404 for the page with these inputs means that the list has ended before it, as the connector says.
pub fn ends_with_not_found(paging: &Paging, inputs: &Map<String, Value>) -> bool {
    let Paging::Page { page, first, not_found_ends: true, .. } = paging else { return false };
    inputs.get(page).and_then(Value::as_u64).is_some_and(|number| number > u64::from(*first))
}

/// Whether a 404 for the page after one of `count` items means that the list has ended, whatever the connector says of
/// that: pages are requested by number, and this one is short.
pub fn may_be_last(paging: &Paging, count: usize) -> bool {
    matches!(paging, Paging::Page { .. }) && is_short(paging, count)
}

fn with(current: &Map<String, Value>, name: &str, value: Value) -> Map<String, Value> {
    let mut next = current.clone();
    next.insert(name.to_owned(), value);
    next
}

fn names(inputs: &Map<String, Value>) -> String {
    let shown = |(name, value): (&String, &Value)| format!("`{name}: {}`", line(&value.to_string(), QUOTED));
    inputs.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn advance(
    operation: &Operation,
    next: &indexmap::IndexMap<String, NextValue>,
    current: &Map<String, Value>,
    page: Page<'_>,
    is_said: bool,
) -> Result<Option<Map<String, Value>>, Error> {
    let mut inputs = current.clone();
    let mut missing = None;
    for (name, place) in next {
        let value = match place {
            NextValue::Answer { path } => path::read(page.answer, path),
            NextValue::LastItem { paths, step } => after_last(page.items, paths, *step),
        };
        // An empty text means "no more", as null does.
        match value.filter(|value| !value.is_null() && value != "") {
            Some(value) => _ = inputs.insert(name.clone(), value),
            None => missing = missing.or(Some((name, place))),
        }
    }
    match missing {
        None => Ok(Some(inputs)),
        // The answer itself says that there is no more.
        Some((_, NextValue::Answer { .. })) if !is_said => Ok(None),
        Some((name, _)) => {
            Err(Error::NoCursor { operation: operation.id.clone(), input: name.clone(), page: page.number })
        }
    }
}

/// The value of the last item that has one. With `step`, it is moved back by that amount, so that items with the same
/// value are read again. When all items of the page have one value, that would request the same page, so the value is
/// not moved.
fn after_last(items: &[Value], paths: &[String], step: Option<u32>) -> Option<Value> {
    let value = |item: &Value| paths.iter().find_map(|path| in_item(item, path));
    let last = items.iter().rev().find_map(value)?;
    let first = items.iter().find_map(value);
    let numbers = (first.as_ref().and_then(Value::as_i64), last.as_i64(), step);
    let (Some(first), Some(number), Some(step)) = numbers else { return Some(last) };
    Some(match first.cmp(&number) {
        std::cmp::Ordering::Greater => number.saturating_add(step.into()).into(),
        std::cmp::Ordering::Less => number.saturating_sub(step.into()).into(),
        std::cmp::Ordering::Equal => last,
    })
}

/// Whether all items of the page share the value that paging continues from, although values are not unique: items
/// beyond the page with the same value cannot be reached.
pub fn hides_some(paging: &Paging, items: &[Value]) -> bool {
    let Paging::Cursor { next, size, .. } = paging else { return false };
    let full = size.is_none_or(|size| items.len() >= size as usize);
    let shared = |place: &NextValue| {
        let NextValue::LastItem { paths, step: Some(_) } = place else { return false };
        let value = |item: &Value| paths.iter().find_map(|path| in_item(item, path));
        let first = items.first().and_then(value);
        first.is_some() && items.iter().all(|item| value(item) == first)
    };
    full && items.len() > 1 && next.values().any(shared)
}

/// The value at `path` in an item; a path may be a plain field name.
pub fn in_item(item: &Value, path: &str) -> Option<Value> {
    if path.starts_with('$') {
        return path::read(item, path).filter(|value| !value.is_null());
    }
    let found = item.get(path).or_else(|| path.split('.').try_fold(item, |at, name| at.get(name)));
    found.filter(|value| !value.is_null()).cloned()
}

/// The query of the next page's address as inputs, so that the request goes to the connection's own host, whatever
/// host the address names.
fn follow(
    operation: &Operation,
    path: Option<&str>,
    page: Page<'_>,
) -> Result<Option<Map<String, Value>>, Error> {
    let address = match path {
        Some(path) => path::read(page.answer, path).and_then(|url| url.as_str().map(str::to_owned)),
        None => page.link.and_then(next_link),
    };
    let Some(address) = address.filter(|address| !address.is_empty()) else { return Ok(None) };
    let here = url::Url::parse("http://localhost/").ok();
    let Ok(url) = url::Url::options().base_url(here.as_ref()).parse(&address) else { return Ok(None) };
    let mut inputs = Map::new();
    for (wire, text) in url.query_pairs() {
        let known = operation.parameters.iter().find(|(name, parameter)| parameter.on_wire(name) == wire);
        let Some((name, parameter)) = known else {
            return Err(Error::UnknownLink { operation: operation.id.clone(), input: wire.into_owned() });
        };
        let value = typed(parameter.shape.kind, &text);
        match inputs.get_mut(name) {
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None => _ = inputs.insert(name.clone(), value),
        }
    }
    Ok(Some(inputs))
}

fn typed(kind: Kind, text: &str) -> Value {
    match kind {
        Kind::Integer | Kind::Number | Kind::Boolean => read_json_text(text).unwrap_or_else(|_| text.into()),
        _ => text.into(),
    }
}

/// The address with `rel="next"` in a `Link` header (RFC 8288). Commas and semicolons may also occur in addresses and
/// quoted strings, and a link may have several relations.
fn next_link(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, link)) = rest.split_once('<') {
        let (address, after) = link.split_once('>')?;
        let (mut attributes, others) = cut(after, ',');
        while !attributes.is_empty() {
            let (attribute, more) = cut(attributes, ';');
            if leads_on(attribute) {
                return Some(address.trim().to_owned());
            }
            attributes = more;
        }
        rest = others;
    }
    None
}

fn leads_on(attribute: &str) -> bool {
    let Some((name, value)) = attribute.split_once('=') else { return false };
    let mut relations = value.trim().trim_matches('"').split_whitespace();
    name.trim().eq_ignore_ascii_case("rel") && relations.any(|rel| rel.eq_ignore_ascii_case("next"))
}

/// Splits `text` at the first `mark` outside of quotes.
fn cut(text: &str, mark: char) -> (&str, &str) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c == mark && !quoted => return (&text[..at], &text[at + c.len_utf8()..]),
            _ => {}
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn operation(parameters: &str) -> Operation {
        let text = format!("title: t\nsummary: s\nkinds: [poller]\nparameters: {parameters}\n");
        let mut operation: Operation = serde_yaml::from_str(&text).unwrap();
        operation.id = "things.list".into();
        operation
    }

    fn paging(text: &str) -> Paging {
        serde_yaml::from_str(text).unwrap()
    }

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    /// The inputs after a page of these items that was requested with `current`.
    fn after(
        paging: &Paging,
        current: Value,
        answer: Value,
        items: &[Value],
    ) -> Result<Option<Value>, Error> {
        let page = Page { answer: &answer, link: None, items, number: 1 };
        let next = next(&operation("{}"), paging, &map(current), page)?;
        Ok(next.map(Value::Object))
    }

    #[test]
    fn offsets_and_pages_continue_until_a_short_page_where_the_connector_states_it() {
        let offset = paging("{ style: offset, offset: skip, limit: limit, size: 2, short_page_ends: true }");
        let first = Value::Object(first(&offset));
        assert_eq!(first, json!({ "skip": 0, "limit": 2 }));
        let full = [json!(1), json!(2)];
        let second = after(&offset, first, json!({}), &full).unwrap().unwrap();
        assert_eq!(second, json!({ "skip": 2, "limit": 2 }));
        assert_eq!(after(&offset, second, json!({}), &full[..1]), Ok(None));

        let pages =
            paging("{ style: page, page: page, limit: per_page, size: 2, first: 0, short_page_ends: true }");
        let start = Value::Object(super::first(&pages));
        assert_eq!(after(&pages, start, json!({}), &full), Ok(Some(json!({ "page": 1, "per_page": 2 }))));
        assert_eq!(after(&pages, json!({ "page": 7, "per_page": 2 }), json!({}), &[]), Ok(None));
        assert_eq!(after(&pages, json!({ "page": 7, "per_page": 2 }), json!({}), &full[..1]), Ok(None));
    }

    #[test]
    fn next_page_values_are_bounded() {
        let style = paging("{ style: cursor, next: { c: { from: answer, path: $.next } } }");
        let items = [json!({ "id": 1 })];
        let go = |next: Value| after(&style, json!({ "c": "a" }), json!({ "next": next }), &items);
        assert!(go(json!("x".repeat(MAX_CURSOR))).unwrap().is_some());
        let message = go(json!("x".repeat(MAX_CURSOR + 1))).unwrap_err().to_string();
        assert!(message.contains("a cursor of more than 16 KiB"), "{message}");
        assert!(go(json!(["x".repeat(MAX_CURSOR)])).is_err());
        let long = "k".repeat(1 << 20);
        let listing: Listing = serde_yaml::from_str("{ items: [$.items], paging: { style: none } }").unwrap();
        let message = super::items(&operation("{}"), &listing, &json!({ long: 1 })).unwrap_err().to_string();
        assert!(message.len() < 300, "{}", message.len());
        let numbers = paging("{ style: page, page: page, size: 2 }");
        let last = after(&numbers, json!({ "page": u64::MAX }), json!({}), &[json!(1), json!(2)]);
        assert!(matches!(last, Err(Error::Frozen { .. })), "{last:?}");
    }

    #[test]
    fn a_server_that_caps_pages_is_read_to_an_empty_one() {
        for (text, current) in [
            ("{ style: offset, offset: skip, limit: n, size: 50 }", json!({ "skip": 10, "n": 50 })),
            ("{ style: page, page: p, size: 50 }", json!({ "p": 2 })),
            ("{ style: page, page: p, limit: n, size: 50 }", json!({ "p": 2, "n": 50 })),
            (
                "{ style: cursor, limit: n, size: 50, next: { c: { from: answer, path: $.next } } }",
                json!({ "n": 50, "c": 10 }),
            ),
            (
                "{ style: cursor, limit: n, size: 50, next: { c: { from: last_item, paths: [$.at] } } }",
                json!({ "n": 50, "c": 10 }),
            ),
        ] {
            let style = paging(text);
            let answer = json!({ "next": 11 });
            let next = after(&style, current.clone(), answer.clone(), &[json!({ "at": 11 })]).unwrap();
            assert!(next.is_some(), "one of fifty, and more may come: {text}");
            assert_eq!(after(&style, current, answer, &[]), Ok(None), "{text}");
        }
    }

    #[test]
    fn a_cursor_of_two_halves_moves_together() {
        let style = paging(
            "{ style: cursor, limit: limit, size: 1, next: { startAfter: { from: answer, path: $.meta.startAfter }, \
             startAfterId: { from: answer, path: $.meta.startAfterId } } }",
        );
        let answer = json!({ "meta": { "startAfter": 7, "startAfterId": "c" } });
        let next = after(&style, json!({ "limit": 1 }), answer.clone(), &[json!({})]).unwrap().unwrap();
        assert_eq!(next, json!({ "limit": 1, "startAfter": 7, "startAfterId": "c" }));
        assert!(matches!(after(&style, next, answer, &[json!({})]), Err(Error::Frozen { .. })));
        let half = json!({ "meta": { "startAfter": 7, "startAfterId": null } });
        assert_eq!(after(&style, json!({ "limit": 1 }), half, &[json!({})]), Ok(None));
    }

    #[test]
    fn the_last_item_carries_the_cursor_and_a_short_page_ends_it_all_the_same() {
        let style = paging(
            "{ style: cursor, limit: n, size: 2, short_page_ends: true, next: { searchAfter: { from: last_item, \
             paths: [$.searchAfter] } } }",
        );
        let items = [json!({ "id": "a" }), json!({ "id": "b", "searchAfter": [5, "b"] })];
        let next = after(&style, json!({ "n": 2 }), json!({}), &items).unwrap();
        assert_eq!(next, Some(json!({ "n": 2, "searchAfter": [5, "b"] })));
        assert_eq!(after(&style, json!({ "n": 2 }), json!({}), &items[1..]), Ok(None));
        let error = after(&style, json!({ "n": 2 }), json!({}), &[json!(1), json!(2)]).unwrap_err();
        assert!(matches!(error, Error::NoCursor { .. }), "{error}");
    }

    #[test]
    fn a_flag_decides_where_there_is_one_whatever_the_page_holds() {
        let full = [json!(1), json!(2)];
        for (text, next) in [
            (
                "{ style: cursor, more: $.more, size: 2, limit: n, next: { at: { from: answer, path: $.after } } }",
                json!("x"),
            ),
            ("{ style: page, page: at, more: $.more, size: 2, first: 0 }", json!(1)),
            ("{ style: page, page: at, more: $.more, size: 2, first: 0, short_page_ends: true }", json!(1)),
        ] {
            let style = paging(text);
            let answer = |more: Value| json!({ "more": more, "after": "x" });
            for yes in [json!(true), json!("true"), json!(1), json!("/things?page=2")] {
                for items in [&full[..], &full[..1], &[]] {
                    let found = after(&style, json!({}), answer(yes.clone()), items).unwrap();
                    assert_eq!(found, Some(json!({ "at": next })), "{text} {yes} {items:?}");
                }
            }
            for no in [json!(false), json!(null), json!(0), json!(""), json!("False")] {
                assert_eq!(after(&style, json!({}), answer(no.clone()), &full), Ok(None), "{text} {no}");
            }
            let silent = after(&style, json!({}), json!({ "after": "x" }), &full).unwrap();
            assert!(silent.is_some(), "an answer without the flag says nothing: {text}");
        }
        let offset = paging("{ style: offset, offset: skip, limit: n, size: 2, more: $.more }");
        let more = json!({ "more": true });
        let next = after(&offset, json!({ "skip": 4 }), more.clone(), &full[..1]).unwrap();
        assert_eq!(next, Some(json!({ "skip": 5 })));
        let stuck = after(&offset, json!({ "skip": 4 }), more.clone(), &[]);
        assert!(matches!(stuck, Err(Error::Frozen { .. })), "{stuck:?}");
        let cursor =
            paging("{ style: cursor, more: $.more, next: { after: { from: answer, path: $.after } } }");
        let nowhere = after(&cursor, json!({}), more, &full);
        assert!(matches!(nowhere, Err(Error::NoCursor { .. })), "{nowhere:?}");
    }

    #[test]
    fn empty_pages_with_more_to_come_are_bounded() {
        let mut rounds = Rounds::default();
        let met = (1..1000_u64).find(|page| {
            let next = map(json!({ "page": page + 1 }));
            rounds.check("things.list", &map(json!({ "page": page })), *page, &[], Some(&next)).is_err()
        });
        assert_eq!(met, Some(u64::from(MAX_EMPTY) + 1));
    }

    #[test]
    fn a_page_shows_whether_the_list_is_complete() {
        let more_after = |style: &str, inputs: Value, answer: Value, count: usize| {
            let items = vec![json!({ "id": 1 }); count];
            let page = Page { answer: &answer, link: None, items: &items, number: 1 };
            more(&operation("{}"), &paging(style), &map(inputs), page)
        };
        let offset = "{ style: offset, offset: skip, limit: n, size: 100, short_page_ends: true }";
        let forty = json!({ "total": 40 });
        assert_eq!(more_after(offset, json!({}), forty.clone(), 20), More::Some { total: Some(40) });
        assert_eq!(more_after(offset, json!({ "skip": 20 }), forty.clone(), 20), More::None);
        assert_eq!(more_after(offset, json!({ "n": 100 }), json!({}), 20), More::None);
        assert_eq!(more_after(offset, json!({ "n": 20 }), json!({}), 20), More::Unknown);
        assert_eq!(
            more_after(offset, json!({}), json!({ "count": 20 }), 20),
            More::Unknown,
            "of the page, it may be"
        );
        let cursor = "{ style: cursor, limit: n, size: 100, short_page_ends: true, next: { c: { from: answer, path: $.c } } }";
        assert_eq!(more_after(cursor, json!({}), json!({ "c": "x" }), 20), More::Unknown);
        assert_eq!(more_after(cursor, json!({}), json!({ "c": null }), 20), More::None);
        let flag = "{ style: page, page: p, size: 10, more: $.more }";
        assert_eq!(more_after(flag, json!({}), json!({ "more": true }), 3), More::Some { total: None });
        assert_eq!(more_after(flag, json!({}), json!({ "more": false }), 10), More::None);
        assert_eq!(more_after("{ style: page, page: p, size: 10 }", json!({}), json!({}), 0), More::None);
        assert_eq!(more_after("{ style: none }", json!({}), forty, 20), More::None);
    }

    #[test]
    fn a_value_that_is_not_unique_is_read_again() {
        let style = paging(
            "{ style: cursor, limit: n, size: 3, next: { before: { from: last_item, paths: [$.at], step: 1 } } }",
        );
        let page = |times: [u64; 3]| times.map(|at| json!({ "at": at }));
        let next = |times| after(&style, json!({ "n": 3 }), json!({}), &page(times)).unwrap().unwrap();
        assert_eq!(next([9, 8, 7])["before"], 8, "newest first");
        assert_eq!(next([7, 8, 9])["before"], 8, "oldest first");
        assert_eq!(next([7, 7, 7])["before"], 7, "there is no other way on");
        assert!(hides_some(&style, &page([7, 7, 7])) && !hides_some(&style, &page([8, 7, 7])));
        assert!(!hides_some(&style, &page([7, 7, 7])[..2]), "a short page hides nothing");
    }

    #[test]
    fn an_address_becomes_inputs_of_the_operation() {
        let operation =
            operation("{ page: { in: query, shape: { type: integer } }, q: { in: query, shape: {} } }");
        let style = paging("{ style: link }");
        let follow = |link| {
            let page = Page { answer: &json!({}), link: Some(link), items: &[json!(1)], number: 1 };
            next(&operation, &style, &Map::new(), page).map(|next| next.map(Value::Object))
        };
        let header =
            "<https://elsewhere/x?page=1>; rel=\"prev\", <https://elsewhere/x?page=3&q=a%20b>; rel=\"next\"";
        assert_eq!(follow(header), Ok(Some(json!({ "page": 3, "q": "a b" }))));
        assert_eq!(follow("<https://elsewhere/x?page=1>; rel=\"prev\""), Ok(None));
        assert!(matches!(follow("</x?token=1>; rel=next"), Err(Error::UnknownLink { .. })));
        for header in [
            "<https://x?q=id,name&page=3>; rel=\"next\"",
            "</x?page=1>; title=\"a, <b>; rel=next\"; rel=prev,<https://x?q=id,name&page=3> ; REL = next",
            "</x?q=id,name&page=3>; rel=\"last next\"; type=\"t\", </x?page=9>; rel=\"last\"",
        ] {
            assert_eq!(follow(header), Ok(Some(json!({ "q": "id,name", "page": 3 }))), "{header}");
        }
        assert_eq!(follow("</x?page=3>; rel=\"nextish\", </x?page=4>; title=\"rel=next\""), Ok(None));
    }

    #[test]
    fn finds_the_list_or_says_what_is_there_instead() {
        let listing: Listing = serde_yaml::from_str("{ items: ['$.contacts[*]', $.contact] }").unwrap();
        let read = |answer: Value| items(&operation("{}"), &listing, &answer);
        assert_eq!(read(json!({ "contacts": [] })), Ok(vec![]));
        assert_eq!(read(json!({ "contact": { "id": 1 } })), Ok(vec![json!({ "id": 1 })]));
        let error = read(json!({ "error": "x" })).unwrap_err();
        assert!(error.to_string().contains("only `error`"), "{error}");
    }

    #[test]
    fn a_list_by_day_without_days_is_empty() {
        let listing: Listing = serde_yaml::from_str("{ items: ['$.*.slots[*]'] }").unwrap();
        let read = |answer: Value| items(&operation("{}"), &listing, &answer).ok();
        assert_eq!(read(json!({ "traceId": "x" })), Some(vec![]));
        assert_eq!(read(json!({ "2026-05-04": { "slots": ["a"] }, "traceId": "x" })), Some(vec![json!("a")]));
        assert_eq!(read(json!({ "message": "no such calendar", "traceId": "x" })), None);
        assert_eq!(read(json!({ "2026-05-04": { "other": ["a"] } })), None);
    }

    #[test]
    fn one_record_may_be_none() {
        let one = |nullable: bool| {
            let text = format!(
                "{{ title: t, summary: s, kinds: [action], result: [$.contact], list: {{ items: [$.contact] }}, response: \
                 {{ type: object, fields: {{ contact: {{ type: object, nullable: {nullable} }} }} }} }}"
            );
            serde_yaml::from_str::<Operation>(&text).unwrap()
        };
        let read = |operation: &Operation, answer: Value| {
            items(operation, operation.list.as_ref().unwrap(), &answer).ok()
        };
        assert_eq!(read(&one(true), json!({ "contact": null })), Some(vec![]));
        assert_eq!(read(&one(true), json!({ "contact": { "id": 1 } })), Some(vec![json!({ "id": 1 })]));
        assert_eq!(read(&one(true), json!({ "message": "x" })), None, "it does not say that there is none");
        assert_eq!(read(&one(false), json!({ "contact": null })), None);
    }

    #[test]
    fn notices_rounds_of_any_length_and_repeated_pages() {
        for length in 1..9_u64 {
            let mut rounds = Rounds::default();
            let met = (0..64_u64).find(|step| {
                let next = map(json!({ "cursor": step % length }));
                rounds.check("things.list", &Map::new(), *step, &[step.to_string()], Some(&next)).is_err()
            });
            assert!(met.is_some(), "a round of {length}");
        }
        let mut rounds = Rounds::default();
        let inputs = |n: u64| map(json!({ "page": n }));
        let records = ["a".to_owned(), "b".to_owned()];
        rounds.check("things.list", &inputs(1), 1, &records, Some(&inputs(2))).unwrap();
        let error = rounds.check("things.list", &inputs(2), 2, &records, Some(&inputs(3))).unwrap_err();
        assert!(matches!(error, Error::Repeated { .. }));
    }
}
