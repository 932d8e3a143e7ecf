//! From one page of a list to the next. Pure: decides which inputs to ask with, never asks.
//!
//! A list ends with a short or empty page, although such a page may carry a cursor too. A cursor
//! that does not advance is an error: asking again with it would read the same page for ever.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::catalog::{Listing, NextValue, Operation, Paging, path};
use crate::value::{Kind, read_json_text};

/// A list that cannot be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The answer holds no list where the catalog says.
    #[error(
        "the answer of `{operation}` has no list at {paths}, only {found}; correct `list.items` of the operation"
    )]
    NoList {
        /// The operation.
        operation: String,
        /// Where it was looked for.
        paths: String,
        /// What the answer has instead.
        found: String,
    },
    /// The next page would be this page again.
    #[error(
        "the cursor of `{operation}` does not advance: the answer leads to {inputs} again, so page {page} would repeat forever; reading stopped there"
    )]
    Frozen {
        /// The operation.
        operation: String,
        /// The inputs that do not change.
        inputs: String,
        /// Number of the page, from 1.
        page: u64,
    },
    /// The page has the very items of the page before.
    #[error(
        "page {page} of `{operation}` repeats the items of the page before: the API ignores {inputs}; reading stopped there"
    )]
    Repeated {
        /// The operation.
        operation: String,
        /// The inputs that were to lead on.
        inputs: String,
        /// Number of the page, from 1.
        page: u64,
    },
    /// A full page does not say where the next one begins.
    #[error(
        "page {page} of `{operation}` is full, yet gives no value for `{input}`; correct `list.paging` of the operation"
    )]
    NoCursor {
        /// The operation.
        operation: String,
        /// The input without a value.
        input: String,
        /// Number of the page, from 1.
        page: u64,
    },
    /// The address of the next page asks for something the operation does not know.
    #[error(
        "the next page of `{operation}` is at an address with `{input}`, which is not one of its inputs; add it to the operation's parameters"
    )]
    UnknownLink {
        /// The operation.
        operation: String,
        /// The input.
        input: String,
    },
}

/// A page as it was answered.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The whole answer.
    pub answer: &'a Value,
    /// Its `Link` header.
    pub link: Option<&'a str>,
    /// Its items.
    pub items: &'a [Value],
    /// Number of the page in its scan, from 1.
    pub number: u64,
}

/// The items of an answer: a list, or a single object as a list of one.
pub fn items(operation: &str, listing: &Listing, answer: &Value) -> Result<Vec<Value>, Error> {
    match path::read_items(answer, &listing.items) {
        Some(Value::Array(items)) => Ok(items),
        Some(item @ Value::Object(_)) => Ok(vec![item]),
        _ => Err(Error::NoList {
            operation: operation.to_owned(),
            paths: if listing.items.is_empty() { "$".into() } else { listing.items.join(", ") },
            found: describe(answer),
        }),
    }
}

fn describe(answer: &Value) -> String {
    match answer {
        Value::Object(map) if map.is_empty() => "an empty object".into(),
        Value::Object(map) => {
            let names: Vec<String> = map.keys().take(8).map(|name| format!("`{name}`")).collect();
            names.join(", ")
        }
        Value::Array(_) => "a list".into(),
        Value::Null => "nothing".into(),
        _ => "a single value".into(),
    }
}

/// Inputs that ask for the first page.
pub fn first(paging: &Paging) -> Map<String, Value> {
    let mut inputs = Map::new();
    match paging {
        Paging::None | Paging::Link { .. } => {}
        Paging::Offset { offset, limit, size } => {
            inputs.insert(offset.clone(), 0.into());
            inputs.insert(limit.clone(), (*size).into());
        }
        Paging::Page { page, limit, size, first } => {
            inputs.insert(page.clone(), (*first).into());
            inputs.extend(limit.clone().map(|limit| (limit, (*size).into())));
        }
        Paging::Cursor { limit, size, .. } => {
            inputs.extend(limit.clone().zip(*size).map(|(limit, size)| (limit, size.into())));
        }
    }
    inputs
}

