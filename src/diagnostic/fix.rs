//! Edits that mend what a diagnostic is about.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::source::{SourceFile, Span};

/// Whether a fix is made without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// It is what was meant, and changes nothing that worked: `hob validate --fix` makes it.
    Safe,
    /// It may be what was meant, or changes what a recipe does: editors offer it.
    Suggested,
}

/// Edits that mend what a diagnostic is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What they do, as an instruction: "replace `emial` with `email`".
    pub title: String,
    /// Whether they are made without asking.
    pub applicability: Applicability,
    /// The edits. They do not overlap, and all of them are made or none.
    pub edits: Vec<Edit>,
}

/// A piece of text instead of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where it is; empty for an insertion.
    pub span: Span,
    /// The text that is there. If another is there, the edit is not made.
    pub replaced: String,
    /// The new text.
    pub replacement: String,
}

impl Fix {
    /// Makes these edits without asking.
    pub fn new(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self { title: title.into(), applicability: Applicability::Safe, edits }
    }

    /// Replaces `replaced`, which is the text at `span` or somewhere in it.
    pub fn replace(span: Span, replaced: impl Into<String>, replacement: impl Into<String>) -> Self {
        let (replaced, replacement) = (replaced.into(), replacement.into());
        let title = format!("replace `{replaced}` with `{replacement}`");
        Self::new(title, vec![Edit { span, replaced, replacement }])
    }

    /// Replaces a name by another one, if both look the same with and without quotes.
    pub fn rename(span: Span, name: &str, other: &str) -> Option<Self> {
        let is_letter = |c: char| c.is_alphanumeric() || "_.-/".contains(c);
        let is_plain = |name: &str| {
            let is_scalar = matches!(name.to_ascii_lowercase().as_str(), "true" | "false" | "null");
            name.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && name.chars().all(is_letter)
                && !is_scalar
        };
        (is_plain(name) && is_plain(other) && name != other).then(|| Self::replace(span, name, other))
    }

    /// The same, to be offered only.
    pub fn suggested(self) -> Self {
        Self { applicability: Applicability::Suggested, ..self }
    }

    /// The fix with the exact places of its edits in `file`; `None` if one of them does not fit.
    pub fn located(&self, file: &SourceFile) -> Option<Self> {
        let edits = self.edits.iter().map(|edit| edit.located(file)).collect::<Option<_>>()?;
        Some(Self { edits, ..self.clone() })
    }

    /// Whether its edits fit `text`.
    fn fits(&self, text: &str) -> bool {
        self.edits.iter().all(|edit| text.get(edit.span.range()) == Some(&edit.replaced))
    }
}

impl Edit {
    /// Inserts `text` at this offset.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { span: Span::new(at, at), replaced: String::new(), replacement: text.into() }
    }

    fn located(&self, file: &SourceFile) -> Option<Self> {
        let text = file.slice(self.span);
        let span = match text == self.replaced {
            true => self.span,
            false => {
                let at = only_word(text, &self.replaced)?;
                Span::new(self.span.start + at, self.span.start + at + self.replaced.len())
            }
        };
        // `steps.my-step` subtracts.
        if self.replacement.contains(['-', '/']) && !self.replaced.contains(['-', '/']) {
            let before = file.text().get(..span.start)?;
            let last = |mark: [&str; 2]| mark.iter().filter_map(|mark| before.rfind(mark)).max();
            if last(["{{", "{%"]) > last(["}}", "%}"]) {
                return None;
            }
        }
        Some(Self { span, ..self.clone() })
    }
}

/// The place of the only occurrence of `word` in `text` that is not a part of a longer one.
fn only_word(text: &str, word: &str) -> Option<usize> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut places = text.match_indices(word).map(|(at, _)| at).filter(|at| {
        !word.is_empty()
            && !text[..*at].ends_with(is_letter)
            && !text[at + word.len()..].starts_with(is_letter)
    });
    places.next().filter(|_| places.next().is_none())
}

