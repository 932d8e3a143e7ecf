//! Single values that a filter cannot read: a number of an e-mail address, the length of a number.

use super::filter_type::Takes;
use super::inferred::{Class, Inferred};
use crate::value::{Kind, Shape, Step, Value, time_in};

/// What the filter takes and what it is given instead, in words.
pub(super) fn misread(takes: Takes, input: &Inferred<'_>) -> Option<(&'static str, String)> {
    let (wanted, fails): (&str, fn(&Inferred<'_>) -> bool) = match takes {
        Takes::Number => ("a number", |one| is_flag(one) || is_no_number(one)),
        Takes::NumberOrFlag => ("a number", is_no_number),
        Takes::WholeNumber => ("a whole number", |one| {
            is_flag(one)
                || is_no_number(one)
                || matches!(one, Inferred::Constant(Value::Number(number)) if number.as_f64().is_some_and(|number| number.fract() != 0.0))
        }),
        Takes::Records => ("a list of mappings", |one| {
            one.class() == Some(Class::List)
                && matches!(one.step(&Step::Item).class(), Some(Class::Scalar | Class::List))
        }),
        Takes::Time => ("a time", |one| is_flag(one) || no_text(one, &|text| time_in(text).is_some())),
        Takes::Sized | Takes::Members => ("text, a list or a mapping", |one| is_flag(one) || is_number(one)),
        Takes::TextAlone => ("JSON text", |one| {
            is_flag(one)
                || is_number(one)
                || no_text(one, &|text| serde_json::from_str::<Value>(text).is_ok())
        }),
        _ => return None,
    };
    let found = input.alternatives().into_iter().find(|one| fails(one))?;
    Some((wanted, describe(found)))
}

/// Whether it is text in a form that stands for no number.
pub(super) fn is_no_number(one: &Inferred<'_>) -> bool {
    no_text(one, &|text| text.trim().parse::<f64>().is_ok())
}

/// What `in` cannot look into, in words.
pub(super) fn unsearchable(right: &Inferred<'_>) -> Option<String> {
    let mut all = right.alternatives().into_iter();
    all.find(|one| is_flag(one) || is_number(one)).map(describe)
}

/// What is neither text nor a list, so that `[1:]` cannot take a part of it, in words.
pub(super) fn unsliceable(value: &Inferred<'_>) -> Option<String> {
    let mut all = value.alternatives().into_iter();
    all.find(|one| is_flag(one) || is_number(one) || one.class() == Some(Class::Mapping)).map(describe)
}

pub(super) fn is_flag(one: &Inferred<'_>) -> bool {
    match one {
        Inferred::Flag | Inferred::Constant(Value::Bool(_)) => true,
        Inferred::Declared(shape) => is_kind(shape, &[Kind::Boolean]),
        _ => false,
    }
}

fn is_number(one: &Inferred<'_>) -> bool {
    match one {
        Inferred::Number | Inferred::Integer | Inferred::Constant(Value::Number(_)) => true,
        Inferred::Declared(shape) => is_kind(shape, &[Kind::Number, Kind::Integer]),
        _ => false,
    }
}

fn is_kind(shape: &Shape, kinds: &[Kind]) -> bool {
    kinds.contains(&shape.kind) && shape.any_of.is_empty() && !shape.doubtful
}

/// Whether it is text in a form that is not `readable`.
fn no_text(one: &Inferred<'_>, readable: &dyn Fn(&str) -> bool) -> bool {
    match one {
        Inferred::Declared(shape) if is_kind(shape, &[Kind::String]) => match sample(shape) {
            Some(sample) => !readable(sample),
            None => {
                let is_word = |word: &Value| word.as_str().is_some_and(|word| !readable(word));
                !shape.values.is_empty() && shape.values.iter().all(is_word)
            }
        },
        Inferred::Day | Inferred::Moment => !readable("2027-01-01"),
        _ => false,
    }
}

/// A text of the shape's format.
fn sample(shape: &Shape) -> Option<&'static str> {
    Some(match shape.format.as_deref()? {
        "date-time" | "date" => "2027-01-01",
        "email" => "ada@example.com",
        "uri" | "url" => "https://example.com",
        "uuid" => "00000000-0000-0000-0000-00000000000x",
        _ => return None,
    })
}

/// A value in a few words.
pub(super) fn describe(found: &Inferred<'_>) -> String {
    match found {
        Inferred::Day => "a date".to_owned(),
        Inferred::Moment => "a time".to_owned(),
        Inferred::Declared(shape) => match shape.format.as_deref() {
            Some("date") => "a date".to_owned(),
            Some("date-time") => "a time".to_owned(),
            Some("email") => "an e-mail address".to_owned(),
            Some("uri" | "url") => "an address".to_owned(),
            _ => shape.describe(),
        },
        one if is_flag(one) => "true or false".to_owned(),
        Inferred::List(_) | Inferred::Constant(Value::Array(_)) => "a list of other values".to_owned(),
        Inferred::Mapping | Inferred::Constant(Value::Object(_)) => "a mapping".to_owned(),
        _ => "a number".to_owned(),
    }
}