/// Inputs that ask for the page after `page`, which was asked for with `current`; `None` after the
/// last one.
pub fn next(
    operation: &Operation,
    paging: &Paging,
    current: &Map<String, Value>,
    page: Page<'_>,
) -> Result<Option<Map<String, Value>>, Error> {
    if page.items.is_empty() {
        return Ok(None);
    }
    let count = page.items.len() as u64;
    let next = match paging {
        Paging::None => None,
        Paging::Offset { offset, size, .. } => (count >= u64::from(*size)).then(|| {
            let so_far = current.get(offset).and_then(Value::as_u64).unwrap_or(0);
            with(current, offset, (so_far + count).into())
        }),
        Paging::Page { page: name, size, first, .. } => (count >= u64::from(*size)).then(|| {
            let number = current.get(name).and_then(Value::as_u64).unwrap_or(u64::from(*first));
            with(current, name, (number + 1).into())
        }),
        Paging::Cursor { next, size, more, .. } => {
            let more = more.as_ref().and_then(|path| path::read(page.answer, path)).and_then(|m| m.as_bool());
            let full = size.is_none_or(|size| count >= u64::from(size));
            if more.unwrap_or(full) { advance(operation, next, current, page)? } else { None }
        }
        Paging::Link { url } => follow(operation, url.as_deref(), page)?,
    };
    match next {
        Some(next) if next == *current => {
            Err(Error::Frozen { operation: operation.id.clone(), inputs: names(&next), page: page.number })
        }
        next => Ok(next),
    }
}

fn with(current: &Map<String, Value>, name: &str, value: Value) -> Map<String, Value> {
    let mut next = current.clone();
    next.insert(name.to_owned(), value);
    next
}

fn names(inputs: &Map<String, Value>) -> String {
    let shown: Vec<String> = inputs.iter().map(|(name, value)| format!("`{name}: {value}`")).collect();
    shown.join(", ")
}

fn advance(
    operation: &Operation,
    next: &indexmap::IndexMap<String, NextValue>,
    current: &Map<String, Value>,
    page: Page<'_>,
) -> Result<Option<Map<String, Value>>, Error> {
    let mut inputs = current.clone();
    let mut missing = None;
    for (name, place) in next {
        let value = match place {
            NextValue::Answer { path } => path::read(page.answer, path),
            NextValue::LastItem { paths } => {
                page.items.last().and_then(|item| paths.iter().find_map(|path| in_item(item, path)))
            }
        };
        // An empty text means "no more" as often as null does.
        match value.filter(|value| !value.is_null() && value != "") {
            Some(value) => _ = inputs.insert(name.clone(), value),
            None => missing = missing.or(Some((name, place))),
        }
    }
    match missing {
        None => Ok(Some(inputs)),
        // The answer says by itself that there is nothing more.
        Some((_, NextValue::Answer { .. })) => Ok(None),
        Some((name, NextValue::LastItem { .. })) => {
            Err(Error::NoCursor { operation: operation.id.clone(), input: name.clone(), page: page.number })
        }
    }
}

/// The value at `path` in an item; a path may be a plain field name.
pub fn in_item(item: &Value, path: &str) -> Option<Value> {
    if path.starts_with('$') {
        return path::read(item, path).filter(|value| !value.is_null());
    }
    let found = item.get(path).or_else(|| path.split('.').try_fold(item, |at, name| at.get(name)));
    found.filter(|value| !value.is_null()).cloned()
}

/// The query of the next page's address as inputs: so the request goes to the connection's own host
/// whatever the address says.
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
        let known = operation
            .parameters
            .iter()
            .find(|(name, parameter)| parameter.wire.as_deref().unwrap_or(name.as_str()) == wire);
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

/// The address with `rel="next"` in a `Link` header (RFC 8288): commas and semicolons may stand in
/// addresses and between quotes, too, and a link may have several relations.
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

/// What stands before the first `mark` outside of quotes, and what after it.
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

