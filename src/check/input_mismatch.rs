//! Whether a value that is not written out may be one that its input refuses, as far as both are declared.

use crate::template::Inferred;
use crate::value::{Kind, Shape, Value};

/// Deepest comparison of two shapes; they may be recursive.
const MAX_DEPTH: usize = 4;

/// What the value may be that an input of this shape refuses, in words; `None` where nothing is known against it.
pub(super) fn mismatch(value: &Inferred<'_>, wanted: &Shape) -> Option<String> {
    if wanted.doubtful || wanted.kind == Kind::Any && wanted.any_of.is_empty() {
        return None;
    }
    if !wanted.any_of.is_empty() {
        let mismatches: Option<Vec<String>> = wanted.any_of.iter().map(|one| mismatch(value, one)).collect();
        return mismatches?.into_iter().next();
    }
    match value {
        Inferred::OneOf(all) => all.iter().find_map(|one| mismatch(one, wanted)),
        Inferred::Declared(found) => of_shape(found, wanted, MAX_DEPTH),
        Inferred::List(members) => {
            let taken = wanted.items.as_deref()?;
            let members = members.alternatives();
            let what = members.into_iter().find_map(|one| of_member(one, taken))?;
            Some(format!("a list with {what} in it"))
        }
        Inferred::Constant(value) => of_constant(value, wanted),
        Inferred::Text | Inferred::Day | Inferred::Moment => match wanted.kind {
            Kind::String if !wanted.values.is_empty() => Some("any text".to_owned()),
            Kind::Boolean => Some("text".to_owned()),
            _ => None,
        },
        Inferred::Number => of_shape(&Shape::new(Kind::Number), wanted, 1),
        Inferred::Integer => of_shape(&Shape::new(Kind::Integer), wanted, 1),
        Inferred::Flag => of_shape(&Shape::new(Kind::Boolean), wanted, 1),
        Inferred::Unknown | Inferred::Mapping | Inferred::Omitted | Inferred::Absent => None,
    }
}

/// What a member of a list may be that is refused there.
fn of_member(member: &Inferred<'_>, taken: &Shape) -> Option<String> {
    let null = member.is_null() && !taken.nullable && taken.kind != Kind::Any;
    let known = taken.any_of.is_empty() && !taken.doubtful;
    let is_compound = matches!(taken.kind, Kind::Array | Kind::Object);
    match member {
        _ if null && known => Some("null".to_owned()),
        Inferred::Declared(found) => of_class(found, taken).or_else(|| mismatch(member, taken)),
        Inferred::Mapping if known && !is_compound && taken.kind != Kind::Any => Some("a mapping".to_owned()),
        Inferred::List(_) if known && !matches!(taken.kind, Kind::Array | Kind::Any) => {
            Some("a list".to_owned())
        }
        Inferred::Constant(Value::Array(_)) if known && !matches!(taken.kind, Kind::Array | Kind::Any) => {
            Some("a list".to_owned())
        }
        Inferred::Constant(Value::Object(_)) if known && !matches!(taken.kind, Kind::Object | Kind::Any) => {
            Some("a mapping".to_owned())
        }
        Inferred::Constant(Value::String(_)) if known && is_compound => Some("text".to_owned()),
        Inferred::Text if known && is_compound => Some("text".to_owned()),
        _ => mismatch(member, taken),
    }
}

fn of_constant(value: &Value, wanted: &Shape) -> Option<String> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match (wanted.kind, value) {
        (Kind::Integer | Kind::Number, Value::String(text)) if number.is_none() => {
            Some(format!("the text `{text}`"))
        }
        (Kind::Integer | Kind::Number, Value::Bool(flag)) => Some(flag.to_string()),
        (Kind::Integer, _) if number.is_some_and(|number| number.fract() != 0.0) => {
            Some(format!("{value}, which has a fraction"))
        }
        (Kind::Integer | Kind::Number, _) => {
            let (number, limit) = (number?, |limit: Option<i64>| limit.map(|limit| limit as f64));
            let above = limit(wanted.maximum).is_some_and(|most| number > most);
            let below = limit(wanted.minimum).is_some_and(|least| number < least);
            (above || below).then(|| value.to_string())
        }
        (Kind::Array, Value::Array(items)) => {
            let taken = wanted.items.as_deref()?;
            let what = items.iter().find_map(|item| of_member(&Inferred::Constant(item.clone()), taken))?;
            Some(format!("a list with {what} in it"))
        }
        (Kind::Boolean, Value::Number(_)) => Some(value.to_string()),
        (Kind::Boolean, Value::String(text)) => {
            (!["true", "false"].contains(&text.trim())).then(|| format!("the text `{text}`"))
        }
        (Kind::String, Value::Number(_) | Value::Bool(_)) if !wanted.values.is_empty() => {
            let text = Value::String(value.to_string());
            (!wanted.values.contains(&text)).then(|| value.to_string())
        }
        _ => None,
    }
}

