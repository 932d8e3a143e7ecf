//! Reads what is in braces and brackets.

use super::frame::{Container, End, Frame};
use super::scanner::Scanner;

impl Scanner<'_> {
    /// Reads `{…}` or `[…]`; `None` if it is closed.
    pub(super) fn flow(&mut self) -> Option<End> {
        let outside = self.frames.len();
        // The key whose value comes, or nothing.
        let mut after_colon = false;
        while let Some(c) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            match c {
                '{' if !self.text[self.at..].starts_with("{{") => {
                    self.at += 1;
                    self.frames.push(Frame { column: None, container: Container::Map(Vec::new()) });
                    after_colon = false;
                }
                '[' => {
                    self.at += 1;
                    self.frames.push(Frame { column: None, container: Container::List(1) });
                    after_colon = true;
                }
                '}' | ']' => {
                    self.at += 1;
                    self.frames.pop();
                    if self.frames.len() <= outside {
                        return None;
                    }
                    after_colon = true;
                }
                ',' => {
                    self.at += 1;
                    after_colon = false;
                    if let Some(Frame { container: Container::List(items), .. }) = self.frames.last_mut() {
                        *items += 1;
                        after_colon = true;
                    }
                }
                ':' => {
                    self.at += 1;
                    after_colon = true;
                }
                '#' if self.text[..self.at].ends_with([' ', '\n']) => {
                    if !self.next_line() {
                        return Some(End::Comment);
                    }
                }
                '"' | '\'' => match self.quoted(c) {
                    Ok(text) => self.word(text, after_colon),
                    Err(start) if after_colon => {
                        return Some(End::Value { start, quoted: true, block: false });
                    }
                    Err(start) => return Some(End::Key { start, quoted: true }),
                },
                c if c.is_whitespace() => self.at += c.len_utf8(),
                _ => {
                    let start = self.at;
                    let length = flow_word(&self.text[start..]);
                    self.at += length;
                    if self.at == self.text.len() {
                        return Some(match after_colon {
                            true => End::Value { start, quoted: false, block: false },
                            false => End::Key { start, quoted: false },
                        });
                    }
                    self.word(self.text[start..self.at].trim().to_owned(), after_colon);
                }
            }
        }
        let start = self.text.len();
        Some(match after_colon {
            true => End::Value { start, quoted: false, block: false },
            false => End::Key { start, quoted: false },
        })
    }

    /// Notes a word of a mapping in braces.
    fn word(&mut self, text: String, after_colon: bool) {
        if after_colon {
            self.note(&text);
        } else if let Some(Frame { container: Container::Map(entries), .. }) = self.frames.last_mut() {
            entries.push((text, String::new()));
        }
    }
}

/// The length of a plain word in braces or brackets.
fn flow_word(text: &str) -> usize {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if rest.starts_with("{{") {
            at = rest.find("}}").map_or(text.len(), |end| at + end + 2);
            continue;
        }
        let is_colon = c == ':'
            && rest[1..].chars().next().is_none_or(|next| next.is_whitespace() || ",}]".contains(next));
        if matches!(c, ',' | '}' | ']' | '[' | '{' | '\n') || is_colon {
            break;
        }
        at += c.len_utf8();
    }
    at.max(text.chars().next().map_or(0, char::len_utf8))
}
