//! Tests of templates: what may follow `is`.

use std::cmp::Ordering;

use minijinja::value::{Value as Datum, ValueKind};
use minijinja::{Error, ErrorKind, State};
use rust_decimal::prelude::ToPrimitive;

use super::convert::to_json_charged;
use super::error::refusal;
use super::filter_type::{Gives, Takes};
use super::filters::{compiled, decimal, text, unfit};
use super::order;
use super::spec::{Spec, own};
use crate::value::is_same_in_any_case;

/// The engine's own tests that are not available: they concern HTML and the engine, or are aliases.
pub(super) const WITHHELD: [&str; 19] = [
    "safe",
    "escaped",
    "sameas",
    "filter",
    "test",
    "iterable",
    "float",
    "int",
    "lower",
    "upper",
    "equalto",
    "lessthan",
    "greaterthan",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
];

/// All tests of templates: what may follow `is`.
pub fn all() -> &'static [Spec] {
    &SPECS
}

const SPECS: [Spec; 26] = [
    Spec::builtin("true", "It is `true` itself.", ("{{ 1 is true }}", "false")),
    Spec::builtin("false", "It is `false` itself.", ("{{ false is false }}", "true")),
    Spec::builtin("defined", "It is there.", ("{{ x.y is defined }}", "false")),
    Spec::builtin("undefined", "It is not there.", ("{{ x is undefined }}", "true")),
    own!(add_test(is_none), "none", "It is null.", ("{{ none is none }}", "true")),
    own!(add_test(is_none), "null", "It is null.", ("{{ none is null }}", "true")),
    Spec::builtin("boolean", "It is true or false.", ("{{ true is boolean }}", "true")),
    Spec::builtin("number", "It is a number.", ("{{ 1.5 is number }}", "true")),
    Spec::builtin("integer", "It is a whole number.", ("{{ 3 is integer }}", "true")),
    Spec::builtin("string", "It is text.", ("{{ 'x' is string }}", "true")),
    Spec::builtin("sequence", "It is a list.", ("{{ [1] is sequence }}", "true")),
    Spec::builtin("mapping", "It is a mapping.", ("{{ {'a': 1} is mapping }}", "true")),
    own!(
        add_test(|value: &Datum| remainder(value, 2).map(|rest| rest != 0)),
        "odd",
        "It is an odd number.",
        ("{{ 3 is odd }}", "true")
    )
    .typed(Takes::WholeNumber, Gives::Flag),
    own!(
        add_test(|value: &Datum| remainder(value, 2).map(|rest| rest == 0)),
        "even",
        "It is an even number.",
        ("{{ 3 is even }}", "false")
    )
    .typed(Takes::WholeNumber, Gives::Flag),
    own!(
        add_test(divisible_by),
        "divisibleby(number)",
        "It is a multiple of the number.",
        ("{{ 9 is divisibleby(3) }}", "true")
    )
    .typed(Takes::WholeNumber, Gives::Flag),
    own!(
        add_test(order::equal),
        "eq(value)",
        "It equals the value, as with `==`; for `select` and `selectattr`.",
        ("{{ [1, 2, 1] | select('eq', 1) | list }}", "[1, 1]")
    ),
    own!(
        add_test(|value: &Datum, other: &Datum| order::equal(value, other).map(|is| !is)),
        "ne(value)",
        "It does not equal the value.",
        ("{{ [1, 2] | select('ne', 1) | list }}", "[2]")
    ),
    own!(
        add_test(same),
        "same(value)",
        "It is the same value in any notation that APIs keep one in: text in another case, a phone number with spaces or a country code, a time in another format, a number as text.",
        ("{{ '+44 7700 900123' is same('+447700900123') }}", "true")
    ),
    own!(
        add_test(|value: &Datum, other: &Datum| order::compare(value, other).map(Ordering::is_lt)),
        "lt(value)",
        "It is less than the value, as with `<`.",
        ("{{ [1, 2] | select('lt', 2) | list }}", "[1]")
    ),
    own!(
        add_test(|value: &Datum, other: &Datum| order::compare(value, other).map(Ordering::is_le)),
        "le(value)",
        "It is at most the value.",
        ("{{ [1, 2] | select('le', 2) | list }}", "[1, 2]")
    ),
    own!(
        add_test(|value: &Datum, other: &Datum| order::compare(value, other).map(Ordering::is_gt)),
        "gt(value)",
        "It is more than the value.",
        ("{{ [1, 2] | select('gt', 1) | list }}", "[2]")
    ),
    own!(
        add_test(|value: &Datum, other: &Datum| order::compare(value, other).map(Ordering::is_ge)),
        "ge(value)",
        "It is at least the value.",
        ("{{ [1, 2] | select('ge', 2) | list }}", "[2]")
    ),
    own!(
        add_test(|state: &State<'_, '_>, value: &Datum, list: &Datum| order::contains(state, list, value)),
        "in(list)",
        "The list, mapping or text contains it.",
        ("{{ ['a', 'z'] | select('in', ['a', 'b']) | list }}", r#"["a"]"#)
    ),
    own!(
        add_test(starting_with),
        "startingwith(text)",
        "It begins with the text.",
        ("{{ 'hob' is startingwith('h') }}", "true")
    )
    .typed(Takes::Text, Gives::Flag),
    own!(
        add_test(ending_with),
        "endingwith(text)",
        "It ends with the text.",
        ("{{ 'hob' is endingwith('b') }}", "true")
    )
    .typed(Takes::Text, Gives::Flag),
    own!(
        add_test(matching),
        "matching(pattern)",
        "The regular expression finds something in the text.",
        ("{{ 'A-17' is matching('[0-9]+') }}", "true")
    )
    .typed(Takes::Text, Gives::Flag),
];

fn same(state: &State<'_, '_>, value: &Datum, other: &Datum) -> Result<bool, Error> {
    Ok(is_same_in_any_case(&to_json_charged(state, value)?, &to_json_charged(state, other)?))
}

fn remainder(value: &Datum, divisor: i128) -> Result<i128, Error> {
    if let Ok(whole) = i128::try_from(value.clone()) {
        return Ok(whole % divisor);
    }
    let number = decimal(value)?;
    let whole = if number.is_integer() { number.to_i128() } else { None };
    whole.map(|whole| whole % divisor).ok_or_else(|| unfit(value, "a whole number"))
}

fn divisible_by(value: &Datum, number: &Datum) -> Result<bool, Error> {
    let divisor = decimal(number)?;
    let divisor = if divisor.is_integer() { divisor.to_i128() } else { None };
    match divisor {
        Some(0) => Err(refusal("cannot divide by zero")),
        Some(divisor) => remainder(value, divisor).map(|rest| rest == 0),
        None => Err(unfit(number, "a whole number to divide by")),
    }
}

fn starting_with(value: &Datum, beginning: &Datum) -> Result<bool, Error> {
    Ok(text(value)?.starts_with(text(beginning)?.as_ref()))
}

fn ending_with(value: &Datum, end: &Datum) -> Result<bool, Error> {
    Ok(text(value)?.ends_with(text(end)?.as_ref()))
}

fn is_none(value: &Datum) -> Result<bool, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        kind => Ok(kind == ValueKind::None),
    }
}

