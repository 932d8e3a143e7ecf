//! What is typed within `{{ … }}`, from the text before the cursor alone.

use crate::template::PathStep;

/// The place of the cursor in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// Offset of the braces that it begins with.
    pub open: usize,
    /// Offset of the word that is being typed.
    pub start: usize,
    /// What that word is.
    pub word: Word,
}

/// What a word of an expression is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// The name that a path or a call begins with.
    Name,
    /// A field of the value at a path.
    Field {
        /// The path's first name.
        root: String,
        /// The steps before the word.
        steps: Vec<PathStep>,
    },
    /// A filter.
    Filter,
    /// A test, behind `is`.
    Test,
    /// An operator, a text, or a field of something that is not a path.
    Other,
}

/// The expression at the end of `text`, in the value that begins at `start`; `None` outside the braces.
pub fn expression(text: &str, start: usize) -> Option<Expression> {
    let (open, in_text) = opened(text, start)?;
    let inside = text.get(open + 2..)?;
    let word = inside.rsplit(|c: char| !is_letter(c)).next().unwrap_or_default();
    let before = &inside[..inside.len() - word.len()];
    let word_start = text.len() - word.len();
    let kind = if in_text || word.starts_with(|c: char| c.is_numeric()) { Word::Other } else { kind(before) };
    Some(Expression { open, start: word_start, word: kind })
}

/// The offset of the braces that are open at the end of `text`, and whether it ends within a text.
fn opened(text: &str, start: usize) -> Option<(usize, bool)> {
    let mut open: Option<(usize, &str)> = None;
    let mut quote: Option<char> = None;
    let mut at = start;
    while let Some(c) = text.get(at..)?.chars().next() {
        let rest = &text[at..];
        match (open, quote) {
            (None, _) => {
                let close = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")]
                    .into_iter()
                    .find(|(mark, _)| rest.starts_with(mark));
                if let Some((_, close)) = close {
                    open = Some((at, close));
                    at += 1;
                }
            }
            (Some(_), Some(end)) => quote = (c != end).then_some(end),
            (Some((_, close)), None) if rest.starts_with(close) => {
                open = None;
                at += 1;
            }
            (Some(_), None) if ['"', '\''].contains(&c) => quote = Some(c),
            (Some(_), None) => {}
        }
        at += c.len_utf8();
    }
    open.filter(|(_, close)| *close != "#}").map(|(at, _)| (at, quote.is_some()))
}

/// What a word behind `before` is.
fn kind(before: &str) -> Word {
    if let Some(path) = before.strip_suffix('.') {
        return match path_at_end(path) {
            Some((root, steps)) => Word::Field { root, steps },
            None => Word::Other,
        };
    }
    let trimmed = before.trim_end();
    let last_word = trimmed.rsplit(|c: char| !is_letter(c)).next().unwrap_or_default();
    let has_gap = trimmed.len() < before.len();
    match trimmed.chars().next_back() {
        Some('|') if !trimmed.ends_with("||") => Word::Filter,
        Some(_) if has_gap && is_test(trimmed, last_word) => Word::Test,
        Some(_) if has_gap && OPERATORS.contains(&last_word) => Word::Name,
        Some(c) if is_letter(c) || [')', ']', '"', '\''].contains(&c) => Word::Other,
        _ => Word::Name,
    }
}

/// Words before a value.
const OPERATORS: [&str; 8] = ["and", "or", "not", "in", "if", "else", "elif", "set"];

fn is_test(before: &str, last_word: &str) -> bool {
    let earlier = before[..before.len() - last_word.len()].trim_end();
    last_word == "is" || (last_word == "not" && earlier.ends_with(" is"))
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The path at the end of `text`, such as `steps.a[0]`.
fn path_at_end(text: &str) -> Option<(String, Vec<PathStep>)> {
    let mut rest = text;
    let mut steps = Vec::new();
    loop {
        rest = rest.trim_end();
        if let Some(inside) = rest.strip_suffix(']') {
            let open = inside.rfind('[')?;
            steps.push(subscript(inside[open + 1..].trim()));
            rest = &inside[..open];
            continue;
        }
        let name = rest.rsplit(|c: char| !is_letter(c)).next().filter(|name| !name.is_empty())?;
        rest = rest[..rest.len() - name.len()].trim_end();
        match rest.strip_suffix('.') {
            Some(before) => {
                steps.push(PathStep::Field(name.to_owned()));
                rest = before;
            }
            None => {
                // A filter's result, or the field of a call's.
                if rest.ends_with('|') || name.starts_with(|c: char| c.is_numeric()) {
                    return None;
                }
                steps.reverse();
                return Some((name.to_owned(), steps));
            }
        }
    }
}

fn subscript(inside: &str) -> PathStep {
    let quoted = ['"', '\''].iter().find_map(|quote| inside.strip_prefix(*quote)?.strip_suffix(*quote));
    match quoted {
        Some(name) => PathStep::Field(name.trim_end_matches('\\').to_owned()),
        None => PathStep::Item,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Option<(Word, &str)> {
        expression(text, 0).map(|found| (found.word, &text[found.start..]))
    }

    fn field(root: &str, steps: &[&str]) -> Word {
        let steps = steps.iter().map(|step| match *step {
            "*" => PathStep::Item,
            name => PathStep::Field(name.into()),
        });
        Word::Field { root: root.into(), steps: steps.collect() }
    }

    #[test]
    fn words_are_told_apart_by_what_is_before_them() {
        for (text, kind, typed) in [
            ("{{", Word::Name, ""),
            ("{{ ", Word::Name, ""),
            ("a {{ ev", Word::Name, "ev"),
            ("{{ event.", field("event", &[]), ""),
            ("{{ event.con", field("event", &[]), "con"),
            ("{{ steps.a.b[0].c", field("steps", &["a", "b", "*"]), "c"),
            ("{{ steps['a'].c", field("steps", &["a"]), "c"),
            ("{{ x | ", Word::Filter, ""),
            ("{{ x|lo", Word::Filter, "lo"),
            ("{{ x | default(ev", Word::Name, "ev"),
            ("{{ x is ", Word::Test, ""),
            ("{{ x is not de", Word::Test, "de"),
            ("{{ not ev", Word::Name, "ev"),
            ("{{ a == b.", field("b", &[]), ""),
            ("{{ a ", Word::Other, ""),
            ("{{ 'a.", Word::Other, ""),
            ("{{ now().", Word::Other, ""),
            ("{{ (x | first).", Word::Other, ""),
            ("{{ x | first.", Word::Other, ""),
            ("{% if ev", Word::Name, "ev"),
            ("{{ a }}{{ b.", field("b", &[]), ""),
            ("{{ default(\\\"}}\\\") | ", Word::Filter, ""),
            ("{{ 1", Word::Other, "1"),
        ] {
            assert_eq!(word(text), Some((kind, typed)), "{text}");
        }
    }

    #[test]
    fn nothing_is_an_expression_outside_the_braces() {
        for text in ["", "a", "{{ a }}", "{{ a }} b.", "{# c", "{ a: b"] {
            assert_eq!(word(text), None, "{text}");
        }
    }
}