/// Watches a scan for cursors that come round again and for pages that repeat, in constant memory.
#[derive(Debug, Default)]
pub struct Rounds {
    last: Option<[u8; 32]>,
    /// A cursor met earlier, replaced at every power of two (Brent's way to find a cycle).
    checkpoint: Option<Map<String, Value>>,
    steps: u64,
    power: u64,
}

impl Rounds {
    /// Complains when page `page` has the records of the page before, or when `next` was met before.
    pub fn check(
        &mut self,
        operation: &str,
        current: &Map<String, Value>,
        page: u64,
        records: &[String],
        next: Option<&Map<String, Value>>,
    ) -> Result<(), Error> {
        let digest: [u8; 32] = Sha256::digest(records.join("\n")).into();
        if !records.is_empty() && self.last.replace(digest) == Some(digest) {
            return Err(Error::Repeated { operation: operation.to_owned(), inputs: names(current), page });
        }
        let Some(next) = next else { return Ok(()) };
        if self.checkpoint.as_ref() == Some(next) {
            return Err(Error::Frozen { operation: operation.to_owned(), inputs: names(next), page });
        }
        if self.steps >= self.power {
            (self.checkpoint, self.steps, self.power) = (Some(next.clone()), 0, (self.power * 2).max(1));
        }
        self.steps += 1;
        Ok(())
    }
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

    /// The inputs after a page of these items, asked for with `current`.
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
    fn offsets_and_pages_go_on_until_a_short_page() {
        let offset = paging("{ style: offset, offset: skip, limit: limit, size: 2 }");
        let first = Value::Object(first(&offset));
        assert_eq!(first, json!({ "skip": 0, "limit": 2 }));
        let full = [json!(1), json!(2)];
        let second = after(&offset, first, json!({}), &full).unwrap().unwrap();
        assert_eq!(second, json!({ "skip": 2, "limit": 2 }));
        assert_eq!(after(&offset, second, json!({}), &full[..1]), Ok(None));

        let pages = paging("{ style: page, page: page, limit: per_page, size: 2, first: 0 }");
        let start = Value::Object(super::first(&pages));
        assert_eq!(after(&pages, start, json!({}), &full), Ok(Some(json!({ "page": 1, "per_page": 2 }))));
        assert_eq!(after(&pages, json!({ "page": 7, "per_page": 2 }), json!({}), &[]), Ok(None));
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
            "{ style: cursor, limit: n, size: 2, next: { searchAfter: { from: last_item, paths: [$.searchAfter] } } }",
        );
        let items = [json!({ "id": "a" }), json!({ "id": "b", "searchAfter": [5, "b"] })];
        let next = after(&style, json!({ "n": 2 }), json!({}), &items).unwrap();
        assert_eq!(next, Some(json!({ "n": 2, "searchAfter": [5, "b"] })));
        assert_eq!(after(&style, json!({ "n": 2 }), json!({}), &items[1..]), Ok(None));
        let error = after(&style, json!({ "n": 2 }), json!({}), &[json!(1), json!(2)]).unwrap_err();
        assert!(matches!(error, Error::NoCursor { .. }), "{error}");
    }

    #[test]
    fn a_flag_decides_where_there_is_one() {
        let style =
            paging("{ style: cursor, more: $.more, next: { after: { from: answer, path: $.after } } }");
        let answer = |more| json!({ "more": more, "after": "x" });
        assert_eq!(after(&style, json!({}), answer(false), &[json!(1)]), Ok(None));
        assert_eq!(after(&style, json!({}), answer(true), &[json!(1)]), Ok(Some(json!({ "after": "x" }))));
        assert_eq!(after(&style, json!({}), answer(true), &[]), Ok(None), "an empty page ends it");
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
        let read = |answer: Value| items("things.list", &listing, &answer);
        assert_eq!(read(json!({ "contacts": [] })), Ok(vec![]));
        assert_eq!(read(json!({ "contact": { "id": 1 } })), Ok(vec![json!({ "id": 1 })]));
        let error = read(json!({ "error": "x" })).unwrap_err();
        assert!(error.to_string().contains("only `error`"), "{error}");
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
