//! A named text, with conversion of byte offsets to lines and columns.

use std::sync::Arc;

use super::Span;

/// A source file, or a text with a name such as `<stdin>`.
#[derive(Debug, Clone)]
pub struct SourceFile {
    name: Arc<str>,
    text: Arc<str>,
    line_starts: Arc<[usize]>,
}

/// A position for people: from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl SourceFile {
    /// `text` with the name `name` in messages.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(breaks).collect();
        Self { name: name.into(), text, line_starts }
    }

    /// Name for messages: the path as the user gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same text under another name.
    pub fn called(&self, name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), ..self.clone() }
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text at `span`; shorter or empty outside the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// Line and column of a byte offset.
    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts[line - 1];
        Position { line, column: self.text[start..offset].chars().count() + 1 }
    }

    /// The same file with the text at `places` replaced by asterisks, so that other spans stay valid.
    pub fn masked(&self, places: impl IntoIterator<Item = Span>) -> Self {
        // Keeps the number of characters and of bytes.
        let sign = |c: char| match c {
            '\n' | '\r' => c,
            _ => ['*', '·', '•', '𐄁'][c.len_utf8() - 1],
        };
        let mut places: Vec<Span> = places.into_iter().collect();
        places.sort_unstable();
        let mut text = String::with_capacity(self.text.len());
        for place in places {
            let start = place.start.max(text.len());
            if let (Some(before), Some(hidden)) =
                (self.text.get(text.len()..start), self.text.get(start..place.end))
            {
                text.push_str(before);
                text.extend(hidden.chars().map(sign));
            }
        }
        text.push_str(&self.text[text.len()..]);
        Self { name: Arc::clone(&self.name), text: text.into(), line_starts: Arc::clone(&self.line_starts) }
    }

    /// The span of line `line` (from 1) without its line break.
    pub fn line_span(&self, line: usize) -> Span {
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let end = self.line_starts.get(line).map_or(self.text.len(), |next| next - 1);
        Span::new(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masking_preserves_positions() {
        let file = SourceFile::new("a.yaml", "key: pü\n€😀x: 1\n");
        let shown = file.masked([Span::new(5, 20), Span::new(99, 100)]);
        assert_eq!(shown.text(), "key: *·\n•𐄁****\n");
        assert_eq!(shown.text().len(), file.text().len());
        assert_eq!(shown.position(16), file.position(16));
    }

    #[test]
    fn counts_characters_not_bytes() {
        let file = SourceFile::new("a.yaml", "é: 1\nzwei: ü\n");
        assert_eq!(file.position(3), Position { line: 1, column: 3 });
        assert_eq!(file.position(6), Position { line: 2, column: 1 });
        assert_eq!(file.position(999), Position { line: 3, column: 1 });
        assert_eq!(file.slice(file.line_span(2)), "zwei: ü");
    }
}