/// `text` with `fixes`, and how many were made. Of those that overlap, the first is made; the same fix twice counts
/// once.
pub fn apply<'f>(text: &str, fixes: impl IntoIterator<Item = &'f Fix>) -> (String, usize) {
    let mut fixes: Vec<&Fix> =
        fixes.into_iter().filter(|fix| !fix.edits.is_empty() && fix.fits(text)).collect();
    fixes.sort_by_key(|fix| fix.edits.iter().map(|edit| edit.span).min());
    let mut edits: BTreeMap<usize, &Edit> = BTreeMap::new();
    let mut made = 0;
    for fix in fixes {
        let overlaps = |edit: &Edit| {
            let before = edits.range(..=edit.span.start).next_back();
            let after = edits.range(edit.span.start..).next();
            before.is_some_and(|(start, other)| other.span.end > edit.span.start || *start == edit.span.start)
                || after.is_some_and(|(start, _)| *start < edit.span.end)
        };
        if !fix.edits.iter().any(overlaps) {
            edits.extend(fix.edits.iter().map(|edit| (edit.span.start, edit)));
            made += 1;
        }
    }
    let mut mended = String::with_capacity(text.len());
    let mut from = 0;
    for edit in edits.values() {
        mended.push_str(&text[from..edit.span.start]);
        mended.push_str(&edit.replacement);
        from = edit.span.end;
    }
    mended.push_str(&text[from..]);
    (mended, made)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(text: &str, from: &str, to: &str) -> Fix {
        let at = text.find(from).unwrap();
        Fix::replace(Span::new(at, at + from.len()), from, to)
    }

    #[test]
    fn edits_are_made_where_their_text_is_and_nowhere_else() {
        let text = "a: emial # b\nc: 'lenght'\n";
        let fixes = [fix(text, "emial", "email"), fix(text, "lenght", "length"), fix(text, "emial", "email")];
        assert_eq!(apply(text, &fixes), ("a: email # b\nc: 'length'\n".to_owned(), 2));
        assert_eq!(apply("a: other # b\nc: 'lenght'\n", &fixes).1, 1);
    }

    #[test]
    fn of_edits_that_overlap_the_first_is_made() {
        let text = "abcdef";
        let both = Fix::new(
            "both",
            vec![fix(text, "ef", "x").edits[0].clone(), fix(text, "ab", "x").edits[0].clone()],
        );
        let fixes = [fix(text, "bcd", "1"), both, fix(text, "ef", "2"), fix(text, "d", "3")];
        assert_eq!(apply(text, &fixes), ("xc3x".to_owned(), 2));
        let twice = [Fix::new("a", vec![Edit::insert(3, "1")]), Fix::new("b", vec![Edit::insert(3, "2")])];
        assert_eq!(apply(text, &twice), ("abc1def".to_owned(), 1));
        assert_eq!(apply(text, &[fix(text, "abc", "1"), fix(text, "def", "2")]), ("12".to_owned(), 2));
    }

    #[test]
    fn a_name_is_found_within_its_quotes_and_its_path() {
        let located = |text: &str, name: &str, other: &str| {
            let fix = Fix::rename(Span::new(0, text.len()), name, other)?;
            let fix = fix.located(&SourceFile::new("a", text))?;
            Some(apply(text, [&fix]).0)
        };
        assert_eq!(located("'logg'", "logg", "log").as_deref(), Some("'log'"));
        assert_eq!(
            located("steps.cntact.email", "cntact", "contact").as_deref(),
            Some("steps.contact.email")
        );
        assert_eq!(located("vars.nme.nme", "nme", "name"), None, "which of them?");
        assert_eq!(located("vars.nme2", "nme", "name"), None);
        assert_eq!(located("{{ steps.my_stp }}", "my_stp", "my-step"), None, "a minus");
        assert_eq!(located("contacts_get", "contacts_get", "contacts.get").as_deref(), Some("contacts.get"));
        assert_eq!(located("'a b'", "a b", "ab"), None);
        assert_eq!(located("Tru", "Tru", "true"), None, "no longer text");
    }
}
