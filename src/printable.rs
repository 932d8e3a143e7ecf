//! Makes foreign text safe to display: it cannot control a terminal, start a log line of its own, or reorder the text
//! around it.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` in one line of at most `most` characters, with `…` if it is cut. Control and bidirectional characters are
/// escaped as in Rust: `\n`, `\u{202e}`.
pub fn line(text: &str, most: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(most));
    let mut length = 0;
    for letter in text.chars() {
        let before = shown.len();
        match is_printable(letter) {
            true => shown.push(letter),
            false => escape(&mut shown, letter),
        }
        length += shown[before..].chars().count();
        if length > most {
            shown.truncate(before);
            shown.push('…');
            break;
        }
    }
    shown
}

/// `text` with its line breaks and tabs; other control characters are escaped.
pub fn lines(text: &str) -> Cow<'_, str> {
    let stays = |letter: char| is_printable(letter) || matches!(letter, '\n' | '\t');
    if text.chars().all(stays) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match stays(letter) {
            true => shown.push(letter),
            false => escape(&mut shown, letter),
        }
    }
    Cow::Owned(shown)
}

/// The same, but keeps colours and weights (`ESC [ … m`) of hob's own renderer.
pub fn coloured(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return lines(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut parts = text.split("\u{1b}[");
    shown.push_str(&lines(parts.next().unwrap_or_default()));
    for part in parts {
        let length = part.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
        let is_colour = part.as_bytes().get(length) == Some(&b'm');
        shown.push_str(if is_colour { "\u{1b}[" } else { "\\u{1b}[" });
        shown.push_str(&lines(part));
    }
    Cow::Owned(shown)
}

/// JSON `text` with those characters escaped as in JSON, which keeps its meaning.
pub fn json(text: &str) -> Cow<'_, str> {
    let stays = |letter: char| is_printable(letter) || letter.is_ascii();
    // Of the ASCII characters to be escaped, JSON texts may contain only DEL.
    if text.chars().all(|letter| stays(letter) && letter != '\u{7f}') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if stays(letter) && letter != '\u{7f}' {
            shown.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    Cow::Owned(shown)
}

/// Whether a character is safe in a line. Joiners are, because some scripts need them.
pub fn is_printable(letter: char) -> bool {
    let orders_or_hides = matches!(
        letter,
        // Bidirectional controls (UAX #9), and line separators besides `\n`.
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        // Zero-width characters.
        | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
    );
    !letter.is_control() && !orders_or_hides
}

fn escape(shown: &mut String, letter: char) {
    match letter {
        '\n' | '\r' | '\t' => shown.extend(letter.escape_default()),
        other => shown.extend(other.escape_unicode()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each controls some terminal, log viewer or reader.
    const ODD: &str = "\0\u{7}\u{8}\r\u{1b}\u{7f}\u{85}\u{9b}\u{61c}\u{200b}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}";

    #[test]
    fn nothing_of_it_gives_orders() {
        for letter in ODD.chars() {
            let text = format!("a{letter}b");
            for shown in [line(&text, 80), lines(&text).into_owned(), json(&text).into_owned()] {
                assert!(
                    letter.is_ascii_control() && letter != '\u{7f}' || !shown.contains(letter),
                    "{shown:?}"
                );
            }
            assert!(!line(&text, 80).contains(letter) && !lines(&text).contains(letter), "{letter:?}");
        }
        assert_eq!(line("a\u{1b}[31mb\n\u{202e}", 80), "a\\u{1b}[31mb\\n\\u{202e}");
        assert_eq!(lines("a\tb\r\nc"), "a\tb\\r\nc");
    }

    #[test]
    fn names_of_all_scripts_stay() {
        for name in ["Zoë Müller", "علی‌رضا", "👩‍👩‍👧", "東京", "नमस्ते"]
        {
            assert_eq!((line(name, 80).as_str(), &*lines(name), &*json(name)), (name, name, name));
        }
    }

    #[test]
    fn long_ones_are_cut_where_a_letter_ends() {
        assert_eq!(line("äöü", 3), "äöü");
        assert_eq!(line("äöüß", 3), "äöü…");
        assert_eq!(line("ab\u{202e}", 5), "ab…");
    }

    #[test]
    fn only_colour_sequences_pass() {
        let own = "\u{1b}[1m\u{1b}[91merror\u{1b}[0m: no";
        assert_eq!(coloured(own), own);
        assert_eq!(
            coloured("\u{1b}[2Ja\u{1b}]0;title\u{7}\u{9b}1m"),
            "\\u{1b}[2Ja\\u{1b}]0;title\\u{7}\\u{9b}1m"
        );
        assert_eq!(coloured("a\u{202e}"), "a\\u{202e}");
    }

    #[test]
    fn json_means_the_same() {
        let value = serde_json::json!({ ODD: [ODD, "\u{1f600}\u{e0001}"] });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let shown = json(&text);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        assert!(shown.chars().all(|letter| is_printable(letter) || letter == '\n'), "{shown:?}");
    }
}
