//! Operators that other languages write as words: `name startswith 'A'`, `status equals 'open'`.

use super::pattern::Pattern;

/// What they become.
pub(super) fn patterns() -> Vec<Pattern> {
    let operand = r#"('[^']*'|"[^"]*"|[\w.\[\]]+)"#;
    let with_operand = |words: &str| format!(r"(?:{words})\s+{operand}");
    let equals = ("values are compared with `==`", "write `a == 'b'`");
    vec![
        Pattern::new(
            &with_operand(r"starts[_ ]?[wW]ith|begins[_ ]with"),
            "is startingwith($1)",
            "the beginning of a text is asked for with `is startingwith(…)`",
            "write `a is startingwith('b')`",
        ),
        Pattern::new(
            &with_operand(r"ends[_ ]?[wW]ith"),
            "is endingwith($1)",
            "the end of a text is asked for with `is endingwith(…)`",
            "write `a is endingwith('b')`",
        ),
        Pattern::new(
            &with_operand(r"=~|matches"),
            "is matching($1)",
            "a pattern is asked for with `is matching(…)`",
            "write `a is matching('[0-9]+')`",
        ),
        Pattern::new(
            r"(like|LIKE|ilike|ILIKE)\b",
            "$1",
            "`like` is no operator here",
            "write `'b' in a`, `a is startingwith('b')` or `a is matching('pattern')`",
        ),
        Pattern::new(
            &with_operand(r"(?:is\s+)?not\s+equal(?:s|\s+to)?"),
            "!= $1",
            "values are compared with `!=`",
            "write `a != 'b'`",
        ),
        Pattern::new(&with_operand(r"(?:is\s+)?equal(?:s|\s+to)"), "== $1", equals.0, equals.1),
        Pattern::new(
            r#"is\s+not\s+('[^']*'|"[^"]*"|\d+)"#,
            "!= $1",
            "values are compared with `!=`",
            "write `a != 'b'`",
        ),
        Pattern::new(r#"is\s+('[^']*'|"[^"]*"|\d+)"#, "== $1", equals.0, equals.1),
    ]
}
