//! Addresses assembled from an author's text and data from outside.
//!
//! Data never changes the structure of an address: in a path it is one segment, in a query one value, and in a scheme
//! or host it adds no other part. An address whose host is not entirely the author's is marked, so that the client
//! can refuse private addresses.

use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All characters except the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How many layers of percent-encoding are checked, since proxies may decode a text again.
const LAYERS: usize = 4;

/// Who a text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The author of the recipe or of the workspace.
    Author,
    /// Anyone: an event or an answer of an API.
    Outside,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Its origin.
    pub origin: Origin,
    /// Whether it is percent-encoded.
    pub encoded: bool,
    /// Its source, as a byte range of the template's text.
    pub range: Range<usize>,
}

/// Where a request may be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere: the author chose the host.
    #[default]
    Anywhere,
    /// To public addresses only: the host comes from outside.
    Public,
}

/// A complete address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub text: String,
    /// Where it may lead.
    pub reach: Reach,
}

/// A value that does not fit its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Its source, as a byte range of the template's text.
    pub range: Range<usize>,
    /// The problem; completes a sentence that begins with its name.
    pub reason: String,
}

/// `text` percent-encoded for a path or query.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// `text` as one path segment, or why it cannot be one: an empty, blank or dot segment would address another
/// resource.
pub fn segment(text: &str) -> Result<String, String> {
    match complaint(text) {
        Some(reason) => Err(reason),
        None => Ok(encoded(text)),
    }
}

/// Assembles `pieces`.
pub fn fill(pieces: &[Piece]) -> Result<Address, Unfit> {
    let mut filling = Filling { text: String::new(), reach: Reach::Anywhere, filled: Vec::new() };
    for piece in pieces {
        match piece.origin {
            Origin::Author => filling.text.push_str(&piece.text),
            Origin::Outside => {
                filling.put(piece).map_err(|reason| Unfit { range: piece.range.clone(), reason })?
            }
        }
    }
    filling.check_segments()?;
    Ok(Address { text: filling.text, reach: filling.reach })
}

/// Part of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// At the start.
    Start,
    Scheme,
    /// User, host and port.
    Authority,
    Path,
    /// The query, or the fragment, which is not sent.
    Query,
}

struct Filling {
    text: String,
    reach: Reach,
    /// Values in the path, with their places.
    filled: Vec<(usize, Range<usize>)>,
}

impl Filling {
    fn put(&mut self, piece: &Piece) -> Result<(), String> {
        match part_after(&self.text) {
            Part::Start => {
                self.reach = Reach::Public;
                self.text.push_str(&piece.text);
            }
            Part::Scheme => match piece.text.chars().all(|c| c.is_ascii_alphanumeric()) {
                true => self.text.push_str(&piece.text),
                false => return Err("is part of the scheme and must be letters".into()),
            },
            Part::Authority => {
                self.reach = Reach::Public;
                host_complaint(&piece.text).map_or(Ok(()), Err)?;
                self.text.push_str(&piece.text);
            }
            Part::Path => {
                self.filled.push((self.text.len(), piece.range.clone()));
                let plain = match piece.encoded {
                    true => percent_decode_str(&piece.text).decode_utf8_lossy(),
                    false => piece.text.as_str().into(),
                };
                self.text.push_str(&encoded(&plain));
            }
            Part::Query if piece.encoded => self.text.push_str(&piece.text),
            Part::Query => self.text.push_str(&encoded(&piece.text)),
        }
        Ok(())
    }

    /// Checks segments with values once they are complete.
    fn check_segments(&self) -> Result<(), Unfit> {
        let separates = |c: char| matches!(c, '/' | '\\' | '?' | '#');
        for (at, range) in &self.filled {
            let start = self.text[..*at].rfind(separates).map_or(0, |before| before + 1);
            let end = self.text[*at..].find(separates).map_or(self.text.len(), |after| at + after);
            if let Some(reason) = complaint(&self.text[start..end]) {
                return Err(Unfit { range: range.clone(), reason });
            }
        }
        Ok(())
    }
}

/// The part to which a continuation of `text` belongs. As lenient as browsers, which accept `https:host` and
/// `https:\\host`.
fn part_after(text: &str) -> Part {
    let text = text.trim_start();
    if text.is_empty() {
        return Part::Start;
    }
    let Some((_, rest)) = text.split_once(':') else { return Part::Scheme };
    let authority = rest.trim_start_matches(['/', '\\']);
    let Some(path) = authority.find(['/', '\\', '?', '#']) else { return Part::Authority };
    if authority[path..].contains(['?', '#']) { Part::Query } else { Part::Path }
}

/// Why `text` cannot be part of a host.
fn host_complaint(text: &str) -> Option<String> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if text.trim().is_empty() {
        return Some("is empty, and it is part of the host".into());
    }
    let odd = text.chars().find(|c| !fits(*c))?;
    Some(format!("is part of the host, which has no {odd:?}"))
}

/// Why `text` cannot be a path segment.
fn complaint(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("is empty, and it is part of the path".into());
    }
    let mut layer = text.to_owned();
    for _ in 0..LAYERS {
        let visible: String = layer.chars().filter(|c| !is_invisible(*c)).collect();
        match visible.as_str() {
            "" => return Some("is blank, and it is part of the path".into()),
            "." | ".." => return Some(format!("must not be `{visible}`: it is part of the path")),
            _ => {}
        }
        let decoded = percent_decode_str(&layer).decode_utf8_lossy().into_owned();
        if decoded == layer {
            break;
        }
        layer = decoded;
    }
    None
}

/// Whether `c` is invisible: white space, control characters, zero-width characters.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests;
