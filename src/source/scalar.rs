//! Types of plain YAML scalars, and the position of a scalar's characters in the file.

use super::{Data, SourceFile, Span};

/// Resolves a plain scalar by the core schema of YAML 1.2: `NO` and `0123` are text.
pub(super) fn resolve(text: &str) -> Data {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Data::Null,
        "true" | "True" | "TRUE" => return Data::Bool(true),
        "false" | "False" | "FALSE" => return Data::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.ends_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
    if !numeric || leading_zero || text.starts_with('+') {
        return Data::Text(text.to_owned());
    }
    if let Ok(number) = text.parse() {
        return Data::Int(number);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && !digits.bytes().all(|b| b.is_ascii_digit()) => {
            Data::Float(number)
        }
        _ => Data::Text(text.to_owned()),
    }
}

impl SourceFile {
    /// The span in the file of the bytes `within` of a scalar's value, given the scalar's span: quotes, escapes and
    /// the indentation of block scalars are in the file but not in the value.
    pub fn span_within(&self, scalar: Span, value: &str, within: Span) -> Span {
        let raw = self.slice(scalar);
        let last = within.end.saturating_sub(1).max(within.start);
        let offsets = (offset_in_raw(raw, value, within.start), offset_in_raw(raw, value, last));
        // A value that was derived from the scalar has no places in it.
        let (Some(start), Some(end)) = offsets else { return scalar };
        let last = raw[end..].chars().next().map_or(0, char::len_utf8);
        Span::new(scalar.start + start, scalar.start + end + last)
    }
}

/// The offset in `raw` of the character at offset `at` of `value`, skipping what is not part of the value.
/// `None` where they differ.
fn offset_in_raw(raw: &str, value: &str, at: usize) -> Option<usize> {
    let double_quoted = raw.starts_with('"');
    let block = raw.starts_with(['|', '>']);
    let mut from = if block { raw.find('\n').map_or(0, |end| end + 1) } else { 0 };
    if raw.starts_with(['"', '\'']) {
        from = 1;
    }
    for (offset, wanted) in value.char_indices() {
        let (found, length) = next_match(&raw[from..], wanted, double_quoted)?;
        if offset >= at {
            return Some(from + found);
        }
        from += found + length;
    }
    Some(from.min(raw.len()))
}

/// Offset and length in `raw` of the first character or escape for `wanted`.
fn next_match(raw: &str, wanted: char, double_quoted: bool) -> Option<(usize, usize)> {
    let mut chars = raw.char_indices().peekable();
    while let Some((at, found)) = chars.next() {
        if double_quoted && found == '\\' {
            let escaped = chars.peek().map_or(0, |(_, c)| c.len_utf8());
            return Some((at, 1 + escaped));
        }
        if found == wanted || (wanted == ' ' && found == '\n') {
            return Some((at, found.len_utf8()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::parse;

    #[test]
    fn only_core_schema_words_are_more_than_text() {
        for text in
            ["NO", "yes", "0123", "1e", "+49151", "12345678901234567890", ".inf", "2026-01-01", "-", "1-2"]
        {
            assert_eq!(resolve(text), Data::Text(text.into()), "{text}");
        }
        assert_eq!(resolve("-12"), Data::Int(-12));
        assert_eq!(resolve("0.5"), Data::Float(0.5));
        assert_eq!(resolve("True"), Data::Bool(true));
        assert_eq!(resolve("~"), Data::Null);
    }

    #[test]
    fn finds_characters_inside_every_kind_of_scalar() {
        for text in [
            "a: x {{ bad }} y",
            "a: \"\\tx {{ bad }} y\"",
            "a: 'it''s {{ bad }} y'",
            "a: |\n    first\n    x {{ bad }}\n",
            "a: >\n    first\n    x {{ bad }}\n",
        ] {
            let file = SourceFile::new("t", text);
            let node = parse(&file).node.unwrap();
            let scalar = node.get("a").unwrap();
            let value = scalar.as_text().unwrap();
            let at = value.find("bad").unwrap();
            let span = file.span_within(scalar.span, value, Span::new(at, at + 3));
            assert_eq!(file.slice(span), "bad", "{text}");
        }
    }
}
