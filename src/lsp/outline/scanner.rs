//! Reads lines: dashes, keys, values.

use super::frame::{Container, End, Frame};

/// Reads a text up to its end.
pub(super) struct Scanner<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) frames: Vec<Frame>,
    /// Where the outermost `{` or `[` that is open begins.
    pub(super) flow: Option<usize>,
}

impl Scanner<'_> {
    /// Reads all of it; what it ends in.
    pub(super) fn run(&mut self) -> End {
        loop {
            if let Some(end) = self.line() {
                return end;
            }
        }
    }

    /// The rest of the line at `at`.
    fn rest(&self) -> &str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        rest.split('\n').next().unwrap_or_default().trim_end_matches('\r')
    }

    /// Goes to the next line; whether there is one.
    pub(super) fn next_line(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match rest.find('\n') {
            Some(length) => {
                self.at += length + 1;
                true
            }
            None => {
                self.at = self.text.len();
                false
            }
        }
    }

    /// Reads a line, and what follows of its value.
    fn line(&mut self) -> Option<End> {
        let rest = self.rest();
        let column = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let content = &rest[column..];
        let is_document = |mark: &str| column == 0 && content.starts_with(mark);
        if content.is_empty() || content.starts_with('#') || is_document("---") || is_document("...") {
            let (comment, document) = (content.starts_with('#'), !content.is_empty());
            if document && !comment {
                self.frames.clear();
            }
            return match self.next_line() {
                true => None,
                false if comment => Some(End::Comment),
                false => Some(End::Blank { column }),
            };
        }
        self.at += column;
        self.content(column)
    }

    /// Reads what stands at `column` of a line: dashes, a key, a value.
    fn content(&mut self, mut column: usize) -> Option<End> {
        loop {
            let rest = self.rest();
            let is_dash = rest == "-" || rest.starts_with("- ");
            if !is_dash {
                break;
            }
            self.leave(column, true);
            match self.frames.last_mut() {
                Some(Frame { column: Some(at), container: Container::List(items) }) if *at == column => {
                    *items += 1;
                }
                _ => self.frames.push(Frame { column: Some(column), container: Container::List(1) }),
            }
            let rest = self.rest();
            let width = 1 + rest[1..].len() - rest[1..].trim_start_matches(' ').len();
            column += width;
            self.at += width;
            let rest = self.rest();
            if rest.is_empty() || rest.starts_with('#') {
                let comment = !rest.is_empty();
                return match self.next_line() {
                    true => None,
                    false if comment => Some(End::Comment),
                    false => Some(End::Key { start: self.text.len(), quoted: false }),
                };
            }
        }
        self.leave(column, false);
        let rest = self.rest();
        let Some((key, width)) = key_of(rest) else {
            let is_in_map = matches!(
                self.frames.last(),
                Some(Frame { column: Some(at), container: Container::Map(_) }) if *at == column
            );
            // A key whose quotes are not closed yet.
            if let Some(quote) = rest.chars().next().filter(|c| is_in_map && ['"', '\''].contains(c)) {
                let ended = self.quoted(quote);
                return match ended {
                    Err(start) => Some(End::Key { start, quoted: true }),
                    Ok(_) => (!self.next_line()).then_some(End::Comment),
                };
            }
            let is_first = rest.starts_with(['"', '\'', '{', '[', '|', '>', '&', '!']);
            return if is_first { self.value(column) } else { self.bare(column) };
        };
        match self.frames.last_mut() {
            Some(Frame { column: Some(at), container: Container::Map(entries) }) if *at == column => {
                entries.push((key, String::new()));
            }
            _ => {
                let container = Container::Map(vec![(key, String::new())]);
                self.frames.push(Frame { column: Some(column), container });
            }
        }
        self.at += width;
        self.value(column)
    }

    /// Ends mappings and lists that a line at `column` does not belong to.
    pub(super) fn leave(&mut self, column: usize, is_dash: bool) {
        while let Some(Frame { column: Some(at), container }) = self.frames.last() {
            let is_list = matches!(container, Container::List(_));
            if *at > column || (*at == column && is_list && !is_dash) {
                self.frames.pop();
            } else {
                break;
            }
        }
    }

    /// A word without a colon: an item of a list, a key that is being typed, or a further line of a text.
    fn bare(&mut self, column: usize) -> Option<End> {
        let (start, rest) = (self.at, self.rest());
        let is_comment = rest.contains(" #");
        match self.next_line() {
            true => None,
            false if is_comment => Some(End::Comment),
            false => {
                self.resolve(column);
                Some(End::Key { start, quoted: false })
            }
        }
    }

    /// Reads the value at `at`, of a key or item at `column`.
    fn value(&mut self, column: usize) -> Option<End> {
        let rest = self.rest();
        let spaces = rest.len() - rest.trim_start().len();
        self.at += spaces;
        let rest = self.rest().to_owned();
        match rest.chars().next() {
            None => match self.next_line() {
                true => None,
                false => Some(End::Value { start: self.text.len(), quoted: false, block: false }),
            },
            Some('#') if spaces > 0 => (!self.next_line()).then_some(End::Comment),
            Some('|' | '>') => self.block(column),
            Some(quote @ ('"' | '\'')) => match self.quoted(quote) {
                Ok(text) => {
                    self.note(&text);
                    let comment = self.rest().contains('#');
                    match self.next_line() {
                        true => None,
                        false if comment => Some(End::Comment),
                        false => Some(End::Value { start: self.text.len(), quoted: false, block: false }),
                    }
                }
                Err(start) => Some(End::Value { start, quoted: true, block: false }),
            },
            Some('{') if rest.starts_with("{{") => self.plain(&rest),
            Some('{' | '[') => {
                self.flow = Some(self.at);
                let end = self.flow();
                if end.is_none() {
                    self.flow = None;
                    let comment = self.rest().contains('#');
                    return match self.next_line() {
                        true => None,
                        false if comment => Some(End::Comment),
                        false => Some(End::Value { start: self.text.len(), quoted: false, block: false }),
                    };
                }
                end
            }
            Some('&' | '!') => {
                let word = rest.find(' ').unwrap_or(rest.len());
                self.at += word;
                if word == rest.len() {
                    return match self.next_line() {
                        true => None,
                        false => Some(End::Comment),
                    };
                }
                self.value(column)
            }
            Some(_) => self.plain(&rest),
        }
    }

    /// A value without quotes, to the end of the line.
    fn plain(&mut self, rest: &str) -> Option<End> {
        let start = self.at;
        let comment = rest.find(" #");
        self.note(rest[..comment.unwrap_or(rest.len())].trim());
        match self.next_line() {
            true => None,
            false if comment.is_some() => Some(End::Comment),
            false => Some(End::Value { start, quoted: false, block: false }),
        }
    }

    /// Notes the value of the last key.
    pub(super) fn note(&mut self, text: &str) {
        if let Some(Frame { container: Container::Map(entries), .. }) = self.frames.last_mut()
            && let Some((_, value)) = entries.last_mut()
        {
            text.clone_into(value);
        }
    }

    /// The lines of a block that belongs to a key or item at `column`.
    fn block(&mut self, column: usize) -> Option<End> {
        if !self.next_line() {
            return Some(End::Comment);
        }
        self.note("|");
        // A block under a key is deeper than the key; an item's, than its dash.
        let parent = match self.frames.last() {
            Some(Frame { column: Some(at), .. }) => *at,
            _ => column,
        };
        let start = self.at;
        loop {
            let rest = self.rest();
            let indent = rest.len() - rest.trim_start_matches(' ').len();
            let is_last = !self.text[self.at..].contains('\n');
            let is_blank = rest.trim().is_empty();
            let inside = indent > parent || (is_blank && !is_last);
            if !inside {
                return None;
            }
            if is_last {
                return Some(End::Value { start, quoted: false, block: true });
            }
            self.next_line();
        }
    }

    /// The text in quotes at `at`, which is then behind it; the offset behind the quote if it does not end.
    pub(super) fn quoted(&mut self, quote: char) -> Result<String, usize> {
        let start = self.at + 1;
        let inside = self.text.get(start..).unwrap_or_default();
        let mut chars = inside.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c == '\\' && quote == '"' {
                chars.next();
            } else if c == quote {
                if quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') {
                    chars.next();
                    continue;
                }
                self.at = start + at + 1;
                return Ok(inside[..at].to_owned());
            }
        }
        self.at = self.text.len();
        Err(start)
    }
}

/// The key at the beginning of `text`, and its length with the colon.
fn key_of(text: &str) -> Option<(String, usize)> {
    let is_end = |at: usize| text[at..].chars().next().is_none_or(char::is_whitespace);
    if let Some(quote) = text.chars().next().filter(|c| ['"', '\''].contains(c)) {
        let end = text[1..].find(quote)? + 1;
        let rest = &text[end + 1..];
        let colon = end + 1 + (rest.len() - rest.trim_start().len());
        let is_key = text[colon..].starts_with(':') && is_end(colon + 1);
        return is_key.then(|| (text[1..end].to_owned(), colon + 1));
    }
    if text.starts_with(['{', '[', '|', '>', '&', '!', '%', '@', '`', '#', '*']) {
        return None;
    }
    let comment = text.find(" #").unwrap_or(text.len());
    let colon = text[..comment].char_indices().find(|(at, c)| *c == ':' && is_end(at + 1))?.0;
    Some((text[..colon].trim().to_owned(), colon + 1))
}
