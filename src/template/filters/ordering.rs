//! Filters that compare items.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value as Datum, ValueKind};
use minijinja::{Error, State};

use super::input;
use crate::template::error::{advised, refusal};
use crate::template::filter_type::{Gives, Takes};
use crate::template::order::{Key, keys};
use crate::template::spec::{Spec, own};

pub(super) const SPECS: [Spec; 6] = [
    own!(
        add_filter(sort),
        "sort(reverse=false, attribute=none, case_sensitive=false)",
        "The members in order: numbers (and texts that are numbers), texts, or times; members of several kinds have none.",
        ("{{ ['b', 'A', 'c'] | sort }}", r#"["A", "b", "c"]"#)
    ).typed(Takes::Sized, Gives::SameMembers),
    own!(add_filter(min), "min", "The smallest of a list.", ("{{ [3, 1, 2] | min }}", "1")).typed(Takes::Sized, Gives::Member),
    own!(add_filter(max), "max", "The largest of a list.", ("{{ [3, 1, 2] | max }}", "3")).typed(Takes::Sized, Gives::Member),
    own!(
        add_filter(dictsort),
        "dictsort(by='key', reverse=false, case_sensitive=false)",
        "Pairs of key and value of a mapping, in the order of the keys, or of the values with `by='value'`.",
        ("{{ {'b': 1, 'a': 2} | dictsort | list }}", r#"[["a", 2], ["b", 1]]"#)
    ).typed(Takes::Mapping, Gives::Lists),
    own!(
        add_filter(unique),
        "unique(attribute=none, case_sensitive=false)",
        "Each member once, the first of those that are the same.",
        ("{{ ['a', 'b', 'A'] | unique | list }}", r#"["a", "b"]"#)
    ).typed(Takes::Sized, Gives::SameMembers),
    own!(
        add_filter(groupby),
        "groupby(attribute, default=none)",
        "Pairs of a value of the field and the members that have it, in the order of the values; `default` is the value of members without.",
        ("{{ [{'k': 'a'}, {'k': 'b'}, {'k': 'a'}] | groupby('k') | map('first') | list }}", r#"["a", "b"]"#)
    ).typed(Takes::Records, Gives::Lists),
];

fn sort(
    state: &State<'_, '_>,
    value: &Datum,
    reverse: Option<bool>,
    attribute: Option<&str>,
    case_sensitive: Option<bool>,
) -> Result<Datum, Error> {
    let items = members(state, value)?;
    let case_sensitive = case_sensitive.unwrap_or(false);
    let mut columns: Vec<Vec<Key>> = Vec::new();
    match attribute {
        None => columns.push(keys(&items.iter().collect::<Vec<_>>(), case_sensitive)?),
        Some(attributes) => {
            for attribute in attributes.split(',').map(str::trim) {
                let fields = fields(&items, attribute)?;
                columns.push(keys(&fields.iter().collect::<Vec<_>>(), case_sensitive)?);
            }
        }
    }
    let order = ordered(state, items.len(), reverse.unwrap_or(false), |left, right| {
        columns
            .iter()
            .map(|column| column[left].cmp(&column[right]))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    })?;
    Ok(order.into_iter().map(|index| items[index].clone()).collect())
}

fn min(state: &State<'_, '_>, value: &Datum) -> Result<Datum, Error> {
    outermost(state, value, Ordering::Less)
}

fn max(state: &State<'_, '_>, value: &Datum) -> Result<Datum, Error> {
    outermost(state, value, Ordering::Greater)
}

/// The item with this order relative to all others; undefined for an empty list.
fn outermost(state: &State<'_, '_>, value: &Datum, wanted: Ordering) -> Result<Datum, Error> {
    let items = members(state, value)?;
    let keys = keys(&items.iter().collect::<Vec<_>>(), false)?;
    let best =
        (0..items.len()).reduce(|best, next| if keys[next].cmp(&keys[best]) == wanted { next } else { best });
    Ok(best.map_or(Datum::UNDEFINED, |best| items[best].clone()))
}

fn dictsort(
    state: &State<'_, '_>,
    value: &Datum,
    by: Option<&str>,
    reverse: Option<bool>,
    case_sensitive: Option<bool>,
) -> Result<Datum, Error> {
    if value.kind() != ValueKind::Map {
        return Err(input::unfit(value, "a mapping"));
    }
    let names = members(state, value)?;
    let mut values = Vec::with_capacity(names.len());
    for name in &names {
        values.push(value.get_item(name)?);
    }
    let by: Vec<&Datum> = match by.unwrap_or("key") {
        "key" => names.iter().collect(),
        "value" => values.iter().collect(),
        other => return Err(refusal(format!("sorts by 'key' or 'value', not by {other:?}"))),
    };
    let keys = keys(&by, case_sensitive.unwrap_or(false))?;
    let order =
        ordered(state, names.len(), reverse.unwrap_or(false), |left, right| keys[left].cmp(&keys[right]))?;
    Ok(order.into_iter().map(|at| Datum::from(vec![names[at].clone(), values[at].clone()])).collect())
}

fn unique(
    state: &State<'_, '_>,
    value: &Datum,
    attribute: Option<&str>,
    case_sensitive: Option<bool>,
) -> Result<Datum, Error> {
    let items = members(state, value)?;
    let compared = match attribute {
        Some(attribute) => fields(&items, attribute)?,
        None => items.clone(),
    };
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for (item, key) in items.into_iter().zip(compared) {
        state.consume_fuel(2)?;
        let key = match key.as_str() {
            Some(text) if !case_sensitive.unwrap_or(false) => Datum::from(text.to_lowercase()),
            _ => key,
        };
        if seen.insert(key) {
            kept.push(item);
        }
    }
    Ok(Datum::from(kept))
}

fn groupby(
    state: &State<'_, '_>,
    value: &Datum,
    attribute: &str,
    default: Option<Datum>,
) -> Result<Datum, Error> {
    let items = members(state, value)?;
    let mut groupers = Vec::with_capacity(items.len());
    for item in &items {
        let found = field(item, attribute);
        let missing = found.is_undefined() || (found.is_none() && default.is_some());
        match (missing, &default) {
            (false, _) => groupers.push(found),
            (true, Some(default)) => groupers.push(default.clone()),
            (true, None) => return Err(lacks(attribute)),
        }
    }
    let keys = keys(&groupers.iter().collect::<Vec<_>>(), false)?;
    let order = ordered(state, items.len(), false, |left, right| keys[left].cmp(&keys[right]))?;
    let mut groups: Vec<Group> = Vec::new();
    let mut last: Option<usize> = None;
    for at in order {
        let item = items[at].clone();
        match groups.last_mut() {
            Some(group) if last.is_some_and(|last| keys[last] == keys[at]) => group.list.push(item),
            _ => groups.push(Group { grouper: groupers[at].clone(), list: vec![item] }),
        }
        last = Some(at);
    }
    Ok(groups.into_iter().map(Datum::from_object).collect())
}

/// A pair that also has the fields `grouper` and `list`, as in Jinja.
#[derive(Debug)]
struct Group {
    grouper: Datum,
    list: Vec<Datum>,
}

impl Object for Group {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Datum) -> Option<Datum> {
        match (key.as_usize(), key.as_str()) {
            (Some(0), _) | (_, Some("grouper")) => Some(self.grouper.clone()),
            (Some(1), _) | (_, Some("list")) => Some(Datum::from(self.list.clone())),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(2)
    }
}

/// The items of a list, the keys of a mapping, or the characters of a text.
fn members(state: &State<'_, '_>, value: &Datum) -> Result<Vec<Datum>, Error> {
    if value.is_none() {
        return Err(input::unfit(value, "a list"));
    }
    let mut members = Vec::new();
    for item in value.try_iter().map_err(|_| input::unfit(value, "a list"))?.checked() {
        state.consume_fuel(1)?;
        members.push(item?);
    }
    Ok(members)
}

fn fields(items: &[Datum], attribute: &str) -> Result<Vec<Datum>, Error> {
    let found = items.iter().map(|item| field(item, attribute));
    found.map(|found| if found.is_undefined() { Err(lacks(attribute)) } else { Ok(found) }).collect()
}

/// The value of `item` at a path such as `address.city`, or undefined.
fn field(item: &Datum, attribute: &str) -> Datum {
    attribute
        .split('.')
        .try_fold(item.clone(), |value, part| match part.parse::<usize>() {
            Ok(index) if value.kind() == ValueKind::Seq => value.get_item_by_index(index).ok(),
            _ => value.get_attr(part).ok(),
        })
        .unwrap_or_default()
}

fn lacks(attribute: &str) -> Error {
    advised(
        format!("finds no `{attribute}` in one of the members"),
        format!("leave those out first: `| selectattr('{attribute}', 'defined')`"),
    )
}

/// Indexes in order (a stable sort).
fn ordered(
    state: &State<'_, '_>,
    count: usize,
    reverse: bool,
    compare: impl Fn(usize, usize) -> Ordering,
) -> Result<Vec<usize>, Error> {
    state.consume_fuel((count as u64).saturating_mul(u64::from(usize::BITS - count.leading_zeros())) / 2)?;
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&left, &right| {
        let order = compare(left, right);
        if reverse { order.reverse() } else { order }
    });
    Ok(order)
}

#[cfg(test)]
mod tests {
    use crate::template::testing::{failure, value};
    use serde_json::json;

    #[test]
    fn members_in_order() {
        let event = json!({
            "sums": ["100", 20, "3.5"], "zips": ["0100", "20"], "names": ["b", "A", "c"],
            "times": ["2026-11-28T10:00:00+02:00", "2026-11-28T08:30:00Z", "2026-11-28T08:29:00Z"],
            "orders": [{ "t": 20, "c": { "n": "x" } }, { "t": "100", "c": { "n": "a" } }, { "t": 20, "c": { "n": "b" } }],
        });
        for (text, wanted) in [
            ("{{ event.sums | sort }}", json!(["3.5", 20, "100"])),
            ("{{ event.sums | sort(true) }}", json!(["100", 20, "3.5"])),
            ("{{ event.sums | max }}", json!("100")),
            ("{{ event.sums | min }}", json!("3.5")),
            ("{{ event.zips | sort }}", json!(["20", "0100"])),
            ("{{ event.names | sort(case_sensitive=true) }}", json!(["A", "b", "c"])),
            ("{{ event.times | min }}", json!("2026-11-28T10:00:00+02:00")),
            (
                "{{ event.orders | sort(attribute='t,c.n') | map(attribute='c.n') | list }}",
                json!(["b", "x", "a"]),
            ),
            (
                "{{ event.orders | sort(attribute='t', reverse=true) | map(attribute='c.n') | list }}",
                json!(["a", "x", "b"]),
            ),
            ("{{ event.orders | groupby('t') | map('first') | list }}", json!([20, "100"])),
            ("{{ (event.orders | groupby(attribute='t') | first).list | length }}", json!(2)),
            ("{{ (event.orders | groupby('t') | first).grouper }}", json!(20)),
            (
                "{% for k, of in event.orders | groupby('t') %}{{ k }}:{{ of | length }} {% endfor %}",
                json!("20:2 100:1 "),
            ),
            (
                "{{ [{'a': none}, {'a': 'x'}, {}] | groupby('a', default='-') | map('first') | list }}",
                json!(["-", "x"]),
            ),
            ("{{ {'b': 10, 'a': '9'} | dictsort(by='value') }}", json!([["a", "9"], ["b", 10]])),
            ("{{ {'10': 1, '9': 2} | dictsort }}", json!([["9", 2], ["10", 1]])),
            ("{{ [none, none, 1, '1', 1] | unique }}", json!([null, 1, "1"])),
            ("{{ [{'a': 1}, {'a': 1}] | unique(attribute='a') }}", json!([{ "a": 1 }])),
            ("{{ [] | sort }}", json!([])),
            ("{{ [none] | sort }}", json!([null])),
            ("{{ [true] | max }}", json!(true)),
            ("{{ [] | max | default(0) }}", json!(0)),
        ] {
            assert_eq!(value(text, event.clone()), wanted, "{text}");
        }
    }

    #[test]
    fn missing_fields_are_reported() {
        let event = json!({ "o": [{ "a": 1 }, { "b": 2 }] });
        for filter in ["sort(attribute='a')", "groupby('a')", "unique(attribute='a')"] {
            let error = failure(&format!("{{{{ event.o | {filter} }}}}"), event.clone());
            assert!(error.message.contains("finds no `a`"), "{error}");
        }
        assert!(
            failure("{{ {'a': 1} | dictsort(by='size') }}", json!({})).message.contains("'key' or 'value'")
        );
    }
}
