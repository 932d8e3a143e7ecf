//! Tests of templates: what may follow `is`.

use minijinja::value::{Value as Datum, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::filters::{compiled, text};
use super::spec::Spec;

/// The engine's own tests that templates do without: about HTML and the engine itself, or other names
/// for what is there.
pub(super) const WITHHELD: [&str; 13] = [
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
];

/// All tests of templates: what may follow `is`.
pub fn all() -> &'static [Spec] {
    &SPECS
}

const SPECS: [Spec; 25] = [
    Spec::builtin("true", "true", "It is `true` itself.", ("{{ 1 is true }}", "false")),
    Spec::builtin("false", "false", "It is `false` itself.", ("{{ false is false }}", "true")),
    Spec::builtin("defined", "defined", "It is there.", ("{{ x.y is defined }}", "false")),
    Spec::builtin("undefined", "undefined", "It is not there.", ("{{ x is undefined }}", "true")),
    Spec::own("none", "none", "It is null.", ("{{ none is none }}", "true"), |env, name| {
        env.add_test(name, is_none)
    }),
    Spec::own("null", "null", "It is null.", ("{{ none is null }}", "true"), |env, name| {
        env.add_test(name, is_none)
    }),
    Spec::builtin("boolean", "boolean", "It is true or false.", ("{{ true is boolean }}", "true")),
    Spec::builtin("number", "number", "It is a number.", ("{{ 1.5 is number }}", "true")),
    Spec::builtin("integer", "integer", "It is a whole number.", ("{{ 3 is integer }}", "true")),
    Spec::builtin("string", "string", "It is text.", ("{{ 'x' is string }}", "true")),
    Spec::builtin("sequence", "sequence", "It is a list.", ("{{ [1] is sequence }}", "true")),
    Spec::builtin("mapping", "mapping", "It is a mapping.", ("{{ {'a': 1} is mapping }}", "true")),
    Spec::builtin("odd", "odd", "It is an odd number.", ("{{ 3 is odd }}", "true")),
    Spec::builtin("even", "even", "It is an even number.", ("{{ 3 is even }}", "false")),
    Spec::builtin(
        "divisibleby",
        "divisibleby(number)",
        "It is a multiple of the number.",
        ("{{ 9 is divisibleby(3) }}", "true"),
    ),
    Spec::builtin(
        "eq",
        "eq(value)",
        "It equals the value; for `select` and `selectattr`.",
        ("{{ [1, 2, 1] | select('eq', 1) | list }}", "[1, 1]"),
    ),
    Spec::builtin(
        "ne",
        "ne(value)",
        "It does not equal the value.",
        ("{{ [1, 2] | select('ne', 1) | list }}", "[2]"),
    ),
    Spec::builtin(
        "lt",
        "lt(value)",
        "It is less than the value.",
        ("{{ [1, 2] | select('lt', 2) | list }}", "[1]"),
    ),
    Spec::builtin(
        "le",
        "le(value)",
        "It is at most the value.",
        ("{{ [1, 2] | select('le', 2) | list }}", "[1, 2]"),
    ),
    Spec::builtin(
        "gt",
        "gt(value)",
        "It is more than the value.",
        ("{{ [1, 2] | select('gt', 1) | list }}", "[2]"),
    ),
    Spec::builtin(
        "ge",
        "ge(value)",
        "It is at least the value.",
        ("{{ [1, 2] | select('ge', 2) | list }}", "[2]"),
    ),
    Spec::builtin(
        "in",
        "in(list)",
        "The list (or text) contains it.",
        ("{{ ['a', 'z'] | select('in', ['a', 'b']) | list }}", r#"["a"]"#),
    ),
    Spec::builtin(
        "startingwith",
        "startingwith(text)",
        "It begins with the text.",
        ("{{ 'hob' is startingwith('h') }}", "true"),
    ),
    Spec::builtin(
        "endingwith",
        "endingwith(text)",
        "It ends with the text.",
        ("{{ 'hob' is endingwith('b') }}", "true"),
    ),
    Spec::own(
        "matching",
        "matching(pattern)",
        "The regular expression finds something in the text.",
        ("{{ 'A-17' is matching('[0-9]+') }}", "true"),
        |env, name| env.add_test(name, matching),
    ),
];

fn is_none(value: &Datum) -> Result<bool, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        kind => Ok(kind == ValueKind::None),
    }
}

fn matching(state: &State<'_, '_>, value: &Datum, pattern: &str) -> Result<bool, Error> {
    Ok(compiled(state, pattern)?.is_match(&text(value)?))
}
