//! `default` and `coalesce`: a value for when there is none.

use minijinja::value::{Rest, Value as Datum};

use crate::template::spec::Spec;

pub(super) const SPECS: [Spec; 3] = [
    Spec::own(
        "default",
        "default(value='', empty=false)",
        "The value given, if the input is undefined or null; with `true` as the second argument also if it is empty, 0 or false.",
        ("{{ event.phone | default('none') }}", r#""none""#),
        |env, name| env.add_filter(name, default),
    ),
    Spec::own(
        "d",
        "d(value='', empty=false)",
        "Short for `default`.",
        ("{{ '' | d('none', true) }}", r#""none""#),
        |env, name| env.add_filter(name, default),
    ),
    Spec::own(
        "coalesce",
        "coalesce(value, …)",
        "The first of the input and the values given that is neither null nor empty text; null if there is none.",
        ("{{ none | coalesce('', 'b', 'c') }}", r#""b""#),
        |env, name| env.add_filter(name, coalesce),
    ),
];

fn default(value: &Datum, other: Option<Datum>, empty: Option<bool>) -> Datum {
    let missing = value.is_undefined() || value.is_none() || (empty.unwrap_or(false) && !value.is_true());
    if missing { other.unwrap_or_else(|| Datum::from("")) } else { value.clone() }
}

fn coalesce(value: Datum, others: Rest<Datum>) -> Datum {
    let present = |value: &Datum| !value.is_none() && value.as_str() != Some("");
    std::iter::once(value).chain(others.0).find(present).unwrap_or_else(|| Datum::from(()))
}
