//! Arguments that are not written out: what they may be that their parameters refuse, as far as it is known.

use super::constant::{self, Takes};
use super::convert;
use super::inferred::Inferred;
use super::misread;
use crate::value::{Kind, Value};

/// A value that an argument may have and its parameter refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// What the parameter takes, in words.
    pub(super) takes: &'static str,
    /// What it may be given, in words.
    pub(super) found: String,
    /// Whether it is never anything else.
    pub(super) always: bool,
}

/// The sort of a value, as far as parameters tell sorts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Null,
    Text,
    Whole,
    Number,
    Flag,
    List,
    Mapping,
}

/// The first thing that `value` may be which `parameter` of `callee` refuses.
pub(super) fn refused(
    callee: &str,
    parameter: &str,
    optional: bool,
    value: &Inferred<'_>,
) -> Option<Refused> {
    let takes = constant::takes(callee, parameter)?;
    let (words, taken) = accepted(&takes)?;
    let fails = |one: &Inferred<'_>| match (one, sort(one)) {
        (_, Some(Sort::Null)) => !optional && !matches!(takes, Takes::Id),
        (Inferred::Constant(written), _) => constant::check(&takes, &convert::from_json(written)).is_err(),
        (_, Some(sort)) => !taken.contains(&sort) || below_least(&takes, one) || unreadable(&takes, one),
        (_, None) => false,
    };
    // A number may well be a whole one, and large enough.
    let may_fit = |one: &Inferred<'_>| {
        let is_number = matches!(sort(one), Some(Sort::Whole | Sort::Number));
        is_number && !matches!(one, Inferred::Constant(_)) && taken.contains(&Sort::Whole)
    };
    let all = value.alternatives();
    let found = all.iter().find(|one| fails(one))?;
    let always = all.iter().all(|one| fails(one) && !may_fit(one));
    Some(Refused { takes: words, found: describe(found), always })
}

/// What a parameter takes, in words and by sort; `None` if it takes anything.
fn accepted(takes: &Takes) -> Option<(&'static str, &'static [Sort])> {
    Some(match takes {
        Takes::Anything => return None,
        Takes::Scalar | Takes::Something => ("text", &[Sort::Text, Sort::Whole, Sort::Number, Sort::Flag]),
        Takes::Id => ("a record's id", &[Sort::Text, Sort::Whole, Sort::Number]),
        Takes::Flag => ("true or false", &[Sort::Flag]),
        Takes::Whole | Takes::Places => ("a whole number that is not negative", &[Sort::Whole]),
        Takes::Count => ("a whole number of at least 1", &[Sort::Whole]),
        Takes::Integer => ("a whole number", &[Sort::Whole]),
        Takes::Number | Takes::Divisor => ("a number", &[Sort::Text, Sort::Whole, Sort::Number]),
        Takes::List => ("a list", &[Sort::Text, Sort::List, Sort::Mapping]),
        Takes::Mapping => ("a mapping", &[Sort::Mapping]),
        _ => ("text", &[Sort::Text]),
    })
}

fn sort(value: &Inferred<'_>) -> Option<Sort> {
    Some(match value {
        Inferred::Text | Inferred::Day | Inferred::Moment => Sort::Text,
        Inferred::Integer => Sort::Whole,
        Inferred::Number => Sort::Number,
        Inferred::Flag => Sort::Flag,
        Inferred::List(_) => Sort::List,
        Inferred::Mapping => Sort::Mapping,
        Inferred::Constant(value) => match value {
            Value::Null => Sort::Null,
            Value::Bool(_) => Sort::Flag,
            Value::Number(_) => Sort::Number,
            Value::String(_) => Sort::Text,
            Value::Array(_) => Sort::List,
            Value::Object(_) => Sort::Mapping,
        },
        Inferred::Declared(shape) if shape.doubtful || !shape.any_of.is_empty() => return None,
        Inferred::Declared(shape) => match shape.kind {
            Kind::Any => return None,
            Kind::String => Sort::Text,
            Kind::Integer => Sort::Whole,
            Kind::Number => Sort::Number,
            Kind::Boolean => Sort::Flag,
            Kind::Array => Sort::List,
            Kind::Object => Sort::Mapping,
        },
        Inferred::Unknown | Inferred::Omitted | Inferred::Absent | Inferred::OneOf(_) => return None,
    })
}

