//! `default` and `coalesce`: a value for when there is none.

use minijinja::value::{Rest, Value as Datum};

use crate::template::filter_type::{Gives, Takes};
use crate::template::spec::{Spec, own};

pub(super) const SPECS: [Spec; 3] = [
    own!(
        add_filter(default),
        "default(value='', empty=false)",
        "The value given, if the input is undefined or null; with `empty=true` also if it is empty, 0 or false. `default(none)` is null, `default(omit)` leaves an input out.",
        ("{{ event.phone | default('none') }}", r#""none""#)
    ).typed(Takes::Anything, Gives::Default),
    own!(
        add_filter(default),
        "d(value='', empty=false)",
        "Short for `default`.",
        ("{{ '' | d('none', true) }}", r#""none""#)
    ).typed(Takes::Anything, Gives::Default),
    own!(
        add_filter(coalesce),
        "coalesce(value, …)",
        "The first of the input, which may be missing, and the values given that is neither null nor empty text; null if there is none.",
        ("{{ none | coalesce('', 'b', 'c') }}", r#""b""#)
    ).typed(Takes::Anything, Gives::Coalesce),
];

/// Null is a valid default, so the number of arguments is needed to tell whether one is given.
fn default(value: &Datum, given: Rest<Datum>) -> Datum {
    let empty = given.get(1).is_some_and(Datum::is_true);
    let missing = value.is_undefined() || value.is_none() || (empty && !value.is_true());
    if !missing {
        return value.clone();
    }
    given
        .first()
        .filter(|other| !other.is_undefined() || given.len() == 1)
        .cloned()
        .unwrap_or_else(|| Datum::from(""))
}

fn coalesce(value: Datum, others: Rest<Datum>) -> Datum {
    let present = |value: &Datum| !value.is_undefined() && !value.is_none() && value.as_str() != Some("");
    std::iter::once(value).chain(others.0).find(present).unwrap_or_else(|| Datum::from(()))
}

#[cfg(test)]
mod tests {
    use crate::template::testing::{failure, value};
    use serde_json::json;

    #[test]
    fn null_given_is_null() {
        let event = json!({ "phone": null, "email": "a@b.c", "blank": "", "zero": 0 });
        for (text, wanted) in [
            ("{{ event.phone | default(none) }}", json!(null)),
            ("{{ event.mobile | default(none) }}", json!(null)),
            ("{{ event.mobile | default(value=none) }}", json!(null)),
            ("{{ event.mobile | d(none) }}", json!(null)),
            ("{{ event.blank | default(none, true) }}", json!(null)),
            ("{{ event.blank | default(none, empty=true) }}", json!(null)),
            ("{{ event.blank | default(none) }}", json!("")),
            ("{{ event.mobile | default }}", json!("")),
            ("{{ event.zero | default(empty=true) }}", json!("")),
            ("{{ event.mobile | default(event.phone) }}", json!(null)),
            ("{{ event.mobile | default(event.home) | default('x') }}", json!("x")),
            ("{{ event.email | default(none) }}", json!("a@b.c")),
            ("{{ event.phone | coalesce(event.blank) }}", json!(null)),
            ("{{ event.phone | coalesce(event.mobile, event.home, 'x') }}", json!("x")),
            ("{{ event.phone | coalesce(value=event.mobile) }}", json!(null)),
        ] {
            assert_eq!(value(text, event.clone()), wanted, "{text}");
        }
        failure("{{ event.mobile | default(event.home) }}", event);
    }
}
