//! Which page a request asks for: by the catalog's paging style, or according to the script.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::condition::SortKey;
use super::inputs::Inputs;
use super::select::{Cursor, Start};
use super::step::{CursorPart, PageRule};
use super::template::{Scope, Template};
use crate::catalog::{Operation, Paging, path};

/// Page size if neither request nor script states one.
const DEFAULT_PAGE_SIZE: usize = 20;

/// The requested page.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) limit: usize,
    pub(super) start: Start,
    /// Number of the page, from 1.
    pub(super) number: usize,
}

/// The page that a request asks for.
pub(super) fn asked(operation: &Operation, inputs: &Inputs, rule: &PageRule, scope: &Scope) -> Asked {
    let paging = operation.list.as_ref().map(|list| &list.paging);
    let (limit, skip, number) = match paging {
        Some(Paging::Offset { offset, limit, .. }) => (Some(limit), Some(offset), None),
        Some(Paging::Page { page, limit, .. }) => (limit.as_ref(), None, Some(page)),
        Some(Paging::Cursor { limit, .. }) => (limit.as_ref(), None, None),
        _ => (None, None, None),
    };
    let number_of = |rule: &Option<Template>, input: Option<&String>| {
        let value = match rule {
            Some(template) => template.render(scope),
            None => input.and_then(|name| inputs.query.get(name).or_else(|| inputs.body.get(name)).cloned()),
        };
        value.as_ref().and_then(as_count)
    };
    let everything = matches!(paging, None | Some(Paging::None)) && rule.default.is_none();
    let default = rule.default.unwrap_or(if everything { usize::MAX } else { DEFAULT_PAGE_SIZE });
    let limit = number_of(&rule.limit, limit).unwrap_or(default);
    let first = match paging {
        Some(Paging::Page { first, .. }) => usize::try_from(*first).unwrap_or(1),
        _ => 1,
    };
    let page = number_of(&rule.number, number).map_or(1, |page| (page + 1).saturating_sub(first).max(1));
    let skip = number_of(&rule.skip, skip);
    let start = match (cursor(rule, scope), skip) {
        (Some(cursor), _) => Start::After(cursor),
        (None, Some(skip)) => Start::Skip(skip),
        (None, None) => Start::Skip(limit.saturating_mul(page - 1)),
    };
    let number = skip.map_or(page, |skip| skip / limit.max(1) + 1);
    Asked { limit, start, number }
}

/// Makes `answer` a page of a single-page list.
pub(super) fn truncate_to_first_page(
    operation: &Operation,
    inputs: &Inputs,
    scope: &Scope,
    answer: &mut Value,
) {
    let Some(list) = &operation.list else { return };
    if let Some(more) = list.paging.more().and_then(path::pointer).and_then(|at| answer.pointer_mut(&at)) {
        *more = Value::Bool(false);
    }
    if is_later_page(&list.paging, operation, inputs, scope) {
        for place in &list.items {
            let pointer = path::pointer(place.trim_end_matches("[*]"));
            if let Some(Value::Array(items)) = pointer.and_then(|pointer| answer.pointer_mut(&pointer)) {
                items.clear();
            }
        }
    }
}

/// Whether a request asks for a page after the first.
fn is_later_page(paging: &Paging, operation: &Operation, inputs: &Inputs, scope: &Scope) -> bool {
    let given = |name: &String| inputs.query.contains_key(name) || inputs.body.get(name).is_some();
    match paging {
        Paging::Cursor { next, .. } => next.keys().any(given),
        _ => !matches!(asked(operation, inputs, &PageRule::default(), scope).start, Start::Skip(0)),
    }
}

fn as_count(value: &Value) -> Option<usize> {
    match value {
        Value::Number(number) => usize::try_from(number.as_i64()?.max(0)).ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn cursor(rule: &PageRule, scope: &Scope) -> Option<Cursor> {
    if rule.after.is_empty() {
        return None;
    }
    let mut cursor = Cursor::default();
    for (part, template) in &rule.after {
        let value = template.render(scope).filter(|value| !value.is_null())?;
        match part {
            CursorPart::Sort => cursor.key = Some(SortKey::from_value(&value)?),
            CursorPart::Id => cursor.id = Some(value.as_str()?.to_owned()),
            CursorPart::Pair => set_pair(&mut cursor, &value)?,
            CursorPart::Token => {
                let bytes = URL_SAFE_NO_PAD.decode(value.as_str()?).ok()?;
                set_pair(&mut cursor, &serde_json::from_slice(&bytes).ok()?)?;
            }
        }
    }
    Some(cursor)
}

fn set_pair(cursor: &mut Cursor, pair: &Value) -> Option<()> {
    cursor.key = SortKey::from_value(pair.get(0)?);
    cursor.id = Some(pair.get(1)?.as_str()?.to_owned());
    Some(())
}

/// A cursor as one opaque text.
pub(super) fn cursor_token(sort: &Value, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(json!([sort, id]).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(paging: &str) -> Operation {
        serde_yaml::from_str(&format!(
            "{{ title: t, summary: s, kinds: [poller], list: {{ items: ['$[*]'], paging: {paging} }} }}"
        ))
        .expect("an operation")
    }

    #[test]
    fn pages_count_from_the_first_number() {
        let operation = operation("{ style: page, page: page, limit: per, size: 50, first: 0 }");
        let query = json!({ "page": 2, "per": 10 }).as_object().unwrap().clone();
        let inputs = Inputs { query, ..Inputs::default() };
        let asked = asked(&operation, &inputs, &PageRule::default(), &Scope::default());
        assert!(matches!(asked.start, Start::Skip(20)) && asked.limit == 10 && asked.number == 3);
    }

    #[test]
    fn half_a_cursor_is_none() {
        let operation = operation("{ style: none }");
        let rule: PageRule =
            serde_yaml::from_str("{ after: { sort: '{{ query.a }}', id: '{{ query.b }}' } }").unwrap();
        let half = Scope::default().with("query", &json!({ "a": 5 }));
        assert!(matches!(asked(&operation, &Inputs::default(), &rule, &half).start, Start::Skip(0)));
        let whole = Scope::default().with("query", &json!({ "a": 5, "b": "x" }));
        assert!(matches!(asked(&operation, &Inputs::default(), &rule, &whole).start, Start::After(_)));
    }
}