/// What a value of the shape `found` may be that `wanted` refuses. Null is told elsewhere.
fn of_shape(found: &Shape, wanted: &Shape, depth: usize) -> Option<String> {
    let is_open = |shape: &Shape| shape.doubtful || !shape.any_of.is_empty() || shape.kind == Kind::Any;
    if depth == 0 || is_open(found) || is_open(wanted) {
        return None;
    }
    let words = || found.values.iter().filter(|word| !wanted.values.contains(word));
    match (found.kind, wanted.kind) {
        (Kind::String, Kind::String) => match (found.values.is_empty(), wanted.values.is_empty()) {
            (_, true) => None,
            (true, false) => Some("any text".to_owned()),
            (false, false) => words().next().map(ToString::to_string),
        },
        (Kind::Integer | Kind::Number | Kind::Boolean, Kind::String) => {
            (!wanted.values.is_empty()).then(|| found.describe())
        }
        (Kind::String, Kind::Integer | Kind::Number) => {
            let is_number =
                |word: &Value| word.as_str().is_some_and(|text| text.trim().parse::<f64>().is_ok());
            let numeric = !found.values.is_empty() && found.values.iter().all(is_number);
            let numeric = numeric || found.format.as_deref() == Some("epoch-ms");
            (!numeric).then(|| "text that is no number".to_owned())
        }
        (Kind::String, Kind::Boolean) => Some("text".to_owned()),
        (Kind::Number, Kind::Integer) => Some("a number with a fraction".to_owned()),
        (Kind::Integer | Kind::Number, Kind::Integer | Kind::Number) => out_of_range(found, wanted),
        (Kind::Boolean, Kind::Integer | Kind::Number) | (Kind::Integer | Kind::Number, Kind::Boolean) => {
            Some(found.describe())
        }
        (Kind::Array, Kind::Array) => {
            let (members, taken) = (found.items.as_deref()?, wanted.items.as_deref()?);
            let null = members.nullable && !taken.nullable && taken.kind != Kind::Any;
            if null {
                return Some("a list with null in it".to_owned());
            }
            let other = of_class(members, taken);
            other
                .or_else(|| of_shape(members, taken, depth - 1))
                .map(|what| format!("a list with {what} in it"))
        }
        (Kind::Object, Kind::Object) => fields(found, wanted, depth),
        _ => None,
    }
}

/// What the members of a list are, where they are of another class.
fn of_class(found: &Shape, wanted: &Shape) -> Option<String> {
    let is_compound = |shape: &Shape| matches!(shape.kind, Kind::Array | Kind::Object);
    let known = |shape: &Shape| shape.kind != Kind::Any && shape.any_of.is_empty() && !shape.doubtful;
    let differ = (is_compound(found) || is_compound(wanted)) && found.kind != wanted.kind;
    (known(found) && known(wanted) && differ).then(|| found.describe())
}

fn out_of_range(found: &Shape, wanted: &Shape) -> Option<String> {
    if let Some(most) = wanted.maximum
        && found.maximum.is_none_or(|may| may > most)
    {
        return Some(format!("more than {most}"));
    }
    let least = wanted.minimum?;
    found.minimum.is_none_or(|may| may < least).then(|| format!("less than {least}"))
}

fn fields(found: &Shape, wanted: &Shape, depth: usize) -> Option<String> {
    if found.fields.is_empty() || wanted.is_open() {
        return None;
    }
    let lacking = wanted.fields.iter().find(|(name, field)| {
        field.required && found.fields.get(*name).is_none_or(|given| given.nullable) && !found.open
    });
    if let Some((name, _)) = lacking {
        return Some(format!("a mapping without `{name}`"));
    }
    found.fields.iter().find_map(|(name, field)| match wanted.field(name) {
        None => Some(format!("a mapping with `{name}`, which it does not take")),
        Some(taken) => {
            let what = of_class(field, taken).or_else(|| of_shape(field, taken, depth - 1))?;
            Some(format!("a mapping whose `{name}` is {what}"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(yaml: &str) -> Shape {
        serde_yaml::from_str(yaml).unwrap()
    }

    #[test]
    fn what_may_be_refused_is_told_and_nothing_else() {
        for (found, wanted, told) in [
            ("type: string", "{ type: string, enum: [a, b] }", Some("any text")),
            ("{ type: string, enum: [a, c] }", "{ type: string, enum: [a, b] }", Some("\"c\"")),
            ("{ type: string, enum: [a] }", "{ type: string, enum: [a, b] }", None),
            ("type: string", "type: string", None),
            ("type: integer", "type: string", None),
            ("type: string", "type: number", Some("text that is no number")),
            ("type: number", "type: integer", Some("a number with a fraction")),
            ("type: integer", "{ type: integer, maximum: 100 }", Some("more than 100")),
            ("{ type: integer, maximum: 9 }", "{ type: integer, maximum: 100 }", None),
            ("type: integer", "{ any_of: [{ type: string }, { type: integer, maximum: 1 }] }", None),
            ("type: integer", "{ type: integer, maximum: 1, doubtful: true }", None),
            (
                "{ type: array, items: { type: object, fields: { id: { type: string } } } }",
                "{ type: array, items: { type: string } }",
                Some("a list with a mapping in it"),
            ),
            (
                "{ type: object, fields: { id: { type: string } } }",
                "{ type: object, fields: { key: { type: string, required: true } } }",
                Some("a mapping without `key`"),
            ),
            (
                "{ type: object, fields: { id: { type: string }, x: {} } }",
                "{ type: object, fields: { id: { type: string } } }",
                Some("a mapping with `x`, which it does not take"),
            ),
        ] {
            let (found, wanted) = (shape(found), shape(wanted));
            assert_eq!(
                mismatch(&Inferred::Declared(&found), &wanted).as_deref(),
                told,
                "{found:?} {wanted:?}"
            );
        }
    }
}
