//! Filters on lists and mappings, most of them the engine's own.

use minijinja::value::{Rest, Value as Datum, ValueKind};
use minijinja::{Error, State};

use super::input;
use crate::template::error::refusal;
use crate::template::filter_type::{Gives, Takes};
use crate::template::omit::is_omit;
use crate::template::spec::{Spec, own};

pub(super) const SPECS: [Spec; 22] = [
    own!(
        add_filter(join),
        "join(separator='', attribute=none)",
        "The members as one text; null members are left out.",
        ("{{ ['a', none, 'b'] | join(', ') }}", r#""a, b""#)
    )
    .typed(Takes::List, Gives::Text),
    own!(
        add_filter(join_present),
        "join_present(separator=' ')",
        "The members that are neither null nor blank as one text; null if there is none.",
        ("{{ ['Ada', none, 'King'] | join_present }}", r#""Ada King""#)
    )
    .typed(Takes::List, Gives::TextOrNull),
    Spec::builtin("first", "The first member, or undefined.", ("{{ [1, 2] | first }}", "1"))
        .typed(Takes::Members, Gives::Member),
    Spec::builtin("last", "The last member, or undefined.", ("{{ [1, 2] | last }}", "2"))
        .typed(Takes::Members, Gives::Member),
    Spec::builtin("length", "How many members, fields or characters.", ("{{ 'añb' | length }}", "3"))
        .typed(Takes::Sized, Gives::WholeNumber),
    Spec::builtin("count", "The same as `length`.", ("{{ [1, 2] | count }}", "2"))
        .typed(Takes::Sized, Gives::WholeNumber),
    Spec::builtin(
        "list",
        "A list of the members, keys or characters.",
        ("{{ 'ab' | list }}", r#"["a", "b"]"#),
    )
    .typed(Takes::Members, Gives::Members),
    Spec::builtin(
        "map(attribute='name', default=none) or map('filter', …)",
        "One field of every member, or every member through a filter.",
        ("{{ [{'id': 1}, {'id': 2}] | map(attribute='id') | list }}", "[1, 2]"),
    )
    .typed(Takes::Members, Gives::List),
    Spec::builtin(
        "select('test', …)",
        "The members that pass the test; without one, those that count as true.",
        ("{{ [1, 2, 3, 4] | select('even') | list }}", "[2, 4]"),
    )
    .typed(Takes::Members, Gives::SameMembers),
    Spec::builtin(
        "reject('test', …)",
        "The members that do not pass the test.",
        ("{{ [1, 2, 3, 4] | reject('even') | list }}", "[1, 3]"),
    )
    .typed(Takes::Members, Gives::SameMembers),
    Spec::builtin(
        "selectattr('field', 'test', …)",
        "The members whose field passes the test.",
        ("{{ [{'n': 1}, {'n': 2}] | selectattr('n', 'gt', 1) | list }}", r#"[{"n": 2}]"#),
    )
    .typed(Takes::Records, Gives::SameMembers),
    Spec::builtin(
        "rejectattr('field', 'test', …)",
        "The members whose field does not pass the test.",
        ("{{ [{'n': 1}, {'n': 2}] | rejectattr('n', 'gt', 1) | list }}", r#"[{"n": 1}]"#),
    )
    .typed(Takes::Records, Gives::SameMembers),
    own!(
        add_filter(batch),
        "batch(size, fill=none)",
        "The members in lists of this size.",
        ("{{ [1, 2, 3] | batch(2) | list }}", "[[1, 2], [3]]")
    )
    .typed(Takes::Sized, Gives::Lists),
    own!(
        add_filter(slice),
        "slice(count, fill=none)",
        "The members in so many lists.",
        ("{{ [1, 2, 3] | slice(2) | list }}", "[[1, 2], [3]]")
    )
    .typed(Takes::Sized, Gives::Lists),
    Spec::builtin(
        "reverse",
        "The members, or characters, backwards.",
        ("{{ [1, 2] | reverse | list }}", "[2, 1]"),
    )
    .typed(Takes::Sized, Gives::Reversed),
    Spec::builtin(
        "items",
        "Pairs of key and value of a mapping.",
        ("{{ {'a': 1} | items | list }}", r#"[["a", 1]]"#),
    )
    .typed(Takes::Mapping, Gives::Lists),
    own!(
        add_filter(chain),
        "chain(list, …)",
        "The members of all lists.",
        ("{{ [1] | chain([2, 3]) | list }}", "[1, 2, 3]")
    )
    .typed(Takes::Members, Gives::Chained),
    own!(
        add_filter(zip),
        "zip(list, …)",
        "The first members together, the second, and so on.",
        ("{{ [1, 2] | zip(['a', 'b']) | list }}", r#"[[1, "a"], [2, "b"]]"#)
    )
    .typed(Takes::Members, Gives::Zipped),
    own!(
        add_filter(compact),
        "compact",
        "A list or mapping without members that are null or empty text.",
        ("{{ {'a': 1, 'b': none, 'c': ''} | compact }}", r#"{"a": 1}"#)
    )
    .typed(Takes::Compound, Gives::Same),
    own!(
        add_filter(pick),
        "pick(field, …)",
        "A mapping with only these fields, as far as they are there.",
        ("{{ {'a': 1, 'b': 2, 'c': 3} | pick('a', 'c') }}", r#"{"a": 1, "c": 3}"#)
    )
    .typed(Takes::Mapping, Gives::Mapping),
    own!(
        add_filter(omit),
        "omit(field, …)",
        "A mapping without these fields.",
        ("{{ {'a': 1, 'b': 2} | omit('b') }}", r#"{"a": 1}"#)
    )
    .typed(Takes::Mapping, Gives::Mapping),
    own!(
        add_filter(merge),
        "merge(mapping, …)",
        "A mapping with the fields of all; later ones win.",
        ("{{ {'a': 1, 'b': 2} | merge({'b': 3}) }}", r#"{"a": 1, "b": 3}"#)
    )
    .typed(Takes::Mapping, Gives::Mapping),
];

fn batch(state: &State<'_, '_>, value: &Datum, size: usize, fill: Option<Datum>) -> Result<Datum, Error> {
    if size == 0 {
        return Err(refusal("needs a size of at least 1"));
    }
    minijinja::filters::batch(state, listed(value)?, size, fill)
}

fn slice(state: &State<'_, '_>, value: &Datum, count: usize, fill: Option<Datum>) -> Result<Datum, Error> {
    if count == 0 {
        return Err(refusal("needs a count of at least 1"));
    }
    minijinja::filters::slice(state, listed(value)?, count, fill)
}

fn chain(state: &State<'_, '_>, value: &Datum, others: Rest<Datum>) -> Result<Datum, Error> {
    let others = others.iter().map(listed).collect::<Result<_, _>>()?;
    counted(state, minijinja::filters::chain(state, listed(value)?, Rest(others))?)
}

fn zip(state: &State<'_, '_>, value: &Datum, others: Rest<Datum>) -> Result<Datum, Error> {
    let others = others.iter().map(listed).collect::<Result<_, _>>()?;
    counted(state, minijinja::filters::zip(state, listed(value)?, Rest(others))?)
}

/// Members that are made one after the other, as a list, which has a length.
fn counted(state: &State<'_, '_>, value: Datum) -> Result<Datum, Error> {
    if value.len().is_some() {
        return Ok(value);
    }
    let mut members = Vec::new();
    for member in value.try_iter()?.checked() {
        state.consume_fuel(1)?;
        members.push(member?);
    }
    Ok(Datum::from(members))
}

fn listed(value: &Datum) -> Result<Datum, Error> {
    if value.is_none() { Err(input::unfit(value, "a list")) } else { Ok(value.clone()) }
}

fn join_present(state: &State<'_, '_>, value: &Datum, separator: Option<&str>) -> Result<Datum, Error> {
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Err(input::unfit(value, "a list"));
    }
    let mut present = Vec::new();
    for item in value.try_iter()?.checked() {
        let item = item?;
        if item.is_none() || is_omit(&item) {
            continue;
        }
        let text = input::text(&item)?.into_owned();
        state.consume_fuel(1 + (text.len() / 64) as u64)?;
        if !text.trim().is_empty() {
            present.push(text);
        }
    }
    if present.is_empty() {
        return Ok(Datum::from(()));
    }
    let separator = separator.unwrap_or(" ");
    state.consume_fuel((separator.len() * present.len() / 64) as u64)?;
    Ok(Datum::from(present.join(separator)))
}

fn join(
    state: &State<'_, '_>,
    value: &Datum,
    by: Option<&str>,
    attribute: Option<&str>,
) -> Result<String, Error> {
    let list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    if !list {
        return Err(input::unfit(value, "a list"));
    }
    let by = by.unwrap_or_default();
    let mut joined = String::new();
    let mut first = true;
    for item in value.try_iter()?.checked() {
        let mut item = item?;
        if let Some(attribute) = attribute {
            item = item.get_attr(attribute)?;
        }
        if item.is_none() || is_omit(&item) {
            continue;
        }
        let before = joined.len();
        if !std::mem::take(&mut first) {
            joined.push_str(by);
        }
        joined.push_str(&input::text(&item)?);
        state.consume_fuel(1 + ((joined.len() - before) / 64) as u64)?;
    }
    Ok(joined)
}

fn compact(state: &State<'_, '_>, value: &Datum) -> Result<Datum, Error> {
    let present = |value: &Datum| {
        !value.is_undefined() && !value.is_none() && value.as_str() != Some("") && !is_omit(value)
    };
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            let mut kept = Vec::new();
            for item in value.try_iter()?.checked() {
                state.consume_fuel(1)?;
                kept.push(item?);
            }
            kept.retain(present);
            Ok(Datum::from(kept))
        }
        ValueKind::Map => fields(state, value, |_, value| present(value)),
        _ => Err(input::unfit(value, "a list or mapping")),
    }
}

fn pick(state: &State<'_, '_>, value: &Datum, names: Rest<String>) -> Result<Datum, Error> {
    fields(state, value, |key, _| names.iter().any(|name| name == key))
}

fn omit(state: &State<'_, '_>, value: &Datum, names: Rest<String>) -> Result<Datum, Error> {
    fields(state, value, |key, _| !names.iter().any(|name| name == key))
}

/// The fields of a mapping that `keep` selects.
fn fields(state: &State<'_, '_>, value: &Datum, keep: impl Fn(&str, &Datum) -> bool) -> Result<Datum, Error> {
    Ok(Datum::from_pairs(pairs(state, value)?.into_iter().filter(|(key, value)| keep(key, value))))
}

fn pairs(state: &State<'_, '_>, value: &Datum) -> Result<Vec<(String, Datum)>, Error> {
    if value.kind() != ValueKind::Map {
        return Err(input::unfit(value, "a mapping"));
    }
    let mut pairs = Vec::new();
    for key in value.try_iter()?.checked() {
        state.consume_fuel(2)?;
        let key = key?;
        let name = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        pairs.push((name, value.get_item(&key)?));
    }
    Ok(pairs)
}

fn merge(state: &State<'_, '_>, value: &Datum, others: Rest<Datum>) -> Result<Datum, Error> {
    let mut merged: indexmap::IndexMap<String, Datum> = pairs(state, value)?.into_iter().collect();
    for other in others.iter() {
        merged.extend(pairs(state, other)?);
    }
    Ok(Datum::from_pairs(merged))
}

#[cfg(test)]
mod tests {
    use crate::template::testing::{failure, value};
    use serde_json::json;

    #[test]
    fn lists_of_records() {
        let event = json!({ "tags": [{ "name": "a" }, { "name": "b" }], "full": "Ada King" });
        assert_eq!(value("{{ event.tags | join('+', 'name') }}", event.clone()), json!("a+b"));
        assert_eq!(value("{{ event.tags | map(attribute='name') }}", event.clone()), json!(["a", "b"]));
        assert_eq!(value("{{ event.full | split(' ') | first }}", event), json!("Ada"));
        assert_eq!(value("{{ ['', none, 'x'] | compact }}", json!({})), json!(["x"]));
    }

    #[test]
    fn present_parts_are_joined() {
        let join = |first: serde_json::Value, last: serde_json::Value| {
            value("{{ [event.a, event.b] | join_present }}", json!({ "a": first, "b": last }))
        };
        assert_eq!(join(json!("Ada"), json!("King")), json!("Ada King"));
        assert_eq!(join(json!("Ada"), json!(null)), json!("Ada"));
        assert_eq!(join(json!(""), json!("King")), json!("King"));
        assert_eq!(join(json!(""), json!(null)), json!(null));
        assert_eq!(join(json!(" "), json!("")), json!(null));
        assert_eq!(value("{{ [1, none, 'x'] | join_present(separator=', ') }}", json!({})), json!("1, x"));
        assert_eq!(value("{{ [] | join_present | default('none') }}", json!({})), json!("none"));
        failure("{{ [event.first, 'x'] | join_present }}", json!({}));
        failure("{{ none | join_present }}", json!({}));
    }

    #[test]
    fn null_is_no_empty_list() {
        for filter in [
            "list",
            "sort",
            "unique",
            "reverse",
            "first",
            "last",
            "length",
            "count",
            "sum",
            "min",
            "max",
            "compact",
            "items",
            "dictsort",
            "batch(2)",
            "slice(2)",
            "select",
            "reject",
            "map('lower')",
            "selectattr('a')",
            "rejectattr('a')",
            "groupby('a')",
            "chain([1])",
            "zip([1])",
            "join(',')",
            "pick('a')",
            "omit('a')",
            "merge({})",
        ] {
            let error = failure(&format!("{{{{ event.tags | {filter} }}}}"), json!({ "tags": null }));
            assert!(error.message.contains("null"), "{filter}: {error}");
            assert!(
                error.help.as_deref().is_some_and(|help| help.contains("default(")),
                "{filter}: {error:?}"
            );
        }
    }

    #[test]
    fn joining_text_is_a_mistake() {
        let error = failure("{{ event.a | join(',') }}", json!({ "a": "xyz" }));
        assert_eq!(error.message, "`join` needs a list, but `event.a` is the text \"xyz\"");
    }
}
