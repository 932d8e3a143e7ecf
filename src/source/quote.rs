//! Texts in quotes.

/// `text`, which has no line breaks, as a YAML value in quotes: double ones unless it has some itself.
pub fn quoted(text: &str) -> String {
    match (text.contains(['"', '\\']), text.contains('\'')) {
        (false, _) => format!("\"{text}\""),
        (true, false) => format!("'{text}'"),
        (true, true) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, parse};

    #[test]
    fn a_text_in_quotes_is_read_as_it_was() {
        for text in ["a", "a 'b'", "a \"b\"", "a \"b\" 'c'", "\\d \"", "\\d '", "# : {{ x }}", ""] {
            let file = SourceFile::new("a.yaml", format!("a: {}\n", quoted(text)));
            assert_eq!(parse(&file).node.unwrap().get("a").unwrap().as_text(), Some(text));
        }
    }
}
