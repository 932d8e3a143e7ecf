//! Conditions on two values.

/// The condition that two values are the same: single ones as text, and e-mail addresses in any case; lists and mappings
/// as they are.
pub(super) fn equal(one: &str, other: &str) -> String {
    let single = |value: &str| format!("not ({value} is sequence or {value} is mapping)");
    format!(
        "{one} is not none and {other} is not none and ({one} == {other} or {} and {} and ({one} | string == {other} \
         | string or '@' in {one} | string and {one} | string | lower == {other} | string | lower))",
        single(one),
        single(other)
    )
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::{Value, json};

    use super::equal;
    use crate::template::{Scope, Template};

    fn are_equal(one: Value, other: Value) -> bool {
        let scope = Scope::new(DateTime::UNIX_EPOCH).with("one", one).with("other", other);
        let condition = Template::parse(&format!("{{{{ {} }}}}", equal("one", "other"))).unwrap();
        condition.evaluate(&scope).unwrap() == Value::Bool(true)
    }

    #[test]
    fn single_values_are_compared_as_text_and_lists_as_they_are() {
        let same = [
            (json!("Ada@Example.com"), json!("ada@example.com")),
            (json!(5), json!("5")),
            (json!(true), json!(true)),
            (json!(["vip"]), json!(["vip"])),
            (json!({ "a": [1] }), json!({ "a": [1] })),
        ];
        for (one, other) in same {
            assert!(are_equal(one.clone(), other.clone()), "{one} {other}");
        }
        let different = [
            (json!("Ada"), json!("ada")),
            (json!(["vip"]), json!(["lead", "vip"])),
            (json!(["vip"]), json!("vip")),
            (json!({ "a": 1 }), json!("a")),
            (json!([]), json!(null)),
            (json!(null), json!(null)),
        ];
        for (one, other) in different {
            assert!(!are_equal(one.clone(), other.clone()), "{one} {other}");
            assert!(!are_equal(other, one));
        }
    }
}
