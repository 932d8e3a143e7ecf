//! Encodings in which a text may contain another one: literal, percent-encoded, HTML, JSON (also nested), base64.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Most backslashes before a character: JSON within JSON within JSON.
const MAX_BACKSLASHES: usize = 7;

/// The end of `wanted` at `at` in `text`, in any encoding.
pub(super) fn stands_at(text: &str, at: usize, wanted: &str) -> Option<usize> {
    // One encoding may be a prefix of another: all possible ends so far.
    let mut ends = vec![at];
    for wanted in wanted.chars() {
        let mut next = Vec::with_capacity(1);
        for end in ends {
            each_writing(&text[end..], wanted, |length| {
                if !next.contains(&(end + length)) {
                    next.push(end + length);
                }
            });
        }
        if next.is_empty() {
            return None;
        }
        ends = next;
    }
    ends.into_iter().max()
}

/// Whether an encoded form can begin with `sign`.
pub(super) fn begins_a_writing(sign: u8) -> bool {
    matches!(sign, b'%' | b'\\' | b'&' | b'+' | b'\'')
}

/// Lengths of all encodings of `wanted` at the start of `text`.
fn each_writing(text: &str, wanted: char, mut found: impl FnMut(usize)) {
    let Some(first) = text.chars().next() else { return };
    if first == wanted {
        found(wanted.len_utf8());
    }
    match first {
        '+' if wanted == ' ' => found(1),
        // YAML single quotes.
        '\'' if wanted == '\'' && text.starts_with("''") => found(2),
        '%' if wanted == '%' => {
            let again = |count: &usize| text[1..].starts_with(&"25".repeat(*count));
            [1, 2, 3].into_iter().filter(again).for_each(|count| found(1 + 2 * count));
        }
        '%' => found_if(in_address(text, wanted), found),
        '\\' => escaped(text, wanted, found),
        '&' => found_if(entity(text, wanted), found),
        _ => {}
    }
}

fn found_if(length: Option<usize>, mut found: impl FnMut(usize)) {
    if let Some(length) = length {
        found(length);
    }
}

/// `%C3%BC`, and doubly encoded `%25C3%25BC`.
fn in_address(text: &str, wanted: char) -> Option<usize> {
    let mut rest = text;
    for byte in wanted.encode_utf8(&mut [0; 4]).bytes() {
        rest = rest.strip_prefix('%')?;
        while !is_byte(rest, byte) {
            rest = rest.strip_prefix("25")?;
        }
        rest = &rest[2..];
    }
    Some(text.len() - rest.len())
}

fn is_byte(text: &str, byte: u8) -> bool {
    text.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) == Some(byte)
}

/// `\"`, `\n`, `\u00fc`, `\u{fc}`, `\xfc`, with as many backslashes as the nesting requires.
fn escaped(text: &str, wanted: char, mut found: impl FnMut(usize)) {
    let slashes = text.bytes().take_while(|byte| *byte == b'\\').count();
    let rest = &text[slashes..];
    if wanted == '\\' {
        [2, 4, 8].into_iter().filter(|count| *count <= slashes).for_each(&mut found);
        found_if(by_number(rest, wanted).map(|length| slashes + length), found);
        return;
    }
    if slashes > MAX_BACKSLASHES {
        return;
    }
    let letter = match wanted {
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\u{8}' => 'b',
        '\u{c}' => 'f',
        '\0' => '0',
        other => other,
    };
    let itself = !wanted.is_alphanumeric() && rest.starts_with(letter);
    if itself || (letter != wanted && rest.starts_with(letter)) {
        found(slashes + letter.len_utf8());
    }
    found_if(by_number(rest, wanted).map(|length| slashes + length), found);
}

/// What follows the backslash of a numeric escape.
fn by_number(text: &str, wanted: char) -> Option<usize> {
    let number = |digits: &str| u32::from_str_radix(digits, 16).ok();
    if let Some(rest) = text.strip_prefix("u{") {
        let digits = rest.split('}').next().filter(|digits| digits.len() <= 8)?;
        return (number(digits)? == u32::from(wanted)).then_some(digits.len() + 3);
    }
    if let Some(rest) = text.strip_prefix('x') {
        return (number(rest.get(..2)?)? == u32::from(wanted)).then_some(3);
    }
    let mut rest = text;
    for (place, unit) in wanted.encode_utf16(&mut [0; 2]).iter().enumerate() {
        // The second surrogate has its own backslashes.
        rest = if place == 0 { rest } else { rest.trim_start_matches('\\') };
        let digits = rest.strip_prefix('u')?.get(..4)?;
        rest = (number(digits)? == u32::from(*unit)).then(|| &rest[5..])?;
    }
    Some(text.len() - rest.len())
}

/// `&quot;`, `&#34;`, `&#x22;`, and doubly encoded `&amp;quot;`.
fn entity(text: &str, wanted: char) -> Option<usize> {
    let mut rest = text.strip_prefix('&')?;
    while let Some(again) =
        rest.strip_prefix("amp;").filter(|again| again.find(';').is_some_and(|end| end < 8))
    {
        rest = again;
    }
    let found = |rest: &str| {
        let name = rest.split(';').next().filter(|name| name.len() < 9 && name.len() < rest.len())?;
        let meant = match (name, name.strip_prefix('#')) {
            ("amp", _) => '&',
            ("lt", _) => '<',
            ("gt", _) => '>',
            ("quot", _) => '"',
            ("apos", _) => '\'',
            (_, Some(number)) => char::from_u32(match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            })?,
            _ => return None,
        };
        (meant == wanted).then_some(text.len() - rest.len() + name.len() + 1)
    };
    found(rest).or_else(|| found(text.strip_prefix('&')?))
}

/// Texts that the base64 of any text containing `secret` must contain, such as that of `user:secret`.
pub(super) fn in_base64(secret: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for before in 0..3 {
        let padded = [vec![0; before], secret.as_bytes().to_vec()].concat();
        // Six bits per character: characters with bits of adjacent text are excluded.
        let (first, last) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for text in [STANDARD.encode(&padded), URL_SAFE.encode(&padded)] {
            parts.extend(text.get(first..last).map(str::to_owned));
        }
    }
    parts.sort();
    parts.dedup();
    parts
}

/// The whole base64 text around `start..end`.
pub(super) fn around_base64(text: &str, start: usize, end: usize) -> (usize, usize) {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    let before = text.as_bytes()[..start].iter().rev().take_while(|byte| part(byte)).count();
    let after = text.as_bytes()[end..].iter().take_while(|byte| part(byte)).count();
    let padding = text.as_bytes()[end + after..].iter().take_while(|byte| **byte == b'=').count().min(2);
    (start - before, end + after + padding)
}
