//! Formats of times: strftime's, and their equivalents in other tools.

use chrono::format::{Item, StrftimeItems};
use minijinja::Error;

use crate::template::error::advised;

/// Formats of other tools, longest first, with strftime's equivalent.
const ELSEWHERE: [(&str, &str); 20] = [
    ("YYYY", "%Y"),
    ("yyyy", "%Y"),
    ("dddd", "%A"),
    ("EEEE", "%A"),
    ("MMMM", "%B"),
    ("ddd", "%a"),
    ("EEE", "%a"),
    ("MMM", "%b"),
    ("SSS", "%3f"),
    ("YY", "%y"),
    ("yy", "%y"),
    ("MM", "%m"),
    ("DD", "%d"),
    ("dd", "%d"),
    ("HH", "%H"),
    ("hh", "%I"),
    ("mm", "%M"),
    ("ss", "%S"),
    ("ZZ", "%z"),
    ("A", "%p"),
];
/// Single-letter formats, as in PHP and Django.
const LETTERS: [(char, &str); 12] = [
    ('Y', "%Y"),
    ('y', "%y"),
    ('m', "%m"),
    ('d', "%d"),
    ('n', "%-m"),
    ('j', "%-d"),
    ('H', "%H"),
    ('i', "%M"),
    ('s', "%S"),
    ('F', "%B"),
    ('M', "%b"),
    ('D', "%a"),
];

/// Parses `format`; a text without any part of a time is not a format.
pub(in crate::template) fn items(format: &str) -> Result<Vec<Item<'_>>, Error> {
    let items: Vec<_> = StrftimeItems::new(format).collect();
    if items.contains(&Item::Error) {
        let help = "formats are strftime's: %Y-%m-%d %H:%M:%S; a percent sign is %%";
        return Err(advised(format!("cannot read the format {format:?}"), help));
    }
    let telling = |item: &Item<'_>| matches!(item, Item::Numeric(..) | Item::Fixed(_));
    if !items.iter().any(telling) {
        let help = match translated(format) {
            Some(meant) => format!("formats are strftime's: `{meant}`"),
            None => "formats are strftime's: `%Y-%m-%d %H:%M:%S`".to_owned(),
        };
        return Err(advised(format!("finds no part of a time in the format {format:?}"), help));
    }
    Ok(items)
}

/// `%Y-%m-%d` for `YYYY-MM-DD` and for `Y-m-d`.
fn translated(format: &str) -> Option<String> {
    words(format).or_else(|| {
        let letter = |c: char| match LETTERS.iter().find(|(known, _)| *known == c) {
            Some((_, sign)) => Some((*sign).to_owned()),
            None => (!c.is_alphabetic() || c == 'T').then(|| c.to_string()),
        };
        format.chars().map(letter).collect::<Option<String>>()
    })
}

fn words(format: &str) -> Option<String> {
    let (mut rest, mut result) = (format, String::new());
    while let Some(c) = rest.chars().next() {
        if let Some((word, sign)) = ELSEWHERE.iter().find(|(word, _)| rest.starts_with(word)) {
            result.push_str(sign);
            rest = &rest[word.len()..];
        } else if !c.is_alphabetic() || c == 'T' {
            result.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            return None;
        }
    }
    result.contains('%').then_some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_other_tools_are_translated() {
        for (theirs, ours) in [
            ("YYYY-MM-DD", "%Y-%m-%d"),
            ("dd/MM/yyyy HH:mm", "%d/%m/%Y %H:%M"),
            ("DD.MM.YY", "%d.%m.%y"),
            ("MMM DD, YYYY hh:mm A", "%b %d, %Y %I:%M %p"),
            ("Y-m-d H:i:s", "%Y-%m-%d %H:%M:%S"),
            ("d/m/Y", "%d/%m/%Y"),
        ] {
            assert_eq!(translated(theirs).as_deref(), Some(ours), "{theirs}");
            assert!(items(theirs).is_err() && items(ours).is_ok(), "{theirs}");
        }
        for wrong in ["", "today", "%%", "%Q", "%"] {
            assert!(items(wrong).is_err(), "{wrong:?}");
        }
    }
}