/// Whether a declared number may be less than the parameter takes. Of a computed one, that is not known.
fn below_least(takes: &Takes, value: &Inferred<'_>) -> bool {
    let least = match takes {
        Takes::Whole | Takes::Places => 0,
        Takes::Count => 1,
        _ => return false,
    };
    matches!(value, Inferred::Declared(shape) if shape.minimum.is_none_or(|minimum| minimum < least))
}

/// Whether it is text in a form that stands for no number.
fn unreadable(takes: &Takes, value: &Inferred<'_>) -> bool {
    matches!(takes, Takes::Number | Takes::Divisor) && misread::is_no_number(value)
}

fn describe(found: &Inferred<'_>) -> String {
    match found {
        Inferred::Constant(Value::Null) => "null".to_owned(),
        Inferred::Constant(Value::Array(_)) | Inferred::List(_) => "a list".to_owned(),
        Inferred::Constant(Value::Object(_)) | Inferred::Mapping => "a mapping".to_owned(),
        Inferred::Constant(written) => written.to_string(),
        Inferred::Declared(shape) if shape.kind == Kind::Integer => {
            "a number that may be too small".to_owned()
        }
        Inferred::Number => "a number that may have a fraction".to_owned(),
        Inferred::Integer => "a number".to_owned(),
        Inferred::Text => "text".to_owned(),
        found => misread::describe(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Shape;

    #[test]
    fn what_a_parameter_refuses_is_told() {
        let shape = |kind| Shape::new(kind);
        let (text, whole, list) = (shape(Kind::String), shape(Kind::Integer), shape(Kind::Array));
        let from_one = Shape { minimum: Some(1), ..whole.clone() };
        let email = Shape { format: Some("email".into()), ..text.clone() };
        let null = || Inferred::Constant(Value::Null);
        for (callee, parameter, optional, value, found) in [
            ("merge", "mapping", false, Inferred::Declared(&list), Some("a list")),
            ("merge", "mapping", false, Inferred::Mapping, None),
            ("remove_prefix", "text", false, Inferred::Declared(&list), Some("a list")),
            ("remove_prefix", "text", false, Inferred::Declared(&text), None),
            ("remove_prefix", "text", false, Inferred::Integer, Some("a number")),
            ("remove_prefix", "text", false, null(), Some("null")),
            ("trim", "characters", true, null(), None),
            ("replace", "new", false, Inferred::Integer, None),
            ("replace", "new", false, Inferred::Text.or_null(), Some("null")),
            ("truncate", "length", true, Inferred::Declared(&whole), Some("a number that may be too small")),
            ("truncate", "length", true, Inferred::Declared(&from_one), None),
            ("truncate", "length", true, Inferred::Number, Some("a number that may have a fraction")),
            ("plus", "number", false, Inferred::Declared(&email), Some("an e-mail address")),
            ("plus", "number", false, Inferred::Text, None),
            ("plus", "number", false, Inferred::Flag, Some("true or false")),
            ("split", "separator", true, Inferred::Text.or(Inferred::Constant(5.into())), Some("5")),
            ("default", "value", true, Inferred::Mapping, None),
            ("lower", "nothing", true, Inferred::Mapping, None),
        ] {
            let told = refused(callee, parameter, optional, &value);
            assert_eq!(told.map(|told| told.found).as_deref(), found, "{parameter} of {callee}: {value:?}");
        }
        assert!(refused("batch", "size", false, &Inferred::Number).is_some_and(|told| !told.always));
        assert!(refused("merge", "mapping", false, &Inferred::Text).is_some_and(|told| told.always));
        assert!(
            refused("merge", "mapping", false, &Inferred::Mapping.or(null()))
                .is_some_and(|told| !told.always)
        );
    }
}