fn matching(state: &State<'_, '_>, value: &Datum, pattern: &str) -> Result<bool, Error> {
    Ok(compiled(state, pattern)?.is_match(&text(value)?))
}

#[cfg(test)]
mod tests {
    use crate::template::testing::{failure, value};
    use serde_json::json;

    #[test]
    fn notations_of_a_value_are_the_same() {
        let event = json!({ "name": "Ada", "phone": "07700 900123", "none": null });
        for (text, wanted) in [
            ("{{ event.name is same(' ADA ') }}", true),
            ("{{ event.phone is same(value='+447700900123') }}", true),
            ("{{ event.name is same('Ida') }}", false),
            ("{{ event.none is same('') }}", true),
            ("{{ event.none is same('0') }}", false),
            ("{{ ['x', '+447700900123'] | select('same', event.phone) | list == ['+447700900123'] }}", true),
        ] {
            assert_eq!(value(text, event.clone()), json!(wanted), "{text}");
        }
        failure("{{ event.mobile is same('x') }}", event);
    }

    #[test]
    fn null_is_no_text_and_no_number() {
        for test in [
            "odd",
            "even",
            "divisibleby(2)",
            "startingwith('n')",
            "endingwith('e')",
            "matching('n')",
            "lt(1)",
            "le(1)",
            "gt(1)",
            "ge(1)",
        ] {
            failure(&format!("{{{{ event.x is {test} }}}}"), json!({ "x": null }));
            failure(&format!("{{{{ event.y is {test} }}}}"), json!({ "x": null }));
        }
        assert_eq!(value("{{ '4' is even }}", json!({})), json!(true));
        assert_eq!(value("{{ 7 is divisibleby(number='7') }}", json!({})), json!(true));
        for no in ["{{ 'x' is even }}", "{{ 1.5 is odd }}", "{{ 3 is divisibleby(0) }}"] {
            failure(no, json!({}));
        }
    }
}
