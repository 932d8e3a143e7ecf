//! Which JSONPaths are parsed: those that take a bounded time.

/// Deepest nesting of brackets and parentheses. The parser tries each of them in several readings, one within the other, so
/// that its time grows exponentially with their depth.
const MAX_NESTING: usize = 5;

/// Why `path` is not parsed; none if it is.
pub fn unparsed(path: &str) -> Option<String> {
    let (mut depth, mut deepest, mut quote) = (0_usize, 0, None);
    let mut letters = path.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(_), '\\') => drop(letters.next()),
            (Some(end), letter) if letter == end => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '[' | '(') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (None, ']' | ')') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    (deepest > MAX_NESTING).then(|| format!("brackets are nested deeper than {MAX_NESTING}"))
}

#[cfg(test)]
mod tests {
    use jsonpath_rust::parser::parse_json_path;

    use super::*;

    #[test]
    fn brackets_in_quotes_do_not_count() {
        for path in
            ["$", "$.a[?(@.b && (match(@.c['d'], '[(')))]", r"$['(((((((\'((((']", "$[0][1][2][3][4][5][6]"]
        {
            assert_eq!(unparsed(path), None, "{path}");
        }
        assert!(unparsed("$[?((((((@.a))))))]").is_some());
    }

    #[test]
    fn what_would_be_parsed_for_hours_is_refused() {
        for opening in ["match(@.b, ", "(", "!(", "@[?", "length(@.a[?"] {
            for depth in 1..40 {
                let path = format!("$[?{}", opening.repeat(depth));
                match unparsed(&path) {
                    Some(_) => assert!(depth >= MAX_NESTING / 2, "{path}"),
                    // It comes to an end.
                    None => assert!(parse_json_path(&path).is_err(), "{path}"),
                }
            }
        }
    }
}
