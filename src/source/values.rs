//! Finds values of fields in a text that is not valid YAML.

use regex::Regex;

use super::Span;

/// Finds the values of some fields by lines and indentation. Errs on the side of too much.
#[derive(Debug)]
pub struct ValueFinder {
    field: Regex,
    part: Regex,
}

impl ValueFinder {
    /// Finds values of fields that `field` matches, including the separator; values that `kept` matches are excluded.
    pub fn new(field: &str, kept: &str) -> Result<Self, regex::Error> {
        let signs = r#"[\s{}\[\],:"'|>-]"#;
        let part = format!(r#"(?:{kept})|{signs}|(?P<part>[^\s{{}}\[\],:"']+)"#);
        Ok(Self { field: Regex::new(field)?, part: Regex::new(&part)? })
    }

    /// The spans of the values in `text`.
    pub fn find(&self, text: &str) -> Vec<Span> {
        let mut found = Vec::new();
        let mut within: Option<usize> = None;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let indent = line.len() - line.trim_start_matches([' ', '\t', '-']).len();
            if !line.trim().is_empty() && within.is_some_and(|outer| indent <= outer) {
                within = None;
            }
            if within.is_some() {
                self.values(line, at, &mut found);
            } else if let Some(field) = self.field.find(line) {
                self.values(&line[field.end()..], at + field.end(), &mut found);
                within = Some(indent);
            }
            at += line.len();
        }
        found
    }

    fn values(&self, text: &str, at: usize, found: &mut Vec<Span>) {
        let parts = self.part.captures_iter(text).filter_map(|captures| captures.name("part"));
        found.extend(parts.map(|part| Span::new(at + part.start(), at + part.end())));
    }
}
